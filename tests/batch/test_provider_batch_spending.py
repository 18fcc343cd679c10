"""What a row through the provider's batch has used: each request once, however often it stops."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from fanout.engine.handle import RunHandle
from fanout.providers.batch_script import JobScript
from fanout.providers.scripted_server import serving
from fanout.snapshot import Snapshot
from fanout.store.store import Store
from fanout.types import Price, RunStatus, Usage
from fanout.workflows.definition import Workflow
from tests.batch.parked import Parked, comes_true, ended, engine_of
from tests.rig import script, trio

PRICE = Price(input=Decimal(1000), output=Decimal(1000), source="your own price")


def used(snapshot: Snapshot) -> Usage:
    return sum((go.usage for go in snapshot.goes if go.usage is not None), Usage())


def usd(snapshot: Snapshot) -> Decimal:
    return sum((go.cost.usd for go in snapshot.goes if go.cost is not None), Decimal(0))


def undisturbed(tmp_path: Path) -> Snapshot:
    """The same row where nothing comes between."""
    with (
        serving(script()) as server,
        Store.open(tmp_path / "undisturbed") as store,
        engine_of(server, store, price=PRICE) as here,
    ):
        return here.run(trio())


def stopped(here: Parked, handle: RunHandle) -> None:
    handle.stop()
    assert ended(handle).status is RunStatus.STOPPED


@pytest.mark.parametrize("before", ["a job", "its answers"])
def test_a_row_that_is_stopped_and_gone_on_with_counts_every_request_once(
    before: str, tmp_path: Path
) -> None:
    usual = undisturbed(tmp_path)
    with (
        serving(script()) as server,
        Store.open(tmp_path) as store,
        engine_of(server, store, price=PRICE) as here,
    ):
        server.batches.jobs.append(JobScript(takes_s=60.0))
        handle = here.row(trio())
        if before == "a job":
            assert comes_true(lambda: store.provider_jobs.requests.waiting())
            server.batches.jobs.clear()
        else:
            assert comes_true(lambda: server.batches.made)
        stopped(here, handle)
        assert used(handle.snapshot) == Usage() and usd(handle.snapshot) == 0
        again = ended(here.resumed())
    assert again.status is RunStatus.SUCCEEDED
    assert (used(again), usd(again)) == (used(usual), usd(usual))


def capped() -> Workflow:
    """May spend what its three branches take at most, 177 tokens each, and hardly more."""
    return trio(
        policies={"budget": {"tokens": 600}},
        branches=[
            {
                "id": name,
                "title": name,
                "prompt": f"Write a {name} about {{topic}}.",
                "max_tokens": 8,
            }
            for name in ("joke", "story", "poem")
        ],
        aggregate={"prompt": "Combine:\n{results}", "result": "{text}", "max_tokens": 8},
    )


def test_a_cap_of_the_run_is_not_used_up_by_restarts(tmp_path: Path) -> None:
    with serving(script()) as server:
        server.batches.hold = "before poll"
        for number in range(3):
            with Store.open(tmp_path) as store, engine_of(server, store) as here:
                handle = here.resumed() if number else here.row(capped())
                assert comes_true(lambda: server.batches.made)
            assert handle.snapshot.status is RunStatus.INTERRUPTED
        server.batches.hold = ""
        with Store.open(tmp_path) as store, engine_of(server, store) as here:
            assert ended(here.resumed()).status is RunStatus.SUCCEEDED
    assert len(server.batches.made) == 2


def test_a_cap_of_the_run_is_not_used_up_by_stops(tmp_path: Path) -> None:
    with serving(script()) as server, Store.open(tmp_path) as store:
        server.batches.usual = JobScript(takes_s=60.0)
        with engine_of(server, store) as here:
            handle = here.row(capped())
            for number in range(1, 4):
                assert comes_true(lambda least=number: len(server.batches.made) >= least)
                handle.stop()
                assert ended(handle).status is RunStatus.STOPPED
                if number == 3:
                    server.batches.usual = JobScript()
                assert comes_true(lambda: set(server.batches.cancelled) == set(server.batches.made))
                handle = here.resumed()
            assert ended(handle).status is RunStatus.SUCCEEDED
