"""The ledger of a day lets nobody past its cap, whoever else writes and whoever dies."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from fanout.batches import NewBatch
from fanout.budget.amount import Amount, Taken
from fanout.budget.ledger import Booking, Claim, DayTaken, utc_day
from fanout.errors import StoreError
from fanout.policies import Budget
from fanout.store.spend import ABANDONED_S, Spend
from fanout.store.store import Store
from fanout.types import EndpointId, ModelRef

DAY = "2026-11-23"
NOON = 1_795_435_200.0
ROOT = Path(__file__).resolve().parents[2]


def claim(name: str, person: str = "", day: str = DAY) -> Claim:
    return Claim(id=name, day=day, person=person)


def cents(number: int) -> Amount:
    return Amount(usd=Decimal(number) / 100, tokens=number)


def exactly(amount: Amount) -> Callable[[DayTaken], Amount]:
    return lambda _taken: amount


class Full(Exception):
    """What a purse raises where a call doesn't fit."""


def test_what_is_booked_takes_the_place_of_what_was_set_aside(store: Store) -> None:
    store.spend.reserve(claim("one"), exactly(cents(30)))
    assert store.spend.taken(DAY, "").everyone == Taken(reserved=cents(30))
    store.spend.book([Booking(claim=claim("one"), amount=cents(7))])
    assert store.spend.taken(DAY, "").everyone == Taken(spent=cents(7))


def test_a_claim_is_booked_once_however_often_that_is_tried(store: Store) -> None:
    store.spend.reserve(claim("one"), exactly(cents(30)))
    for _ in range(3):
        store.spend.book([Booking(claim=claim("one"), amount=cents(7))])
    assert store.spend.taken(DAY, "").everyone.all == cents(7)


def test_one_claim_tried_again_is_set_aside_once(store: Store) -> None:
    for _ in range(3):
        store.spend.reserve(claim("one"), exactly(cents(30)))
    assert store.spend.taken(DAY, "").everyone.all == cents(30)


def test_what_does_not_fit_leaves_nothing_behind(store: Store) -> None:
    def refuse(_taken: DayTaken) -> Amount:
        raise Full

    with pytest.raises(Full):
        store.spend.reserve(claim("one"), refuse)
    assert store.spend.taken(DAY, "").everyone == Taken()


def test_people_and_days_are_counted_apart_and_together(store: Store) -> None:
    store.spend.reserve(claim("one", "ada"), exactly(cents(30)))
    store.spend.reserve(claim("two", "bob"), exactly(cents(5)))
    store.spend.reserve(claim("old", "ada", "2026-11-22"), exactly(cents(99)))
    store.spend.book([Booking(claim=claim("", "ada"), amount=cents(2))])
    store.spend.book([Booking(claim=claim("two", "bob"), amount=cents(4))])
    taken = store.spend.taken(DAY, "ada")
    assert taken.everyone == Taken(spent=cents(6), reserved=cents(30))
    assert taken.person == Taken(spent=cents(2), reserved=cents(30))
    assert store.spend.taken(DAY, "bob").person == Taken(spent=cents(4))


def test_a_process_that_died_leaves_its_claims_taken_for_that_day_and_no_longer(
    open_store: Callable[[], Store],
) -> None:
    store, now = open_store(), [NOON]
    ledger = Spend(store._engine, lambda: now[0])
    ledger.reserve(claim("dead"), exactly(cents(30)))
    now[0] += ABANDONED_S + 1
    assert ledger.taken(DAY, "").everyone == Taken(spent=cents(30))
    # Its process was only slow after all.
    ledger.book([Booking(claim=claim("dead"), amount=cents(1))])
    assert ledger.taken(DAY, "").everyone == Taken(spent=cents(1))
    ledger.reserve(claim("dead too"), exactly(cents(30)))
    now[0] += 3 * 86_400
    tomorrow = utc_day(now[0])
    ledger.reserve(claim("new", day=tomorrow), exactly(cents(2)))
    assert ledger.taken(tomorrow, "").everyone.all == cents(2)
    assert ledger.taken(DAY, "").everyone.all == cents(1)


