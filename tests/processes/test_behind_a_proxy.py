"""Three apps behind the shipped nginx on one PostgreSQL, under load, and one of them is killed.

The sessions are real ones without a browser (see benchmarks/load_sessions.py); every word of the
endpoint is the time at which it was written, so that a word has an age wherever it arrives.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.typing import Origin

from benchmarks.board import process
from benchmarks.load_sessions import Page, Tally, choose, opened, press_run, stamps, watch
from fanout.store.store import Store
from fanout.types import BranchId, BranchState, RunStatus
from tests.processes.deployment import AppProcess, Deployment, configuration, deployed, nginx
from tests.rig import free_port

TOKENS_PER_S = 25
ENDS_S = 60.0
SESSIONS = 4
LOAD_WORDS = 2 * 30 + 20
LOAD = """
title = "Load"
[defaults]
max_tokens = 30
[[branches]]
id = "one"
title = "Branch one"
prompt = "One {topic}."
[[branches]]
id = "two"
title = "Branch two"
prompt = "Two {topic}."
[aggregate]
max_tokens = 20
prompt = "Combine: {results}"
"""
LONG = """
title = "Long"
[[branches]]
id = "short"
title = "Branch short"
prompt = "Short {topic}."
max_tokens = 10
[[branches]]
id = "one"
title = "Branch one"
prompt = "One {topic}."
max_tokens = 150
[[branches]]
id = "two"
title = "Branch two"
prompt = "Two {topic}."
max_tokens = 150
[aggregate]
max_tokens = 20
prompt = "Combine: {results}"
"""


@pytest.fixture(scope="module")
def database(postgres_address: str) -> Iterator[str]:
    from tests.store import postgres

    with postgres.database(postgres_address) as url:
        yield url


@pytest.fixture(scope="module")
def deployment(tmp_path_factory: pytest.TempPathFactory, database: str) -> Iterator[Deployment]:
    nginx()
    port = free_port()
    base_url = f"http://127.0.0.1:{port}/v1"
    endpoint = ("benchmarks/stamping_endpoint.py", str(port), str(TOKENS_PER_S))
    environment = {
        "OPENAI_BASE_URL": base_url,
        "FANOUT_MODEL": "stamping",
        "FANOUT_DATABASE_URL": database,
    }
    folder = tmp_path_factory.mktemp("deployment")
    with (
        process(*endpoint, health=f"{base_url}/models"),
        deployed(folder, 3, environment, {"load": LOAD, "long": LONG}) as deployment,
    ):
        yield deployment


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory, database: str) -> Iterator[Store]:
    with Store.open(tmp_path_factory.mktemp("looking"), database) as store:
        yield store


@dataclass(slots=True)
class Board:
    """What one open board was sent."""

    socket: ClientConnection
    words: dict[str, list[int]] = field(default_factory=dict)
    """Of each call, in order: when the endpoint wrote them, in ms."""
    ages: list[int] = field(default_factory=list)
    statuses: list[str] = field(default_factory=list)
    states: dict[str, str] = field(default_factory=dict)

    async def read(self, status: str) -> None:
        """Until the run has that status."""
        async with asyncio.timeout(ENDS_S):
            while status not in self.statuses[-1:]:
                await self.frame()

    async def frame(self) -> None:
        frame = json.loads(await self.socket.recv())
        now = round(time.time() * 1000)
        for name, column in frame["cols"].items():
            have = self.words.setdefault(name, [])
            for stamp in stamps(column):
                if not have or stamp > have[-1]:
                    have.append(stamp)
                    self.ages.append(now - stamp)
            if face := column.get("face"):
                self.states[name] = str(face["state"])
        if (run := frame.get("run")) is not None:
            self.statuses.append(str(run["status"]))

    async def ask(self, **what: object) -> None:
        await self.socket.send(json.dumps(what))


@asynccontextmanager
async def board(host: str, run_id: str) -> AsyncIterator[Board]:
    where = f"ws://{host}/api/runs/{run_id}/ws"
    async with connect(where, origin=Origin(f"http://{host}"), max_size=None) as socket:
        await socket.send(json.dumps({"have": None}))
        yield Board(socket)


@asynccontextmanager
async def long_run(app: AppProcess) -> AsyncIterator[str]:
    """A run begun on the page of that very process; its id."""
    tally = Tally()
    async with opened(app.host, tally) as page:
        await choose(page, "Long")
        yield await press_run(page, "rain")
    assert not tally.errors


def owner_pid(record: Store, run_id: str) -> int:
    from sqlalchemy import select

    from fanout.store.database import reading
    from fanout.store.schema import processes, runs

    asked = select(processes.c.pid).join(runs, runs.c.owner == processes.c.id)
    with reading(record._engine) as connection:
        return int(connection.execute(asked.where(runs.c.id == run_id)).scalar_one())


def test_nginx_takes_the_shipped_configuration(tmp_path: Path) -> None:
    file = configuration(tmp_path, free_port(), ["127.0.0.1:1", "127.0.0.1:2"])
    command = [nginx(), "-t", "-p", str(tmp_path), "-c", str(file)]
    told = subprocess.run(command, capture_output=True, text=True)
    assert told.returncode == 0, told.stderr
    assert "warn" not in told.stderr, told.stderr


def test_whoever_comes_gets_a_number_that_leads_to_one_process(deployment: Deployment) -> None:
    import urllib.request

    with urllib.request.urlopen(f"http://{deployment.host}/", timeout=20) as answer:
        cookie = answer.headers["Set-Cookie"]
        assert b"Streamlit" in answer.read() or answer.status == 200
    assert cookie.startswith("fanout_app=") and "HttpOnly" in cookie
    again = urllib.request.Request(f"http://{deployment.host}/")
    again.add_header("Cookie", cookie.partition(";")[0])
    with urllib.request.urlopen(again, timeout=20) as answer:
        assert answer.headers["Set-Cookie"] is None


def test_a_run_of_one_process_is_watched_and_stopped_through_another(
    deployment: Deployment, record: Store
) -> None:
    async def watched() -> tuple[Board, Board]:
        first, second, _ = deployment.apps
        async with (
            long_run(first) as run_id,
            board(first.host, run_id) as there,
            board(second.host, run_id) as here,
        ):
            async with asyncio.TaskGroup() as group:
                for one in (there, here):
                    group.create_task(words(one, "one", 25))
            await here.ask(stop="two")
            await state_of(here, "two", "stopped")
            await here.ask(stop="*")
            async with asyncio.TaskGroup() as group:
                for one in (there, here):
                    group.create_task(one.read("stopped"))
            stored = record.load(run_id)
            assert stored is not None and stored.snapshot.status is RunStatus.STOPPED
            return there, here

    there, here = asyncio.run(watched())
    assert {name: len(w) for name, w in here.words.items()} == {
        name: len(w) for name, w in there.words.items()
    }
    assert here.words == there.words, "every word, on both sides"
    middle = [sorted(one.ages)[len(one.ages) // 2] for one in (there, here)]
    print(f"age of a word: {middle[0]} ms there, {middle[1]} ms here")


async def words(one: Board, name: str, count: int) -> None:
    async with asyncio.timeout(ENDS_S):
        while len(one.words.get(name, ())) < count:
            await one.frame()


async def state_of(one: Board, name: str, state: str) -> None:
    async with asyncio.timeout(ENDS_S):
        while one.states.get(name) != state:
            await one.frame()


@dataclass(slots=True)
class Visit:
    """One person's session, from coming in until the load ends."""

    tally: Tally = field(default_factory=Tally)
    first_run: str = ""
    came: asyncio.Event = field(default_factory=asyncio.Event)
    runs: int = 0
    broke: str = ""


