"""The app is told to end in mid-run, in every way that happens: it ends soon, nothing is lost."""

from __future__ import annotations

import asyncio
import json
import signal
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, sleep

import pytest

from benchmarks.load import TITLE, set_up
from benchmarks.load_sessions import Tally, choose, opened, press_run
from fanout.providers.script import Fault, Reply, Script
from fanout.providers.scripted_server import ServerHandle, serving
from fanout.store.store import Store
from fanout.types import BranchState, RunStatus
from tests.browser.conftest import ROOT, Server, running_app

ENDS_S = 5.0
RUNS = 20
IN_FLIGHT_S = 30.0
STORY = "Once there was a branch that wrote with care and at length. " * 20
SLOW = Script(otherwise=Reply(text=STORY, tokens_per_s=8), models=("stamping",))
SILENT = Script(otherwise=Reply(fault=Fault.STALL_FIRST), models=("stamping",))
STUCK = Script(
    otherwise=Reply(text=STORY, fault=Fault.STALL_MIDWAY, fault_after=3), models=("stamping",)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """The app in mid-run, with people looking on."""

    app: Server
    home: Path
    run_ids: tuple[str, ...]

    async def told_to_end(self, how: signal.Signals) -> float:
        """Seconds until it was gone."""
        began = monotonic()
        self.app.process.send_signal(how)
        await asyncio.to_thread(self.app.process.wait, 20)
        return monotonic() - began

    def check(self) -> None:
        """Every run is in the record as interrupted, and what its columns held is there."""
        with Store.open(self.home) as store:
            assert store.kept and not store.problems
            for run_id in self.run_ids:
                stored = store.load(run_id)
                assert stored is not None and not stored.problem
                assert stored.snapshot.status is RunStatus.INTERRUPTED, "it was not marked"
                for branch in stored.snapshot.branches:
                    assert branch.state is BranchState.STOPPED
                    assert STORY.startswith(branch.text.rstrip("\n"))


@asynccontextmanager
async def in_mid_run(script: Script, folder: Path, *, runs: int = 1) -> AsyncIterator[Scene]:
    """So many browser sessions have pressed Run, and every call is at the endpoint."""
    home = folder / "home"
    async with AsyncExitStack() as stack:
        endpoint = stack.enter_context(serving(script))
        set_up(home, endpoint.base_url, slots=4 * runs)
        environment = {"OPENAI_BASE_URL": endpoint.base_url, "FANOUT_MODEL": "stamping"}
        app = stack.enter_context(running_app(folder, environment))
        host = app.url.removeprefix("http://")
        run_ids = []
        for number in range(runs):
            page = await stack.enter_async_context(opened(host, Tally()))
            await choose(page, TITLE)
            run_ids.append(await press_run(page, f"rain {number}"))
        await asyncio.to_thread(_all_asked, endpoint, 3 * runs)
        yield Scene(app=app, home=home, run_ids=tuple(run_ids))


def _all_asked(endpoint: ServerHandle, calls: int) -> None:
    """Another process asks, so nobody here can say when."""
    until = monotonic() + IN_FLIGHT_S
    while endpoint.in_flight < calls:
        assert monotonic() < until, "not every call reached the endpoint"
        sleep(0.02)


def branch_texts(home: Path, run_id: str) -> list[str]:
    with Store.open(home) as store:
        stored = store.load(run_id)
        assert stored is not None
        return [branch.text for branch in stored.snapshot.branches]


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGHUP])
async def test_told_to_end_it_ends_within_five_seconds_and_marks_its_runs(
    tmp_path: Path, how: signal.Signals
) -> None:
    """SIGHUP is what a terminal sends that is closed."""
    async with in_mid_run(SLOW, tmp_path, runs=2) as scene:
        await asyncio.sleep(1.0)
        took = await scene.told_to_end(how)
        print(f"{how.name}: gone after {took:.2f} s")
        assert took < ENDS_S
        scene.check()
        assert all(branch_texts(scene.home, scene.run_ids[0])), "a second of text was lost"


