"""What a batch will take before it starts: calls, tokens, money and time, each with its basis."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from fanout import pricing
from fanout.batch.timing import ENOUGH, Pace, TimeSpan, time_span, walls
from fanout.batches import Row, RowRecord
from fanout.endpoint import Endpoint
from fanout.engine.endpoints import EndpointBook
from fanout.errors import FanoutError, InputError
from fanout.insight.estimate import Estimate, LengthsOf, estimate
from fanout.store.store import Store
from fanout.types import ModelRef, Price, Via
from fanout.workflows.definition import Workflow
from fanout.workflows.prompting import Resolve
from fanout.workflows.run import combining_call, combining_calls, plan

SAMPLE = 100
"""Rows whose prompts are really made; the others are taken to be like them."""
ROOM = Decimal("1.25")
"""How much more than any row of a trial the others may take."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchEstimate:
    """Money in US dollars, None where a price is unknown."""

    rows: int
    calls: int
    input_tokens: int
    """At most."""
    output_tokens_least: int
    output_tokens_most: int
    low_usd: Decimal | None
    high_usd: Decimal | None
    basis: str
    time: TimeSpan
    pace: Pace
    endpoint: Endpoint | None

    @property
    def free(self) -> bool:
        return self.high_usd == 0

    def record(self) -> Mapping[str, object]:
        """As `NewBatch.estimate` keeps it; plain JSON."""
        return {
            "rows": self.rows,
            "calls": self.calls,
            "input_tokens": self.input_tokens,
            "output_tokens_least": self.output_tokens_least,
            "output_tokens_most": self.output_tokens_most,
            "low_usd": None if self.low_usd is None else str(self.low_usd),
            "high_usd": None if self.high_usd is None else str(self.high_usd),
            "basis": self.basis,
            "low_s": self.time.low_s,
            "high_s": self.time.high_s,
            "time_basis": self.time.basis,
            "branches": self.pace.branches,
            "tokens_least": self.pace.tokens,
        }


def estimate_batch(
    rows: Sequence[Row],
    workflow: Workflow,
    model: ModelRef,
    book: EndpointBook,
    store: Store | None,
    *,
    concurrency: int,
    rows_per_minute: int | None = None,
    via: Via = Via.CALLS,
) -> BatchEstimate:
    """Of the rows that are not left out. InputError if none of them can be run.

    `store` knows how long earlier answers and runs of this workflow were; None: nothing is known.
    """
    wanted = [row for row in rows if not row.skipped]
    lengths_of = None if store is None else store.estimates.lengths_of(workflow.name)

    def resolve(name: str) -> ModelRef:
        return book.resolve(name, model)

    singles = _singles(wanted, workflow, resolve, _price_of(book, via), lengths_of)
    count, share = len(wanted), Decimal(len(wanted)) / len(singles)
    whole = sum(one.low_usd is not None for one in singles) == len(singles)
    endpoint = book.known(model.endpoint)
    least = round(share * sum(one.forecast.output_tokens_least for one in singles))
    shown = min(one.input_tokens for one in singles) * count
    pace = Pace(
        rows=count,
        concurrency=concurrency,
        branches=singles[0].branches,
        calls=count * (singles[0].branches + singles[0].combining_calls),
        tokens=shown + least,
        rows_per_minute=rows_per_minute,
        via=via,
    )
    known = () if store is None else walls(store.history, workflow.name, model.model)
    source = "the last {n} runs of this workflow with this model"
    return BatchEstimate(
        rows=count,
        calls=pace.calls,
        input_tokens=round(share * sum(one.input_tokens for one in singles)),
        output_tokens_least=least,
        output_tokens_most=round(share * sum(one.output_tokens_most for one in singles)),
        low_usd=share * sum((one.low_usd or Decimal(0)) for one in singles) if whole else None,
        high_usd=share * sum((one.high_usd or Decimal(0)) for one in singles) if whole else None,
        basis=_basis(singles, count),
        time=time_span(pace, endpoint, known, source),
        pace=pace,
        endpoint=endpoint,
    )


def after_trial(before: BatchEstimate, records: Sequence[RowRecord]) -> BatchEstimate:
    """The estimate made anew from rows that have really been carried out.

    It is of as many rows as `before`, those of the trial among them. What they don't tell, such as
    an unknown cost, stays as it was.
    """
    results = [one.result for one in records if one.result is not None and one.result.wall_s > 0]
    if not results:
        return before
    count = before.rows
    costs = [one.cost.usd for one in results if one.cost is not None]
    outputs = [one.output_tokens for one in results]
    said = "row" if len(results) == 1 else "rows"
    source = f"the {len(results)} {said} of the trial"
    # A trial's rows are few, and yet they are this very batch's.
    times = [one.wall_s for one in results] * (1 if len(results) >= ENOUGH else ENOUGH)
    priced = len(costs) == len(results)
    return replace(
        before,
        input_tokens=round(max(one.input_tokens for one in results) * count),
        output_tokens_least=min(outputs) * count,
        output_tokens_most=round(max(outputs) * count * ROOM),
        low_usd=min(costs) * count if priced else before.low_usd,
        high_usd=max(costs) * count * ROOM if priced else before.high_usd,
        basis=f"from {source}" if priced else f"tokens from {source}; money: {before.basis}",
        time=time_span(before.pace, before.endpoint, times, source),
    )


def _singles(
    wanted: Sequence[Row],
    workflow: Workflow,
    resolve: Resolve,
    price_of: Callable[[ModelRef], Price | None],
    lengths_of: LengthsOf | None,
) -> list[Estimate]:
    """The estimates of some rows, taken from all over the batch; at least one."""
    step = max(1, len(wanted) / SAMPLE)
    sample = [wanted[int(place * step)] for place in range(min(SAMPLE, len(wanted)))]
    found: list[Estimate] = []
    problem: FanoutError | None = None
    for row in sample:
        filled = workflow.with_variables(row.values)
        try:
            plans = plan(filled, row.topic, resolve)
            combine = combining_call(filled, row.topic, resolve)
        except FanoutError as error:
            # A row that can't be run fails by itself; the others tell what the batch takes.
            problem = error
            continue
        calls = combining_calls(filled)
        found.append(
            estimate(plans, combine, price_of, combining_calls=calls, lengths_of=lengths_of)
        )
    if not found:
        raise problem or InputError("There is no row to be carried out.")
    return found


def _price_of(book: EndpointBook, via: Via) -> Callable[[ModelRef], Price | None]:
    def price_of(model: ModelRef) -> Price | None:
        endpoint = book.known(model.endpoint)
        return None if endpoint is None else pricing.price(endpoint, model.model, via)

    return price_of


def _basis(singles: Sequence[Estimate], count: int) -> str:
    if len(singles) >= count:
        return singles[0].basis
    return f"{singles[0].basis}; prompts of {len(singles):,} of the {count:,} rows"
