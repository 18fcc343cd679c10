"""Several runs at once in one process, and in several, each with a session of its own."""

from __future__ import annotations

import logging
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import anyio
import pytest

import fanout
from fanout.providers.script import Reply, Script
from fanout.providers.scripted_server import serving
from fanout.settings import Settings
from fanout.store.store import Store
from fanout.telemetry.log_form import write_log

FINE = Script(otherwise=Reply(text="Fine words."))
ROOT = Path(__file__).resolve().parents[2]


def single() -> fanout.Workflow:
    branches = [{"id": "left", "title": "Left", "prompt": "LEFT {topic}"}]
    return fanout.parse({"title": "Single", "branches": branches}, name="single")


def texts(homes: Sequence[Path | None]) -> list[str]:
    """What runs answer that begin at once in one event loop, each with its own home or none."""
    found: list[str] = []
    with serving(FINE) as server:

        async def one(home: Path | None) -> None:
            result = await fanout.run(
                single(), topic="rain", endpoint=server.base_url, model="m", home=home
            )
            found.append(result.branches["left"].text)

        async def main() -> None:
            async with anyio.create_task_group() as together:
                for home in homes:
                    together.start_soon(one, home)

        anyio.run(main)
    return found


def kept(home: Path) -> int:
    with Store.open(home) as store:
        return len(store.started_since(0.0))


def test_six_runs_of_one_task_group_all_answer() -> None:
    assert texts([None] * 6) == ["Fine words."] * 6


def test_new_homes_are_made_side_by_side(tmp_path: Path) -> None:
    homes = [tmp_path / "one", tmp_path / "two", tmp_path / "one", tmp_path / "three"]
    assert texts(homes) == ["Fine words."] * 4
    assert [kept(home) for home in homes] == [2, 1, 2, 1]


def test_threads_run_side_by_side() -> None:
    with serving(FINE) as server, ThreadPoolExecutor(3) as threads:

        def one(topic: str) -> str:
            result = fanout.run_sync(single(), topic=topic, endpoint=server.base_url, model="m")
            return result.branches["left"].text

        assert list(threads.map(one, ("rain", "snow", "fog"))) == ["Fine words."] * 3


def test_processes_make_one_home_together(tmp_path: Path) -> None:
    code = (
        "import sys, fanout; url, home = sys.argv[1:]; "
        "print(fanout.run_sync('creative-trio', topic='x', endpoint=url, model='m', home=home)"
        ".status)"
    )
    with serving(FINE) as server:
        started = [
            subprocess.Popen(
                [sys.executable, "-c", code, server.base_url, str(tmp_path / "home")],
                cwd=ROOT,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )
            for _ in range(3)
        ]
        said = [process.communicate(timeout=120)[0].strip() for process in started]
    assert said == ["succeeded"] * 3
    assert kept(tmp_path / "home") == 3


def test_looking_whether_a_home_can_be_written_disturbs_nobody_who_looks_too(
    tmp_path: Path,
) -> None:
    settings = Settings.from_environment({"FANOUT_HOME": str(tmp_path)})
    with ThreadPoolExecutor(4) as threads:
        looked = threads.map(lambda _: settings.writable_home(), range(800))
        assert set(looked) == {tmp_path}


def test_no_line_of_the_log_is_written_twice(capsys: pytest.CaptureFixture[str]) -> None:
    log = logging.getLogger("fanout")
    before = (log.handlers[:], log.level, log.propagate)
    try:
        with ThreadPoolExecutor(8) as threads:
            list(threads.map(lambda _: write_log("text", "info"), range(800)))
        log.info("said once")
        assert capsys.readouterr().err.count("said once") == 1
    finally:
        log.handlers[:], log.level, log.propagate = before
