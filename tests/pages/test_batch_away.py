"""A database that is away while somebody looks at a batch: the page says so, and comes back."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import event
from streamlit.testing.v1 import AppTest

from components import session
from tests.pages.batch_steps import kept, opened, said, topics


@pytest.fixture(autouse=True)
def runtime(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    monkeypatch.setenv("FANOUT_MODEL", "scripted")
    monkeypatch.setenv("FANOUT_APP_WORKS", "0")
    yield
    session.close_runtime()


@contextmanager
def away() -> Iterator[None]:
    """No connection of the app's own record can be had."""
    engine = session.runtime().store._engine

    def gone(*_: object) -> None:
        error = sqlite3.OperationalError("unable to open database file")
        error.sqlite_errorcode = sqlite3.SQLITE_CANTOPEN
        raise error

    event.listen(engine, "checkout", gone)
    try:
        yield
    finally:
        event.remove(engine, "checkout", gone)


@pytest.mark.parametrize("listed", [True, False])
def test_a_batch_comes_back_with_the_database(listed: bool) -> None:
    session.runtime()
    batch = kept(topics(2))
    address = {} if listed else {"id": batch}
    app = opened(**address)
    with away():
        app.run()
        assert not app.exception
        (told,) = [one.value for one in app.error]
        assert "can't be opened" in told
        assert "tries again by itself" in told
    app.run()
    assert not app.exception
    assert not app.error
    assert "Not started" in said(app)


def test_a_part_that_goes_on_by_itself_says_what_it_waits_for() -> None:
    def page() -> None:
        import streamlit as st

        from components.batch.away import patiently
        from fanout.errors import StoreError

        def part() -> None:
            raise StoreError("The server does not answer. It is tried again.")

        st.fragment(patiently(part), run_every=60)()
        st.write("The rest of the page.")

    app = AppTest.from_function(page).run()
    assert not app.exception
    assert [one.value.replace("\\", "") for one in app.error] == [
        "The server does not answer. The page tries again by itself."
    ]
    assert app.markdown[0].value == "The rest of the page."
