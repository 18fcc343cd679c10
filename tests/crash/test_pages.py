"""The app's pages while the database is in trouble: what they say, and that they stay."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from time import monotonic, sleep

import pytest
from streamlit.testing.v1 import AppTest

from components import session
from fanout.providers.script import Reply, Script
from fanout.providers.scripted_server import ServerHandle, serving
from fanout.store.store import Store
from tests.store.samples import events, update

SHELL = Path(__file__).resolve().parents[2] / "components" / "shell.py"


@pytest.fixture
def endpoint(monkeypatch: pytest.MonkeyPatch) -> Iterator[ServerHandle]:
    with serving(Script(otherwise=Reply(text="Fine words."))) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.base_url)
        monkeypatch.setenv("FANOUT_MODEL", "scripted")
        yield server
        session.close_runtime()


def opened(**query: str) -> AppTest:
    app = AppTest.from_file(SHELL, default_timeout=30)
    for name, value in query.items():
        app.query_params[name] = value
    app.run()
    assert not app.exception
    return app


def warnings(app: AppTest) -> str:
    return "\n".join(one.value for one in (*app.warning, *app.error)).replace("\\", "")


def test_the_page_says_while_runs_are_not_written_down_and_stops_when_they_are(
    endpoint: ServerHandle, fanout_home: Path
) -> None:
    app = opened()
    with closing(sqlite3.connect(fanout_home / "fanout.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        app.text_area(key="topic").set_value("remote work")
        app.button(key="run").click().run()
        assert not app.exception
        (handle,) = session.runtime().engine.runs()
        assert handle.wait(timeout_s=20).status.finished
        app.run()
        assert "Runs are not being written down: Another program holds" in warnings(app)
        assert "they are in memory" in warnings(app)
        other.execute("ROLLBACK")
    scribe = session.runtime().engine.scribe
    assert scribe is not None
    limit = monotonic() + 20
    while scribe.problem:
        assert monotonic() < limit
        sleep(0.05)
    app.run()
    assert "not being written down" not in warnings(app)
    with Store.open(fanout_home) as store:
        assert store.load(handle.id) is not None


def test_the_page_of_a_newer_database_says_so_and_still_runs(
    endpoint: ServerHandle, fanout_home: Path
) -> None:
    Store.open(fanout_home).close()
    with closing(sqlite3.connect(fanout_home / "fanout.db")) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    app = opened()
    assert "newer Fanout" in warnings(app)
    app.text_area(key="topic").set_value("remote work")
    app.button(key="run").click().run()
    assert not app.exception
    (handle,) = session.runtime().engine.runs()
    assert handle.wait(timeout_s=20).status.finished


def test_a_link_opened_while_the_database_cannot_be_read_is_answered_in_words(
    endpoint: ServerHandle, fanout_home: Path
) -> None:
    with Store.open(fanout_home) as store:
        store.write([update(events())])
    opened()
    (fanout_home / "fanout.db").rename(fanout_home / "elsewhere.db")
    (fanout_home / "fanout.db").mkdir()
    app = opened(run="run-0001")
    assert "can't be opened" in warnings(app)
    assert "There is no run" not in warnings(app)