def test_a_batch_is_counted_beside_the_day_and_by_its_cap_of_now(
    store: Store, open_store: Callable[[], Store]
) -> None:
    model = ModelRef(endpoint=EndpointId("e"), model="m")
    budget = Budget(usd=Decimal("0.5"), tokens=70)
    new = NewBatch(title="B", workflow="w", definition={}, model=model, budget=budget)
    made = store.batches.create(new, [])
    one, other = (replace(claim(name, "ada"), batch=made) for name in ("one", "two"))
    store.spend.reserve(one, exactly(cents(30)))
    open_store().spend.reserve(other, exactly(cents(5)))
    store.spend.book([Booking(claim=one, amount=cents(7)), Booking(claim=one, amount=cents(7))])
    store.spend.book([Booking(claim=replace(one, id=""), amount=cents(1))])
    taken = store.spend.taken(DAY, "ada", made)
    assert taken.batch == taken.person == Taken(spent=cents(8), reserved=cents(5))
    assert taken.batch_cap == budget == store.spend.batch_cap(made)
    assert store.spend.taken(DAY, "ada") == DayTaken(everyone=taken.everyone, person=taken.person)
    assert store.spend.taken("2026-11-24", "bob", made).batch == taken.batch
    assert store.spend.batch_cap("another") == Budget()


def test_a_day_is_a_date_in_utc() -> None:
    assert utc_day(NOON) == DAY
    assert utc_day(NOON + 43_199) == DAY
    assert utc_day(NOON + 43_201) == "2026-11-24"


def test_the_smallest_sums_are_rounded_up(store: Store) -> None:
    tiny = Amount(usd=Decimal("1e-12"))
    store.spend.book([Booking(claim=claim(""), amount=tiny)])
    assert store.spend.taken(DAY, "").everyone.spent.usd == Decimal("1e-9")


def test_threads_that_race_for_the_last_cents_never_take_more(
    open_store: Callable[[], Store],
) -> None:
    stores = [open_store() for _ in range(3)]

    def race(number: int) -> int:
        ledger, won = stores[number % 3].spend, 0
        for turn in range(8):
            if _tried(ledger, claim(f"{number}-{turn}"), cents(5), cents(100)):
                won += 1
        return won

    with ThreadPoolExecutor(6) as pool:
        assert sum(pool.map(race, range(6))) == 20
    assert stores[0].spend.taken(DAY, "").everyone.all == cents(100)


RACER = """
import sys
from pathlib import Path
from tests.store.test_spend import race_on
print(race_on(Path(sys.argv[1]), sys.argv[2], sys.argv[3]))
"""


def race_on(home: Path, url: str, name: str) -> int:
    """What a process of its own does: takes 5 cents, gives 4 back, until nothing fits."""
    won = 0
    with Store.open(home, url) as store:
        for turn in range(40):
            one = claim(f"{name}-{turn}")
            if _tried(store.spend, one, cents(5), cents(60)):
                won += 1
                store.spend.book([Booking(claim=one, amount=cents(1))])
    return won


def test_processes_that_race_spend_all_of_a_day_and_not_a_cent_more(
    fanout_home: Path, store_url: str
) -> None:
    with Store.open(fanout_home, store_url) as store:
        racers = [
            subprocess.Popen(
                [sys.executable, "-c", RACER, str(fanout_home), store_url, name],
                cwd=ROOT,
                stdout=subprocess.PIPE,
                text=True,
            )
            for name in ("one", "two")
        ]
        won = [int(racer.communicate(timeout=60)[0]) for racer in racers]
        # Each call needs 5 cents of room and takes one.
        assert 56 <= sum(won) <= 60
        assert store.spend.taken(DAY, "").everyone == Taken(spent=cents(sum(won)))


def _tried(ledger: Spend, one: Claim, amount: Amount, cap: Amount) -> bool:
    def fits(taken: DayTaken) -> Amount:
        if taken.everyone.all.tokens + amount.tokens > cap.tokens:
            raise Full
        return amount

    while True:
        try:
            ledger.reserve(one, fits)
            return True
        except Full:
            return False
        except StoreError:
            # Somebody else is writing just now.
            continue