async def test_many_runs_in_flight_end_as_soon_and_one_of_them_goes_on_later(
    tmp_path: Path,
) -> None:
    async with in_mid_run(SLOW, tmp_path, runs=RUNS) as scene:
        took = await scene.told_to_end(signal.SIGTERM)
        print(f"{RUNS} runs: gone after {took:.2f} s")
        assert took < ENDS_S
        scene.check()
    quick = Script(otherwise=Reply(text="Done."), models=("stamping",))
    with serving(quick) as endpoint:
        set_up(tmp_path / "later", endpoint.base_url, slots=8)
        (tmp_path / "later" / "endpoints.json").replace(scene.home / "endpoints.json")
        resumed = await asyncio.to_thread(resume, scene.home, scene.run_ids[-1])
    assert resumed["status"] == "succeeded"


async def test_an_endpoint_that_says_nothing_holds_nobody_up(tmp_path: Path) -> None:
    async with in_mid_run(SILENT, tmp_path) as scene:
        took = await scene.told_to_end(signal.SIGTERM)
        print(f"silent endpoint: gone after {took:.2f} s")
        assert took < ENDS_S
        scene.check()


async def test_a_record_that_is_locked_holds_the_end_up_no_longer(tmp_path: Path) -> None:
    """What is not written by then was said before the lock; the next start marks the run."""
    async with in_mid_run(STUCK, tmp_path) as scene:
        await asyncio.sleep(1.5)
        before = branch_texts(scene.home, scene.run_ids[0])
        lock = sqlite3.connect(scene.home / "fanout.db", isolation_level=None)
        lock.execute("BEGIN EXCLUSIVE")
        took = await scene.told_to_end(signal.SIGTERM)
        lock.execute("ROLLBACK")
        lock.close()
        print(f"locked record: gone after {took:.2f} s")
        assert took < ENDS_S
        with Store.open(scene.home) as store:
            store.interrupt()
        scene.check()
        assert branch_texts(scene.home, scene.run_ids[0]) == before
        assert all(before)


@pytest.mark.model
@pytest.mark.skipif(sys.platform != "linux", reason="looks for child processes in /proc")
async def test_the_model_of_this_machine_ends_with_the_app(tmp_path: Path) -> None:
    with running_app(tmp_path, {}) as app:
        async with opened(app.url.removeprefix("http://"), Tally()) as page:
            await choose(page, "Creative trio")
            run_id = await press_run(page, "rain")
            children = await asyncio.to_thread(_children, app.process.pid)
            scene = Scene(app=app, home=tmp_path / "home", run_ids=(run_id,))
            took = await scene.told_to_end(signal.SIGTERM)
            print(f"with a model in mid-run: gone after {took:.2f} s")
            assert took < ENDS_S
            assert not any(map(_alive, children))
            with Store.open(scene.home) as store:
                stored = store.load(run_id)
                assert stored is not None
                assert stored.snapshot.status is RunStatus.INTERRUPTED


def _children(pid: int) -> list[str]:
    """The processes that it has started, once there are any."""
    tasks, until = Path(f"/proc/{pid}/task"), monotonic() + IN_FLIGHT_S
    while not (found := [c for t in tasks.iterdir() for c in (t / "children").read_text().split()]):
        assert monotonic() < until, "it started no process"
        sleep(0.05)
    return found


def _alive(pid: str) -> bool:
    return Path(f"/proc/{pid}").exists()


def resume(home: Path, run_id: str) -> dict[str, object]:
    done = subprocess.run(
        [sys.executable, "-m", "fanout", "resume", run_id, "--json"],
        cwd=ROOT,
        env={"FANOUT_HOME": str(home), "PATH": ""},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    record: dict[str, object] = json.loads(done.stdout)
    return record
