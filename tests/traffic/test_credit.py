"""An endpoint's word on its limits is never overdrawn, however its answers overtake each other."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fanout.traffic.credit import Credit

LIMIT, PERIOD_S = 6, 10.0


@dataclass(kw_only=True)
class Clock:
    """A server that counts by the clock: its limit is whole again at every full period."""

    used: int = 0
    window: int = 0
    refused: int = 0

    def ask(self, now_s: float) -> tuple[int, float]:
        """What is left after one more request, and until when."""
        if int(now_s // PERIOD_S) != self.window:
            self.window, self.used = int(now_s // PERIOD_S), 0
        self.refused += self.used >= LIMIT
        self.used = min(LIMIT, self.used + 1)
        return LIMIT - self.used, PERIOD_S - now_s % PERIOD_S


@dataclass(kw_only=True)
class Bucket:
    """A server that fills its limit up steadily."""

    there: float = LIMIT
    at_s: float = 0.0
    refused: int = 0

    def ask(self, now_s: float) -> tuple[int, float]:
        rate = LIMIT / PERIOD_S
        self.there = min(LIMIT, self.there + (now_s - self.at_s) * rate)
        self.at_s = now_s
        self.refused += self.there < 1
        self.there = max(0.0, self.there - 1)
        return int(self.there), (LIMIT - self.there) / rate


@dataclass(kw_only=True)
class Client:
    """Sends whenever its credit lets it; requests arrive and answers come back in any order."""

    server: Clock | Bucket
    credit: Credit = field(default_factory=Credit)
    now_s: float = 0.0
    calls: int = 0
    sent: list[int] = field(default_factory=list)
    said: list[tuple[int, int, float]] = field(default_factory=list)

    def send(self) -> None:
        if self.credit.wait_s(1, self.now_s) == 0:
            self.calls += 1
            self.credit.take(self.calls, 1)
            self.sent.append(self.calls)

    def arrive(self, which: int) -> None:
        if self.sent:
            call = self.sent.pop(which % len(self.sent))
            self.said.append((call, *self.server.ask(self.now_s)))

    def hear(self, which: int) -> None:
        if self.said:
            call, left, reset_s = self.said.pop(which % len(self.said))
            self.credit.answered(call, LIMIT, left, reset_s, self.now_s)


STEP = st.tuples(st.sampled_from(["send", "send", "arrive", "hear", "wait"]), st.integers(0, 9))


@pytest.mark.parametrize("server", [Clock, Bucket])
@settings(max_examples=300)
@given(steps=st.lists(STEP, max_size=120))
def test_a_server_never_refuses_a_client_that_listens(
    server: type[Clock | Bucket], steps: list[tuple[str, int]]
) -> None:
    client = Client(server=server())
    # Before its first answer nobody can know.
    client.send()
    client.arrive(0)
    client.hear(0)
    for step, number in steps:
        match step:
            case "send":
                client.send()
            case "arrive":
                client.arrive(number)
            case "hear":
                client.hear(number)
            case _:
                client.now_s += number / 3
    while client.sent:
        client.arrive(0)
    assert client.server.refused == 0


def test_nothing_goes_before_the_reset_once_nothing_is_left() -> None:
    credit = Credit()
    credit.take(1, 1)
    credit.answered(1, 60, 0, 12.5, 100.0)
    assert credit.wait_s(1, 100.0) == 12.5
    assert credit.wait_s(1, 112.4) == pytest.approx(0.1)
    assert credit.wait_s(1, 112.5) == 0


def test_an_endpoint_that_says_nothing_limits_nothing() -> None:
    credit = Credit()
    for call in range(1, 500):
        assert credit.wait_s(10_000, 0.0) == 0
        credit.take(call, 10_000)
        credit.answered(call)
    assert credit.left(0.0) is None


def test_what_was_never_sent_takes_nothing() -> None:
    credit = Credit()
    credit.take(1, 1)
    credit.answered(1, 5, 1, 60.0, 0.0)
    credit.take(2, 1)
    assert credit.wait_s(1, 1.0) > 0
    credit.undo(2)
    assert credit.wait_s(1, 1.0) == 0


def test_more_tokens_than_the_whole_limit_go_once_the_limit_is_whole() -> None:
    credit = Credit()
    credit.take(1, 10)
    credit.answered(1, 100, 90, 6.0, 0.0)
    assert credit.wait_s(500, 0.0) == 6.0
    assert credit.wait_s(500, 6.0) == 0


def test_an_answer_that_comes_late_does_not_bring_the_reset_forward() -> None:
    credit = Credit()
    credit.take(1, 1)
    credit.take(2, 1)
    credit.answered(2, LIMIT, 5, 9.0, 11.0)
    credit.answered(1, LIMIT, 5, 0.5, 12.0)
    assert credit.wait_s(LIMIT, 13.0) == pytest.approx(7.0)