async def visit(host: str, number: int, one: Visit, enough: asyncio.Event) -> None:
    try:
        async with opened(host, one.tally) as page:
            await choose(page, "Load")
            while not enough.is_set():
                await one_run(host, page, one, number)
    except Exception as error:
        # Expected of those whose process was killed.
        one.broke = repr(error)


async def one_run(host: str, page: Page, one: Visit, number: int) -> None:
    run_id = await press_run(page, f"rain {number}-{one.runs}")
    one.first_run = one.first_run or run_id
    one.came.set()
    end = "closed"
    while end == "closed":
        # As the board does: it opens its socket again, whatever process that leads to.
        with suppress(ConnectionClosed, InvalidStatus):
            end = await watch(host, run_id, LOAD_WORDS, one.tally)
    one.tally.ends[end] += 1
    one.runs += 1
    await page.draw()


def test_a_killed_process_leaves_its_run_to_another_and_nobody_else_notices(
    deployment: Deployment, record: Store
) -> None:
    doomed, other = deployment.apps[2], deployment.apps[0]

    async def story() -> tuple[list[Visit], str, float]:
        visits = [Visit() for _ in range(SESSIONS)]
        enough = asyncio.Event()
        async with asyncio.TaskGroup() as load:
            for number, one in enumerate(visits):
                load.create_task(visit(deployment.host, number, one, enough))
            async with asyncio.timeout(ENDS_S):
                for one in visits:
                    await one.came.wait()
            async with long_run(doomed) as run_id, board(other.host, run_id) as here:
                await state_of(here, "short", "done")
                await words(here, "one", 15)
                owners = {one.first_run: owner_pid(record, one.first_run) for one in visits}
                killed = time.monotonic()
                doomed.kill()
                await here.read("interrupted")
                took = time.monotonic() - killed
                before = list(here.words["short"])
                await here.ask(retry="*")
                await here.read("running")
                await here.read("succeeded")
                assert here.words["short"] == before, "what was finished was not asked again"
                enough.set()
        elsewhere = [one for one in visits if owners[one.first_run] != doomed.process.pid]
        return elsewhere, run_id, took

    elsewhere, run_id, took = asyncio.run(story())
    stored = record.load(run_id)
    assert stored is not None and stored.snapshot.status is RunStatus.SUCCEEDED
    short = stored.snapshot.branch(BranchId("short"))
    assert short.state is BranchState.DONE and not short.earlier
    assert stored.snapshot.branch(BranchId("one")).earlier[0].state is BranchState.STOPPED
    print(f"interrupted {took:.1f} s after the kill; {len(elsewhere)} sessions elsewhere")
    assert elsewhere, "all the load was on the process that was killed"
    for one in elsewhere:
        assert not one.broke and not one.tally.errors and not one.tally.short
        assert set(one.tally.ends) == {"succeeded"}
