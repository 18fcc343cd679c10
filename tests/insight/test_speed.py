"""Speed: the headline's numbers, by hand."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from fanout.insight.estimate import estimate
from fanout.insight.speed import alone_s, speed, total_cost_usd, writing_rate
from fanout.snapshot import Aggregate, Branch, Phase, Snapshot
from fanout.types import (
    AGGREGATE,
    BranchId,
    BranchPlan,
    BranchState,
    Cost,
    EndpointId,
    Message,
    ModelRef,
    Price,
    RunId,
    RunStatus,
    Usage,
)

MODEL = ModelRef(endpoint=EndpointId("e"), model="m")
PRICE = Price(input=Decimal(1), output=Decimal(4), source="test")


def call(name: str, queued: float, sent: float, first: float, end: float, tokens: int) -> Branch:
    states = (BranchState.QUEUED, BranchState.WAITING, BranchState.WRITING, BranchState.DONE)
    times = (queued, sent, first, end)
    return Branch(
        plan=BranchPlan(
            id=BranchId(name),
            title=name,
            model=MODEL,
            messages=(Message(role="user", content="x" * 400),),
            max_tokens=100,
        ),
        phases=tuple(Phase(state=s, since_s=t) for s, t in zip(states, times, strict=True)),
        pieces=tokens,
        usage=Usage(input=10, output=tokens),
        cost=Cost(usd=Decimal("0.002"), price=PRICE),
    )


def run(*, aggregate: bool = True, combine_input: int = 10) -> Snapshot:
    combine = call(AGGREGATE, 5.0, 5.0, 5.5, 7.5, 40)
    combine = replace(combine, usage=Usage(input=combine_input, output=40))
    combining = Aggregate(kind="synthesis", heading="H", used=(), branch=combine)
    return Snapshot(
        run_id=RunId("r"),
        workflow="w",
        title="W",
        topic="t",
        started_at=0,
        at=7.6,
        status=RunStatus.SUCCEEDED,
        branches=(call("a", 0, 0, 1, 3, 40), call("b", 0, 3, 3.5, 5, 30)),
        aggregates=(combining,) if aggregate else (),
    )


def test_queueing_is_not_the_models_time_but_it_is_part_of_the_longest_branch() -> None:
    measures = speed(run(), 99)
    assert measures.wall_s == pytest.approx(7.6)
    assert measures.sequential_s == pytest.approx(3 + 2 + 2.5)
    assert measures.longest_s == pytest.approx(5)
    assert measures.overhead_s == pytest.approx(7.6 - 5 - 2.5)
    assert measures.ratio == pytest.approx(7.5 / 7.6)


def test_rates_count_writing_time_only() -> None:
    assert writing_rate(run().branches[0]) == pytest.approx(20)


def test_alone_is_estimated_from_the_combining_call() -> None:
    # It read 10 tokens in 0.5 s: too few to tell. With 100 read in 0.5 s, 5 ms each.
    assert alone_s(run()) is None
    measured = run(combine_input=100)
    assert alone_s(measured) == pytest.approx(2.5 + 2 * 10 * 0.005 + (40 + 30) / 20)
    assert alone_s(run(aggregate=False)) is None


def test_one_unknown_cost_makes_the_sum_unknown() -> None:
    from dataclasses import replace

    known = run()
    assert total_cost_usd(known) == Decimal("0.006")
    unknown = replace(known, branches=(replace(known.branches[0], cost=None), known.branches[1]))
    assert total_cost_usd(unknown) is None


def test_an_estimate_spans_short_to_long_answers_and_counts_the_combining_call() -> None:
    plans = [branch.plan for branch in run().branches]
    combine = BranchPlan(id=AGGREGATE, title="c", model=MODEL, messages=(), max_tokens=80)
    figures = estimate(plans, combine, lambda _: PRICE)
    inside, million = 104, Decimal(1_000_000)
    low = (2 * (inside + 25 * 4) + (50 + 20 * 4)) / million
    high = (2 * (inside + 100 * 4) + (200 + 80 * 4)) / million
    assert (figures.low_usd, figures.high_usd) == (low, high)
    assert (figures.branches, figures.combining_calls) == (2, 1)
    assert figures.output_tokens_most == 280


def test_an_unknown_price_makes_an_unknown_estimate() -> None:
    figures = estimate([run().branches[0].plan], None, lambda _: None)
    assert (figures.low_usd, figures.high_usd, figures.free) == (None, None, False)
