"""What failed in a batch is grouped, and what it spent is forgotten with it."""

from __future__ import annotations

import time
from dataclasses import replace
from decimal import Decimal

from fanout.batches import RowState
from fanout.budget.amount import Amount
from fanout.budget.ledger import Booking, Claim, utc_day
from fanout.store.store import Store
from tests.store.test_batches import FAILED, end_next, started


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
