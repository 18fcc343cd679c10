"""The menu "Export" of a batch on its page, without a browser."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from streamlit.testing.v1 import AppTest

from components import session
from components.batch.exporting import MANY
from tests.pages.batch_steps import kept, topics


@pytest.fixture(autouse=True)
def runtime(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The app's own store, in this test's FANOUT_HOME; nothing is asked."""
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    monkeypatch.setenv("FANOUT_MODEL", "scripted")
    monkeypatch.setenv("FANOUT_APP_WORKS", "0")
    yield
    session.close_runtime()


def told(batch: str) -> list[str]:
    def script(batch: str) -> None:
        from components.batch.exporting import export_batch_menu
        from components.session import runtime

        found = runtime().store.batches.get(batch)
        assert found is not None
        export_batch_menu(runtime(), found)

    page = AppTest.from_function(script, args=(batch,), default_timeout=60).run()
    assert not page.exception
    return [one.value for one in page.caption]


def test_a_large_batch_names_the_command_that_needs_no_memory() -> None:
    small, large = kept(topics(3)), kept(topics(MANY + 1))
    assert told(small) == ["To read", "Data"]
    assert f"`python -m fanout export {large} --format csv`" in told(large)[-1]
