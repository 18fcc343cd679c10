"""What a session keeps, and what it says where it can't keep what it was asked to."""

from __future__ import annotations

import logging
import sqlite3
import threading
from pathlib import Path

import pytest

import fanout
from fanout.providers.script import Reply, Script
from fanout.providers.scripted_server import ServerHandle, serving
from fanout.store.store import Store
from tests.providers.local.fake_hub import FakeHub, running
from tests.rig import free_port

FINE = Script(otherwise=Reply(text="Fine words."))


def single() -> fanout.Workflow:
    branches = [{"id": "left", "title": "Left", "prompt": "LEFT {topic}"}]
    return fanout.parse({"title": "Single", "branches": branches}, name="single")


def asked(server: ServerHandle, home: Path | None) -> fanout.Result:
    return fanout.run_sync(single(), topic="rain", endpoint=server.base_url, model="m", home=home)


def refused(home: Path) -> str:
    """Why a session isn't opened; nothing is asked, and nothing stays open."""
    before = set(threading.enumerate())
    with serving(FINE) as server:
        with pytest.raises(fanout.SettingsError) as raised:
            asked(server, home)
        assert not server.requests
    after = set(threading.enumerate()) - before
    assert not [one for one in after if one.name.startswith("fanout-")]
    return str(raised.value)


def test_a_home_that_is_no_folder_is_refused_before_anything_is_paid(tmp_path: Path) -> None:
    (tmp_path / "kept").write_text("a file")
    said = refused(tmp_path / "kept" / "runs")
    assert "`home`" in said and "folder that can be written" in said


def test_a_home_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    Store.open(tmp_path).close()
    (database,) = tmp_path.glob("*.db")
    with sqlite3.connect(database) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    assert "newer Fanout" in refused(tmp_path)


def test_a_database_that_does_not_answer_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = f"postgresql://fanout:secret-word@127.0.0.1:{free_port()}/fanout"
    monkeypatch.setenv("FANOUT_DATABASE_URL", address)
    said = refused(tmp_path)
    assert "`home`" in said and "secret-word" not in said


def test_what_else_is_wrong_is_told_in_the_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "endpoints.json").write_text("no json")
    with serving(FINE) as server, caplog.at_level(logging.WARNING, "fanout"):
        assert asked(server, tmp_path).status is fanout.RunStatus.SUCCEEDED
    assert "endpoints.json" in caplog.text


@pytest.mark.parametrize("name", ["FANOUT_DAY_USD", "FANOUT_PERSON_DAY_TOKENS"])
def test_a_budget_of_the_day_needs_a_home(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "1000")
    with serving(FINE) as server:
        with pytest.raises(fanout.SettingsError, match=r"FANOUT_DAY.*home="):
            asked(server, None)
        assert not server.requests


def test_a_budget_of_the_day_counts_over_the_runs_of_a_home(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving(FINE) as server:
        result = asked(server, tmp_path)
        used = sum(one.usage.input + one.usage.output for one in result.branches.values())
        monkeypatch.setenv("FANOUT_DAY_TOKENS", str(used + 1))
        failure = asked(server, tmp_path).failure
        assert len(server.requests) == 1
    assert failure is not None and failure.kind is fanout.FailureKind.BUDGET


@pytest.mark.model
def test_a_model_of_the_hub_outlives_a_session_that_keeps_no_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running(FakeHub(files={"model.Q4_K_M.gguf": b"GGUF no model"})) as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        monkeypatch.setenv("FANOUT_HOME", str(tmp_path))
        for _ in range(2):
            result = fanout.run_sync(
                single(), topic="rain", endpoint="bundled", model="owner/name-GGUF"
            )
            assert result.status is fanout.RunStatus.FAILED
        downloads = [path for path, _ in hub.tokens if path.startswith("/storage/")]
    assert len(downloads) == 1
    assert [path.name for path in tmp_path.rglob("*.gguf")] == ["model.Q4_K_M.gguf"]
    assert not list(tmp_path.glob("*.db"))
