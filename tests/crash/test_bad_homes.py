"""The command line where FANOUT_HOME or its database can't be used: words, exit status, results."""

from __future__ import annotations

import ctypes
import json
import os
import resource
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from fanout.providers.script import Reply, Script
from fanout.providers.scripted_server import ServerHandle, serving
from tests import command_line

ROOT = Path(__file__).resolve().parents[2]
FINE = "Fine words."
RUN = ("run", "creative-trio", "--topic", "rain", "--json")
Before = Callable[[], None]


@pytest.fixture
def server() -> Iterator[ServerHandle]:
    with serving(Script(otherwise=Reply(text=FINE))) as server:
        yield server


def fanout(
    server: ServerHandle, *arguments: str, before: Before | None = None
) -> subprocess.CompletedProcess[str]:
    """In a process of its own where something happens to it `before`."""
    environment = {"OPENAI_BASE_URL": server.base_url, "FANOUT_MODEL": "scripted"}
    if before is None:
        return command_line.fanout(*arguments, environment=environment)
    return subprocess.run(
        [sys.executable, "-m", "fanout", *arguments],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        preexec_fn=before,
    )


def ran(done: subprocess.CompletedProcess[str], said: str) -> None:
    """The run itself went well, and the person was told what is wrong."""
    assert done.returncode == 0, done.stderr
    record = json.loads(done.stdout)
    assert record["status"] == "succeeded"
    assert record["aggregate"]["text"] == FINE
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def refused(done: subprocess.CompletedProcess[str], status: int, said: str) -> None:
    assert (done.returncode, done.stdout) == (status, "")
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def without_privileges() -> None:
    """Root is refused nothing by permissions; without these capabilities it is."""
    if os.geteuid() == 0:
        libc = ctypes.CDLL(None)
        drop_from_bounding_set, override, search, owner = 24, 1, 2, 3
        for capability in (override, search, owner):
            if libc.prctl(drop_from_bounding_set, capability, 0, 0, 0):
                os._exit(77)


def with_small_files() -> None:
    """As on a full disk: no file may grow beyond 20 kB."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))


def read_only(home: Path) -> None:
    for path in (*home.rglob("*"), home):
        path.chmod(0o555 if path.is_dir() else 0o444)


def test_a_home_that_is_read_only_from_the_first_keeps_nothing_and_says_so(
    server: ServerHandle, fanout_home: Path
) -> None:
    fanout_home.mkdir()
    read_only(fanout_home)
    ran(fanout(server, *RUN, before=without_privileges), "can be written")
    refused(fanout(server, "show", "last", before=without_privileges), 2, "There are no runs yet")


def test_a_home_that_became_read_only_shows_its_runs(
    server: ServerHandle, fanout_home: Path
) -> None:
    first = json.loads(fanout(server, *RUN).stdout)["run_id"]
    read_only(fanout_home)
    before = {path: path.stat().st_mtime_ns for path in fanout_home.rglob("*")}
    ran(fanout(server, *RUN, before=without_privileges), "kept only until Fanout ends")
    listed = fanout(server, "history", "--json", before=without_privileges)
    assert [row["run_id"] for row in json.loads(listed.stdout)] == [first]
    assert "can't be used" in listed.stderr
    shown = fanout(server, "show", first, "--json", before=without_privileges)
    assert json.loads(shown.stdout)["aggregate"]["text"] == FINE
    assert {path: path.stat().st_mtime_ns for path in fanout_home.rglob("*")} == before


def test_a_disk_that_is_full_at_the_start_keeps_no_run_from_being_made(
    server: ServerHandle,
) -> None:
    ran(fanout(server, *RUN, before=with_small_files), "is full")


def test_a_disk_that_is_full_later_shows_earlier_runs_and_says_what_is_not_kept(
    server: ServerHandle, fanout_home: Path
) -> None:
    first = json.loads(fanout(server, *RUN).stdout)["run_id"]
    size = (fanout_home / "fanout.db").stat().st_size

    def full() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))

    done = fanout(server, *RUN[:3], "rain " * 20_000, "--json", before=full)
    assert done.returncode == 0
    assert json.loads(done.stdout)["status"] == "succeeded"
    assert "could not be kept" in done.stderr or "is full" in done.stderr
    shown = fanout(server, "show", first, "--json")
    assert json.loads(shown.stdout)["aggregate"]["text"] == FINE


def test_a_damaged_database_is_named_once_and_the_run_is_kept(
    server: ServerHandle, fanout_home: Path
) -> None:
    fanout_home.mkdir()
    (fanout_home / "fanout.db").write_bytes(b"no database at all" * 500)
    done = fanout(server, *RUN)
    ran(done, "set aside as fanout-damaged-")
    (aside,) = fanout_home.glob("fanout-damaged-*.db")
    assert aside.name in done.stderr
    assert aside.read_bytes() == b"no database at all" * 500
    shown = fanout(server, "show", "last", "--json")
    assert json.loads(shown.stdout)["run_id"] == json.loads(done.stdout)["run_id"]
    assert shown.stderr == ""


def test_a_newer_database_is_left_alone_and_named(server: ServerHandle, fanout_home: Path) -> None:
    fanout(server, *RUN)
    path = fanout_home / "fanout.db"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    before = path.read_bytes()
    ran(fanout(server, *RUN), "newer Fanout")
    for command in (("history",), ("show", "last"), ("export", "last", "--format", "json")):
        refused(fanout(server, *command), 2, "newer Fanout")
    assert path.read_bytes() == before


def test_a_locked_database_lets_earlier_runs_be_read_and_says_what_is_not_kept(
    server: ServerHandle, fanout_home: Path
) -> None:
    first = json.loads(fanout(server, *RUN).stdout)["run_id"]
    with closing(sqlite3.connect(fanout_home / "fanout.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        ran(fanout(server, *RUN), "could not be kept: Another program holds the database")
        listed = fanout(server, "history", "--json")
        assert [row["run_id"] for row in json.loads(listed.stdout)] == [first]
        assert fanout(server, "show", first).returncode == 0
        other.execute("ROLLBACK")
    ran(fanout(server, *RUN), "")
    assert len(json.loads(fanout(server, "history", "--json").stdout)) == 2
