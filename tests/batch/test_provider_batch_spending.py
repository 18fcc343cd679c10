"""What a row through the provider's batch has used: each request once, however often it stops."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from fanout.engine.handle import RunHandle
from fanout.providers.batch_script import JobScript
from fanout.providers.script import Reply, Script
from fanout.providers.scripted_server import serving
from fanout.snapshot import Snapshot
from fanout.store.store import Store
from fanout.types import Price, RunStatus, Usage
from fanout.workflows.definition import Workflow
from fanout.workflows.library import shipped
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


def test_an_answer_that_is_told_again_when_a_row_goes_on_counts_once(tmp_path: Path) -> None:
    formless = Script(otherwise=Reply(text="Nothing of the kind."))
    moderation = shipped().get("moderation")
    with (
        serving(formless) as server,
        Store.open(tmp_path / "undisturbed") as store,
        engine_of(server, store) as here,
    ):
        usual = here.run(moderation, "A text.")
        assert len(server.batches.made) > 1, "asked once more, in a plainer form"
    with serving(formless) as server:
        server.batches.jobs.extend([JobScript(), JobScript(takes_s=60.0)])
        with Store.open(tmp_path) as store, engine_of(server, store) as here:
            handle = here.row(moderation, "A text.")
            assert comes_true(lambda: len(server.batches.made) == 2)
            stopped(here, handle)
            assert comes_true(lambda: server.batches.cancelled)
        with Store.open(tmp_path) as store, engine_of(server, store) as here:
            again = ended(here.resumed())
    assert used(again) == used(usual) != Usage()


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
