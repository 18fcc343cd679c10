"""What failed in a batch is grouped, what it spent is summed, and forgotten with it."""

from __future__ import annotations

import time
from dataclasses import replace
from decimal import Decimal

from fanout.batches import BatchState, RowState
from fanout.budget.amount import Amount
from fanout.budget.ledger import Booking, Claim, utc_day
from fanout.policies import Budget
from fanout.store.batch_values import SUMMED
from fanout.store.store import Store
from fanout.types import Cost, FailureKind
from tests.store.test_batches import DONE, FAILED, end_next, started


def test_a_row_that_lacks_a_branch_is_among_the_failures(store: Store) -> None:
    batch = started(store, 2)
    end_next(store, batch, replace(FAILED, state=RowState.PARTIAL, message="No poem."))
    end_next(store, batch)
    (group,) = store.batches.progress(batch).failures
    assert (group.message, group.count, group.rows) == ("No poem.", 1, (1,))


def test_a_deleted_batch_leaves_nothing_of_what_it_spent(store: Store) -> None:
    batch, other = started(store, 1), started(store, 1)
    store.batches.pause(batch)
    amount, day = Amount(usd=Decimal("0.01"), tokens=7), utc_day(time.time())
    for made in (batch, other):
        claim = Claim(id=f"claim-{made}", day=day, person="", batch=made)
        store.spend.reserve(claim, lambda _: amount)
        booked = Claim(id=f"booked-{made}", day=day, person="", batch=made)
        store.spend.reserve(booked, lambda _: amount)
        store.spend.book([Booking(claim=booked, amount=amount)])
    store.batches.delete(batch)
    assert store.spend.taken(day, "", batch).batch.all == Amount()
    assert store.spend.taken(day, "", other).batch.all.tokens == 14
    assert store.spend.taken(day, "").everyone.all.tokens == 28


def test_a_cost_from_an_estimated_usage_keeps_its_sign(store: Store) -> None:
    batch = started(store, 3)
    guessed = Cost(usd=Decimal("0.5"), price=SUMMED, estimated=True)
    end_next(store, batch)
    end_next(store, batch, replace(DONE, cost=guessed))
    ended = [r.result.cost for r in store.batches.rows(batch) if r.result and r.result.cost]
    assert sorted(cost.estimated for cost in ended) == [False, True]
    assert store.batches.progress(batch).estimated_costs == 1
    assert sum(point.estimated for point in store.batches.points(batch)) == 1


def test_only_failed_rows_are_tried_again_and_what_they_cost_stays_counted(store: Store) -> None:
    batch = started(store, 3)
    end_next(store, batch)
    end_next(store, batch, replace(FAILED, cost=Cost(usd=Decimal("0.5"), price=SUMMED)))
    end_next(store, batch)
    assert store.batches.retry(batch, [RowState.FAILED]) == 1
    assert store.batches.states([batch]) == {batch: BatchState.RUNNING}
    shown = store.batches.progress(batch)
    assert shown.cost_nano == 504_000_000
    assert shown.failures == ()
    (again,) = store.batches.take(batch, 9)
    assert (again.row.number, again.go, again.run_id, again.result) == (2, 2, "run-2", None)


def test_progress_counts_states_costs_and_causes(store: Store) -> None:
    batch = started(store, 5)
    end_next(store, batch)
    end_next(store, batch)
    end_next(store, batch, FAILED)
    end_next(store, batch, replace(FAILED, message="Far too many."))
    shown = store.batches.progress(batch)
    assert shown.counts == {RowState.SUCCEEDED: 2, RowState.FAILED: 2, RowState.WAITING: 1}
    assert (shown.total, shown.ended, shown.left) == (5, 4, 1)
    assert (shown.cost_nano, shown.unknown_costs, shown.tokens) == (4_000_000, 2, 60)
    (group,) = shown.failures
    assert (group.cause, group.count, group.rows) == (FailureKind.RATE_LIMIT, 2, (3, 4))
    assert group.message == "Far too many."
    assert shown.rows_per_minute is not None
    assert shown.remaining_s is not None


def test_what_counts_against_the_budget_has_calls_of_rows_that_were_put_back(store: Store) -> None:
    batch = started(store, 3)
    assert store.batches.progress(batch).booked_nano is None
    end_next(store, batch)
    day = utc_day(time.time())
    for number, usd in enumerate(("0.002", "0.5")):
        claim = Claim(id=f"claim-{number}", day=day, person="", batch=batch)
        store.spend.reserve(claim, lambda _: Amount(usd=Decimal(1), tokens=99))
        store.spend.book([Booking(claim=claim, amount=Amount(usd=Decimal(usd), tokens=30))])
    under_way = Claim(id="under-way", day=day, person="", batch=batch)
    store.spend.reserve(under_way, lambda _: Amount(usd=Decimal(9), tokens=9))
    shown, budget = store.batches.progress(batch), Budget(usd=Decimal("1.25"), tokens=900)
    assert (shown.cost_nano, shown.tokens) == (2_000_000, 30)
    assert (shown.cost_under(budget), shown.tokens_under(budget)) == (502_000_000, 60)
    assert shown.cost_under(Budget()) == 2_000_000
