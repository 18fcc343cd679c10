"""Figures over a batch, by hand: what is unknown stays out of every sum."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from fanout.batch.results import figures, point_of
from fanout.batch.spreads import MOST_STRETCHES, histogram, over_time, percentile, spread
from fanout.batches import NewBatch, Row, RowRecord, RowResult, RowState
from fanout.store.batch_points import RowPoint
from fanout.store.store import Store
from fanout.types import Cost, EndpointId, FailureKind, ModelRef, Price, RunId

PRICE = Price(input=Decimal(1), output=Decimal(4), source="test")


def point(number: int, state: RowState = RowState.SUCCEEDED) -> RowPoint:
    return RowPoint(
        number=number,
        state=state,
        cost_nano=1_000_000,
        tokens=30,
        input_tokens=10,
        wall_s=2.0,
        sequential_s=6.0,
        started_at=100.0 + number,
        finished_at=102.0 + number,
        tries=1,
    )


def test_rows_are_counted_by_state_and_only_those_that_ended_have_figures() -> None:
    waiting = RowPoint(number=3, state=RowState.WAITING)
    skipped = RowPoint(number=4, state=RowState.SKIPPED)
    found = figures([point(1), point(2, RowState.PARTIAL), waiting, skipped])
    assert found.states == {
        RowState.SUCCEEDED: 1,
        RowState.PARTIAL: 1,
        RowState.WAITING: 1,
        RowState.SKIPPED: 1,
    }
    assert (found.total, found.ended, found.answered) == (4, 2, 2)
    assert (found.input_tokens, found.output_tokens) == (20, 40)
    assert found.money.unknown == 0


def test_unknown_free_and_paid_rows_are_told_apart() -> None:
    free, unknown = replace(point(2), cost_nano=0), replace(point(3), cost_nano=None)
    failed = replace(free, number=5, state=RowState.FAILED)
    money = figures([point(1), free, unknown, point(4), failed]).money
    assert (money.paid, money.free, money.unknown) == (2, 1, 1)
    assert money.usd == Decimal("0.002")
    assert money.spread is not None
    assert money.spread.p50 == pytest.approx(0.001)


def test_a_failed_row_costs_money_but_has_no_say_in_how_long_answers_take() -> None:
    failed = replace(point(2, RowState.FAILED), wall_s=500.0, cause=FailureKind.SERVER)
    found = figures([point(1), failed])
    assert found.money.paid == 2
    assert found.wall is not None
    assert (found.wall.n, found.wall.most) == (1, 2.0)


def test_failures_are_grouped_by_cause_with_the_newest_words() -> None:
    def failed(number: int, cause: FailureKind, message: str) -> RowPoint:
        return replace(point(number, RowState.FAILED), cause=cause, message=message)

    rows = [failed(n, FailureKind.SERVER, f"No {n}") for n in (7, 2, 9, 4, 5, 6, 1)]
    groups = figures([*rows, failed(3, FailureKind.AUTH, "Key")]).failures
    assert [(g.cause, g.count) for g in groups] == [
        (FailureKind.SERVER, 7),
        (FailureKind.AUTH, 1),
    ]
    assert groups[0].message == "No 9"
    assert groups[0].rows == (7, 2, 9, 4, 5)


def test_verdicts_have_their_share_of_the_rows_that_were_voted_on() -> None:
    voted = [
        replace(point(n), verdict=verdict, agreement=agreement)
        for n, verdict, agreement in ((1, "allow", 1.0), (2, "allow", 0.6), (3, None, 0.5))
    ]
    found = figures([*voted, point(4)])
    assert found.voted == 3
    assert [(one.verdict, one.count) for one in found.verdicts] == [("allow", 2), (None, 1)]
    assert found.verdicts[0].share == pytest.approx(2 / 3)
    assert [(one.low, one.count) for one in found.agreement_bins if one.count] == [
        (0.5, 1),
        (0.6, 1),
        (0.9, 1),
    ]


def test_verdicts_that_are_rare_are_counted_together() -> None:
    rows = [replace(point(n), verdict=f"label {n % 40}") for n in range(1_000)]
    found = figures(rows)
    assert len(found.verdicts) == 12
    assert found.other_verdicts == 1_000 - sum(one.count for one in found.verdicts)


def test_speed_is_told_for_branches_and_for_rows_side_by_side() -> None:
    found = figures([point(1), point(2), point(3)])
    assert found.speed_up == pytest.approx(3)
    assert found.elapsed_s == pytest.approx(4)
    assert found.batch_speed_up == pytest.approx(18 / 4)


def test_percentiles_lie_between_the_rows_beside_them() -> None:
    assert percentile([1.0], 0.99) == 1.0
    assert percentile([0.0, 10.0], 0.5) == 5.0
    found = spread([float(n) for n in range(101)])
    assert found is not None
    assert (found.p50, found.p90, found.p99, found.most) == (50.0, 90.0, 99.0, 100.0)
    assert spread([]) is None


def test_an_outlier_leaves_the_other_rows_their_bins() -> None:
    found = histogram([1.0 + n / 100 for n in range(100)] + [5_000.0])
    assert sum(one.count for one in found) == 101
    assert found[-1].high == 5_000.0
    assert found[0].high < 1
    assert histogram([0.0, 0.0])[0].count == 2


def test_time_is_cut_into_few_stretches_whether_seconds_or_months() -> None:
    for whole in (0.5, 100.0, 90_000.0, 4e8):
        ends = [whole * n / 200 for n in range(201)]
        found = over_time(0.0, ends, ends[:3])
        assert 1 <= len(found) <= MOST_STRETCHES + 1
        assert sum(one.ended for one in found) == 201
        assert sum(one.failed for one in found) == 3


def test_a_batch_without_rows_has_no_figures() -> None:
    found = figures([])
    assert (found.total, found.wall, found.speed_up, found.over_time) == (0, None, None, ())


def test_the_database_gives_the_same_figures_as_the_rows_themselves(fanout_home: Path) -> None:
    with Store.open(fanout_home) as store:
        model = ModelRef(endpoint=EndpointId("e"), model="m")
        new = NewBatch(title="B", workflow="w", definition={}, model=model)
        topics = (Row(number=n, topic=f"t{n}") for n in range(1, 8))
        made = store.batches.create(new, topics)
        store.batches.resume(made)
        for record in store.batches.take(made, 6):
            number = record.row.number
            store.batches.begin(made, number, record.go, RunId(f"r{number}"), "w")
            state = RowState.FAILED if number == 3 else RowState.SUCCEEDED
            cost = Cost(usd=Decimal(number - 1) / 1000, price=PRICE) if number != 2 else None
            result = RowResult(
                state=state,
                run_id=RunId(f"r{number}"),
                cause=FailureKind.SERVER if number == 3 else None,
                message="It broke." if number == 3 else "",
                verdict="allow",
                agreement=number / 10,
                cost=cost,
                input_tokens=10,
                output_tokens=number,
                wall_s=number,
                sequential_s=2 * number,
            )
            store.batches.end(made, number, record.go, result)
        counted = figures(store.batches.points(made))
        assert counted == figures(map(point_of, store.batches.each(made)))
        assert counted.money.unknown == 1
        assert counted.failures[0].message == "It broke."
        assert counted.states[RowState.WAITING] == 1


def test_many_rows_take_little_memory() -> None:
    def rows() -> Iterator[RowPoint]:
        for number in range(30_000):
            yield point(number)

    tracemalloc.start()
    found = figures(rows())
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found.answered == 30_000
    assert peak < 10_000_000
    records = (RowRecord(row=Row(number=1, topic="t"), state=RowState.RUNNING) for _ in range(3))
    assert figures(map(point_of, records)).states == {RowState.RUNNING: 3}
