"""A database that goes away in mid-batch, or has no room: nothing is lost, nothing paid twice."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import cast

import psycopg
import pytest
from sqlalchemy import event

from fanout.batches import RowState
from fanout.errors import StoreError
from fanout.providers.script import Reply
from tests.batch.hall import Hall, hall, script
from tests.store import postgres

PACE = script(Reply(text="One two three four five six.", first_token_s=0.1, tokens_per_s=100))
ROWS = 16
GONE_S = 3.0


@pytest.fixture
def own_server() -> Iterator[str]:
    """A PostgreSQL of this test's own, which may be stopped."""
    programs = postgres.installed()
    if programs is None:
        pytest.skip("PostgreSQL is not installed")
    with postgres.cluster(programs) as address:
        yield address


def test_a_server_that_goes_away_for_seconds_costs_nothing(
    fanout_home: Path, own_server: str
) -> None:
    with (
        postgres.database(own_server) as url,
        hall(fanout_home, url, PACE) as at,
        at.worker() as worker,
    ):
        batch = at.batch(ROWS)
        at.until(lambda: at.states(batch)[RowState.SUCCEEDED] >= 3, "some rows")
        assert worker._durable is not None
        with worker._durable._dbos._sys_db.engine.connect() as connection:
            line = cast("psycopg.Connection", connection.connection.dbapi_connection)
            assert line.info.get_parameters()["tcp_user_timeout"] == "10000"
        with _away(own_server):
            time.sleep(GONE_S)
        at.until(lambda: _ended(at, batch) == ROWS, "the end of every row")
        _check(at, batch)


def test_a_disk_that_fills_and_is_freed_costs_nothing(fanout_home: Path) -> None:
    with hall(fanout_home, "", PACE) as at, at.worker() as worker:
        batch = at.batch(ROWS)
        at.until(lambda: at.states(batch)[RowState.SUCCEEDED] >= 3, "some rows")
        durable = worker._durable
        assert durable is not None
        full = True

        def no_room(connection: object, _record: object, _proxy: object) -> None:
            pages = 1 if full else 1_000_000
            connection.execute(f"PRAGMA max_page_count = {pages}")  # type: ignore[attr-defined]

        # The worker's own connections meet the limit, as they would meet a full disk.
        for engine in (worker._store._engine, durable._engine):
            event.listen(engine, "checkout", no_room)
        at.until(lambda: bool(worker.notes) or _unwritten(worker), "a complaint")
        time.sleep(1.0)
        full = False
        at.until(lambda: _ended(at, batch) == ROWS, "the end of every row")
        # A row whose checkpoint had no room has another go, which finds its run there.
        _check(at, batch, most_goes=2)


def _unwritten(worker: object) -> bool:
    scribe = worker._desk._engine.scribe  # type: ignore[attr-defined]
    return bool(scribe.problem)


def _ended(at: Hall, batch: object) -> int:
    try:
        return at.states(batch)[RowState.SUCCEEDED]  # type: ignore[arg-type]
    except StoreError:
        return -1


def _check(at: Hall, batch: object, most_goes: int = 1) -> None:
    at.until_finished(batch)  # type: ignore[arg-type]
    assert len(at.server.requests) == ROWS * 4
    assert max(row.go for row in at.rows(batch)) <= most_goes  # type: ignore[arg-type]


@contextmanager
def _away(address: str) -> Iterator[None]:
    """Stop that server, and start it again on the same data at the end."""
    with psycopg.connect(f"{address}/postgres") as connection:
        found = connection.execute("SHOW data_directory").fetchone()
        assert found is not None
        folder = Path(found[0])
    lines = (folder / "postmaster.pid").read_text("utf-8").splitlines()
    pid, port = int(lines[0]), lines[3]
    os.kill(pid, signal.SIGINT)
    while (folder / "postmaster.pid").exists():
        time.sleep(0.02)
    try:
        yield
    finally:
        programs = postgres.installed()
        assert programs is not None
        said = {"listen_addresses": "127.0.0.1", "port": port, "unix_socket_directories": ""}
        settings = [word for name, value in said.items() for word in ("-c", f"{name}={value}")]
        again = subprocess.Popen(
            [str(programs / "postgres"), "-D", str(folder), *settings, "-c", "fsync=off"],
            user=folder.owner() if os.geteuid() == 0 else None,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=folder,
        )
        _started.append(again)


_started: list[subprocess.Popen[bytes]] = []


@pytest.fixture(autouse=True)
def end_servers() -> Iterator[None]:
    """Before the folder goes."""
    yield
    while _started:
        server = _started.pop()
        server.send_signal(signal.SIGINT)
        server.wait(20)
