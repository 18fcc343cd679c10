"""The sums of a minute: never over the limit in any minute, exact about how long to wait."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from pyrate_limiter import InMemoryStateStore

from fanout.traffic.ledger import Ledger

MINUTE_MS = 60_000
STEPS = st.lists(
    st.tuples(st.integers(0, 20_000), st.integers(1, 12), st.integers(0, 12)), max_size=60
)


def ledger() -> Ledger:
    return Ledger(InMemoryStateStore(), 60.0)


@given(limit=st.integers(1, 20), steps=STEPS)
def test_no_minute_has_more_than_the_limit_whatever_is_given_back(
    limit: int, steps: list[tuple[int, int, int]]
) -> None:
    rate, now_ms = ledger(), 1_700_000_000_000
    taken: list[tuple[int, int]] = []
    for gap_ms, weight, used in steps:
        now_ms += gap_ms
        weight, used = min(weight, limit), min(used, weight, limit)
        if rate.take(limit, weight, now_ms) > 0:
            continue
        in_a_minute = sum(n for at, n in taken if at > now_ms - MINUTE_MS)
        assert in_a_minute + weight <= limit
        rate.count(used - weight, now_ms)
        taken.append((now_ms, used))


@given(limit=st.integers(1, 20), steps=STEPS)
def test_what_was_told_to_wait_fits_after_that_wait_and_not_a_cell_earlier(
    limit: int, steps: list[tuple[int, int, int]]
) -> None:
    rate, now_ms = ledger(), 1_700_000_000_000
    for gap_ms, weight, _ in steps:
        now_ms += gap_ms
        weight = min(weight, limit)
        wait_s = rate.take(limit, weight, now_ms)
        if wait_s > 0:
            then_ms = now_ms + round(wait_s * 1000)
            assert rate.take(limit, weight, then_ms - 1) > 0
            assert rate.take(limit, weight, then_ms) == 0
            now_ms = then_ms


def test_a_full_minute_is_free_again_after_a_minute_and_two_seconds_at_most() -> None:
    rate = ledger()
    assert rate.take(3, 3, 1_000) == 0
    assert rate.take(3, 1, 59_000) > 0
    assert rate.take(3, 3, 63_000) == 0


def test_what_is_given_back_counts_at_once() -> None:
    rate = ledger()
    assert rate.take(100, 100, 5_000) == 0
    assert rate.take(100, 1, 6_000) > 0
    rate.count(-40, 5_000)
    assert rate.take(100, 40, 6_000) == 0
    assert rate.take(100, 1, 6_000) > 0


def test_what_is_given_back_after_its_minute_gives_nothing() -> None:
    rate = ledger()
    assert rate.take(100, 100, 5_000) == 0
    assert rate.take(100, 100, 70_000) == 0
    rate.count(-100, 5_000)
    assert rate.take(100, 1, 70_000) > 0


def test_what_was_used_beyond_its_reservation_is_a_debt() -> None:
    rate = ledger()
    assert rate.take(100, 10, 5_000) == 0
    rate.count(140, 5_000)
    assert rate.left(100, 6_000) == 0
    assert rate.take(100, 1, 30_000) > 0
    assert rate.take(100, 1, 67_000) == 0


def test_calls_count_before_a_limit_is_known() -> None:
    rate = ledger()
    assert all(rate.take(None, 1, at_ms) == 0 for at_ms in range(0, 5_000, 1_000))
    assert rate.left(6, 5_000) == 1


def test_a_clock_that_goes_back_lets_nothing_more_through() -> None:
    rate = ledger()
    assert rate.take(2, 1, 100_000) == 0
    assert rate.take(2, 1, 20_000) == 0
    assert rate.take(2, 1, 159_000) > 0
