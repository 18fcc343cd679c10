"""kill -9 wherever a job can be: nothing is lost, nothing is made or paid for twice."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from time import sleep

import pytest

from fanout.providers.batch_script import JobScript
from fanout.providers.scripted_server import ServerHandle, serving
from fanout.store.provider_jobs import ProviderJobs
from fanout.store.store import Store
from fanout.types import RunStatus
from tests.batch.parked_victim import Nursery, Victim, nursery
from tests.rig import script

POINTS = (
    "before files",
    "after files",
    "before batches",
    "after batches",
    "before poll",
    "after poll",
    "before content",
    "after content",
)
ENDED_S = 60.0


@pytest.fixture
def server() -> Iterator[ServerHandle]:
    with serving(script()) as running:
        yield running


@pytest.fixture(scope="module")
def victims() -> Iterator[Nursery]:
    with nursery() as running:
        yield running


@dataclass(frozen=True)
class Place:
    """Where one test's victims work."""

    victims: Nursery
    server: ServerHandle
    home: Path
    rows: int
    url: str = ""

    def start(self) -> Victim:
        return self.victims.start(self.home, self.server, self.rows, self.url)


def kill_at(point: str, place: Place) -> None:
    """Start a process, and kill it while the server holds a request of it at that point."""
    server = place.server
    before = len(server.batches.held)
    server.batches.hold = point
    victim = place.start()
    try:
        assert server.batches.wait_until_held(before + 1, ENDED_S), f"it never came to {point}"
    finally:
        victim.kill()
        server.batches.hold = ""


def carried_out(place: Place) -> None:
    """Let one go on to the end, and look at what became of everything."""
    server, rows = place.server, place.rows
    victim = place.start()
    try:
        assert victim.ends_well(ENDED_S)
    finally:
        victim.kill()
    assert set(Counter(server.batches.prompts).values()) == {1}, "something was paid for twice"
    assert len(server.batches.prompts) == rows * 4
    with Store.open(place.home, place.url) as store:
        for number in range(1, rows + 1):
            stored = store.load(f"row-{number}")
            assert stored is not None and stored.snapshot.status is RunStatus.SUCCEEDED
            assert all(branch.usage for branch in stored.snapshot.branches)
            goes = stored.snapshot.goes
            assert not any(go.usage is not None and go.usage.estimated for go in goes)
            answered = [go for go in goes if go.usage is not None and go.usage.input]
            assert len(answered) == 4, "every request counts once, however often it was killed"
        assert isinstance(store.provider_jobs, ProviderJobs)
        store.provider_jobs.requests.sweep()
        assert store.provider_jobs.requests.waiting() == ()


@pytest.mark.parametrize("point", ["after files", "after batches", "before content"])
def test_a_process_that_is_killed_there_costs_nothing(
    point: str, tmp_path: Path, server: ServerHandle, victims: Nursery
) -> None:
    place = Place(victims, server, tmp_path, rows=2)
    kill_at(point, place)
    carried_out(place)
    names = list(server.batches.names.values())
    assert (len(names) > len(set(names))) is (point == "after files"), "handed over again"
    left = [name for name in server.batches.files if name in server.batches.names]
    assert len(left) <= 1, "but for the last job's, no prompts stay behind"


def test_one_row_survives_being_killed_at_every_point_in_turn(
    tmp_path: Path, server: ServerHandle, victims: Nursery
) -> None:
    place = Place(victims, server, tmp_path, rows=1)
    for point in POINTS:
        kill_at(point, place)
    carried_out(place)


def test_the_same_holds_on_postgresql(
    tmp_path: Path, server: ServerHandle, victims: Nursery, postgres_url: str
) -> None:
    place = Place(victims, server, tmp_path, rows=2, url=postgres_url)
    for point in ("after files", "after batches", "after poll", "before content"):
        kill_at(point, place)
    carried_out(place)


def test_rows_survive_being_killed_again_and_again_at_any_moment(
    tmp_path: Path, server: ServerHandle, victims: Nursery
) -> None:
    place = Place(victims, server, tmp_path, rows=5)
    server.batches.usual = JobScript(takes_s=0.3, shuffled=True)
    chance = random.Random(6)
    for _ in range(6):
        victim = place.start()
        sleep(chance.uniform(0.2, 1.5))
        victim.kill()
    carried_out(place)
