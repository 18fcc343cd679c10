"""What a common beginning saved is what the endpoint reported, at the price that was paid."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from fanout.events import PrefixOpened
from fanout.insight.prefix import saved
from fanout.render.prefix_words import saving_text
from fanout.snapshot import Branch, Phase, Snapshot
from fanout.types import (
    BranchId,
    BranchPlan,
    BranchState,
    Cost,
    EndpointId,
    Message,
    ModelRef,
    Price,
    RunId,
    Usage,
)

PRICE = Price(input=Decimal(2), output=Decimal(8), cached=Decimal("0.5"), source="test")
NAMES = ("joke", "story", "poem")


def call(name: str, *, cached: int, end: float = 5.0, price: Price | None = PRICE) -> Branch:
    times = {BranchState.QUEUED: 0.0, BranchState.WAITING: 1.0, BranchState.DONE: end}
    return Branch(
        plan=BranchPlan(
            id=BranchId(name),
            title=name.title(),
            model=ModelRef(endpoint=EndpointId("e"), model="m"),
            messages=(Message(role="user", content="x"),),
        ),
        phases=tuple(Phase(state=state, since_s=at) for state, at in times.items()),
        usage=Usage(input=1500, output=50, cached=cached),
        cost=None if price is None else Cost(usd=Decimal(1), price=price),
    )


def opening(by: str | None = "joke", at: float = 1.8) -> PrefixOpened:
    return PrefixOpened(
        at=at,
        branches=tuple(BranchId(name) for name in NAMES),
        tokens=1400,
        took_s=0.8,
        by=None if by is None else BranchId(by),
    )


def run(*branches: Branch, prefixes: tuple[PrefixOpened, ...]) -> Snapshot:
    return Snapshot(
        run_id=RunId("r"),
        workflow="w",
        title="W",
        topic="t",
        started_at=0,
        at=6.0,
        branches=branches,
        prefixes=prefixes,
        _index={branch.id: number for number, branch in enumerate(branches)},
    )


def test_a_run_that_opened_nothing_saved_nothing() -> None:
    assert saved(run(*(call(name, cached=9) for name in NAMES), prefixes=())) is None


def test_the_saving_is_what_those_who_waited_read_from_the_cache() -> None:
    branches = [call("joke", cached=700), call("story", cached=1408), call("poem", cached=1280)]
    snapshot = run(*branches, prefixes=(opening(),))
    saving = saved(snapshot)
    assert saving is not None
    assert (saving.cached, saving.input, saving.answered) == (2688, 3000, 2)
    assert saving.usd == Decimal("0.004032")
    assert saving_text(saving, snapshot) == (
        "3 branches begin alike (about 1,400 tokens): Joke went ahead, and the others started "
        "0.8 s later. 2,688 of 3,000 input tokens of 2 branches came from the cache, which saved "
        "$0.0040."
    )


def test_a_price_without_a_rate_for_cached_tokens_saves_no_money() -> None:
    flat = replace(PRICE, cached=None)
    branches = [call(name, cached=1408, price=flat) for name in NAMES]
    saving = saved(run(*branches, prefixes=(opening(),)))
    assert saving is not None
    assert saving.usd == 0


def test_an_unknown_price_leaves_the_money_unknown() -> None:
    branches = [call("joke", cached=0), call("story", cached=9), call("poem", cached=9, price=None)]
    snapshot = run(*branches, prefixes=(opening(),))
    saving = saved(snapshot)
    assert saving is not None
    assert saving.usd is None
    assert saving_text(saving, snapshot).endswith("what that saved in money is unknown.")


def test_where_nothing_came_from_the_cache_that_is_said() -> None:
    snapshot = run(*(call(name, cached=0) for name in NAMES), prefixes=(opening(),))
    saving = saved(snapshot)
    assert saving is not None
    assert saving.usd == 0
    assert "reports no cached tokens for 2 branches" in saving_text(saving, snapshot)


def test_a_beginning_that_the_server_copied_serves_every_branch() -> None:
    free = Price(input=Decimal(0), output=Decimal(0), source="this machine")
    branches = [call(name, cached=1327, price=free) for name in NAMES]
    snapshot = run(*branches, prefixes=(opening(by=None),))
    saving = saved(snapshot)
    assert saving is not None
    assert (saving.answered, saving.cached) == (3, 3981)
    assert saving_text(saving, snapshot) == (
        "3 branches begin alike (about 1,400 tokens): that was computed once in 0.8 s, then "
        "copied. 3,981 of 4,500 input tokens of 3 branches came from the cache."
    )


def test_a_branch_that_is_asked_again_counts_once_and_what_ended_before_does_not_count() -> None:
    before = call("story", cached=111, end=1.5)
    used = call("story", cached=1408, end=4.0)
    again = replace(call("story", cached=1472, end=9.0), earlier=(before, used))
    snapshot = run(call("joke", cached=0), again, call("poem", cached=0), prefixes=(opening(),))
    saving = saved(snapshot)
    assert saving is not None
    assert saving.cached == 1408


def test_while_nobody_has_ended_the_saving_is_not_guessed() -> None:
    branches = [replace(call(name, cached=0), usage=None, cost=None) for name in NAMES]
    snapshot = run(*branches, prefixes=(opening(),))
    saving = saved(snapshot)
    assert saving is not None
    assert saving.answered == 0
    assert saving_text(saving, snapshot).endswith("What that saves is known when they have ended.")
