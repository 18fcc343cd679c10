"""The small parts that learn from calls: allowance, circuit, pause, first tokens, queue."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fanout.traffic.allowance import Allowance
from fanout.traffic.circuit import LONGEST_S, Circuit, CircuitState
from fanout.traffic.first_tokens import ENOUGH, FirstTokens
from fanout.traffic.pause import LONGEST_DEFAULT_S, Pause
from fanout.traffic.queue import FairQueue, Waiter
from fanout.traffic.tally import KEPT_S, Outcome, Tally
from fanout.types import Failure, FailureKind, RunId

DOWN = Failure(kind=FailureKind.SERVER, message="It is down.", retryable=True)
LIMITED = Failure(kind=FailureKind.RATE_LIMIT, message="Too many.", retryable=True)


def waiter(run: str) -> Waiter:
    return Waiter(RunId(run), lambda _reason, _seconds: None)


def test_calls_that_were_under_way_together_cut_once() -> None:
    allowance = Allowance(8)
    assert [allowance.cut(call, newest=8) for call in range(1, 9)] == [True] + [False] * 7
    assert allowance.now == 4
    assert allowance.cut(9, newest=12)
    assert allowance.now == 2


def test_an_allowance_never_falls_below_one_nor_grows_past_the_slots() -> None:
    allowance = Allowance(3)
    for call in range(1, 20):
        allowance.cut(call, newest=call)
    assert allowance.now == 1
    for _ in range(100):
        allowance.grow()
    assert allowance.now == 3


def test_growth_is_one_more_after_as_many_as_are_allowed() -> None:
    allowance = Allowance(16)
    allowance.cut(1, newest=1)
    assert allowance.now == 8
    for _ in range(7):
        allowance.grow()
    assert allowance.now == 8
    for _ in range(2):
        allowance.grow()
    assert allowance.now == 9


@pytest.mark.parametrize(("before", "after"), [(8, 12), (8, 3)])
def test_other_slots_count_at_once_where_nothing_was_cut(before: int, after: int) -> None:
    allowance = Allowance(before)
    allowance.resize(after)
    assert allowance.now == after


def test_more_slots_do_not_undo_a_cut() -> None:
    allowance = Allowance(8)
    allowance.cut(1, newest=1)
    allowance.resize(20)
    assert allowance.now == 4


def test_a_circuit_opens_after_calls_in_a_row_only() -> None:
    circuit = Circuit(3, 20.0)
    for _ in range(2):
        circuit.gave_up(DOWN, 0.0)
    circuit.close()
    for _ in range(2):
        circuit.gave_up(DOWN, 0.0)
    assert circuit.wait_s(0.0) == 0
    circuit.gave_up(DOWN, 5.0)
    assert circuit.state is CircuitState.OPEN
    assert circuit.wait_s(5.0) == 20.0


@pytest.mark.parametrize(
    "kind",
    [
        FailureKind.AUTH,
        FailureKind.QUOTA,
        FailureKind.REFUSED,
        FailureKind.UNKNOWN_MODEL,
        FailureKind.RATE_LIMIT,
        FailureKind.EMPTY,
        FailureKind.BUDGET,
        FailureKind.TIMEOUT_TOTAL,
        FailureKind.BUG,
    ],
)
def test_what_is_not_the_endpoints_fault_opens_nothing(kind: FailureKind) -> None:
    circuit = Circuit(1, 20.0)
    circuit.gave_up(Failure(kind=kind, message=""), 0.0)
    assert circuit.state is CircuitState.CLOSED


def test_each_failed_try_doubles_the_time_up_to_five_minutes() -> None:
    circuit, now_s, waits = Circuit(1, 20.0), 0.0, []
    circuit.gave_up(DOWN, now_s)
    for _ in range(6):
        waits.append(circuit.wait_s(now_s))
        now_s += waits[-1]
        assert circuit.enter(now_s)
        assert not circuit.enter(now_s), "one call tries"
        circuit.probe_failed(DOWN, now_s)
    assert waits == [20.0, 40.0, 80.0, 160.0, LONGEST_S, LONGEST_S]


def test_a_circuit_that_closed_begins_with_the_short_time_again() -> None:
    circuit = Circuit(1, 20.0)
    circuit.gave_up(DOWN, 0.0)
    circuit.enter(20.0)
    circuit.probe_failed(DOWN, 20.0)
    circuit.enter(60.0)
    circuit.close()
    circuit.gave_up(DOWN, 100.0)
    assert circuit.wait_s(100.0) == 20.0


def test_no_number_of_failures_opens_a_circuit_that_is_off() -> None:
    circuit = Circuit(0, 20.0)
    for _ in range(50):
        circuit.gave_up(DOWN, 0.0)
    assert circuit.state is CircuitState.CLOSED


def test_without_a_word_from_the_endpoint_pauses_double() -> None:
    pause = Pause()
    waits = [pause.asked(LIMITED, fresh=True) for _ in range(8)]
    assert waits == [0.5, 1.0, 2.0, 4.0, 8.0, 16.0, LONGEST_DEFAULT_S, LONGEST_DEFAULT_S]
    pause.over()
    assert pause.asked(LIMITED, fresh=True) == 0.5


def test_a_burst_of_limited_calls_is_one_pause() -> None:
    pause = Pause()
    waits = [pause.asked(LIMITED, fresh=number == 0) for number in range(8)]
    assert waits == [0.5] * 8


def test_only_a_server_that_says_how_long_makes_everybody_wait() -> None:
    pause = Pause()
    assert pause.asked(DOWN, fresh=False) is None
    busy = Failure(kind=FailureKind.SERVER, message="", retry_after_s=7.0)
    assert pause.asked(busy, fresh=False) == 7.0


def test_a_shorter_wait_never_ends_a_longer_pause() -> None:
    pause = Pause()
    assert pause.begin(30.0, FailureKind.RATE_LIMIT, 100.0)
    assert not pause.begin(1.0, FailureKind.SERVER, 101.0)
    assert pause.left_s(101.0) == 29.0


def test_late_is_unknown_until_there_are_enough_and_old_times_are_forgotten() -> None:
    times = FirstTokens()
    for _ in range(ENOUGH - 1):
        times.add("m", 1.0)
    assert times.quantile_s("m", 0.95) is None
    times.add("m", 9.0)
    assert times.quantile_s("m", 0.95) == 1.0
    assert times.quantile_s("m", 0.96) == 9.0
    for _ in range(200):
        times.add("m", 2.0)
    (of_m,) = times.all()
    assert (of_m.count, of_m.p50_s, of_m.p99_s) == (200, 2.0, 2.0)


def test_a_tally_forgets_what_is_older_than_a_quarter_of_an_hour() -> None:
    tally = Tally()
    tally.add(Outcome.CALL, 0.0)
    tally.add(Outcome.CALL, 100.0)
    assert tally.counts(KEPT_S)[Outcome.CALL] == 2
    assert tally.counts(KEPT_S + 50.0)[Outcome.CALL] == 1


@given(st.data())
def test_who_waits_sees_at_most_one_call_of_each_other_run_go_first(data: st.DataObject) -> None:
    queue, runs = FairQueue(), ["a", "b", "c", "d"]
    waiting: dict[Waiter, Counter[str]] = {}
    for _ in range(data.draw(st.integers(0, 60))):
        head = queue.head
        if head is not None and data.draw(st.booleans()):
            firsts = [w for w in waiting if not any(v.run == w.run for v in _before(waiting, w))]
            queue.served(head)
            del waiting[head]
            for other in firsts:
                if other is not head:
                    waiting[other][head.run] += 1
                    assert waiting[other][head.run] <= 1
        else:
            new = waiter(data.draw(st.sampled_from(runs)))
            queue.join(new)
            waiting[new] = Counter()
    assert len(queue) == len(waiting)


def _before(waiting: dict[Waiter, Counter[str]], one: Waiter) -> list[Waiter]:
    order = list(waiting)
    return order[: order.index(one)]


@given(st.lists(st.tuples(st.sampled_from("abc"), st.booleans()), max_size=40))
def test_within_a_run_who_came_first_goes_first_also_after_others_left(
    calls: list[tuple[str, bool]],
) -> None:
    queue = FairQueue()
    waiters = [(waiter(run), leaves) for run, leaves in calls]
    for one, _ in waiters:
        queue.join(one)
    for one, leaves in waiters:
        if leaves:
            queue.gone(one)
    served: list[Waiter] = []
    while (head := queue.head) is not None:
        queue.served(head)
        served.append(head)
    stayed = [one for one, leaves in waiters if not leaves]
    for run in "abc":
        assert [w for w in served if w.run == run] == [w for w in stayed if w.run == run]
