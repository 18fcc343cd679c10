"""What an endpoint says is left of its limits: the word of the one who counts.

Others may use the same key, and a limit may be per second, minute or day, so this goes beyond our
own counting. An answer speaks of some moment while its call was under way: whatever else was under
way then may not be counted in it yet, and is taken off. So near a limit it is careful rather than
quick, and the next call that was alone puts it right.
"""

from __future__ import annotations

from dataclasses import dataclass

NEXT_ANSWER_S = 1.0
"""A guess for the screen: the next answer says what is left, and wakes who waits for that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sent:
    weight: int
    answered: int
    """What had been answered, all calls together, when this one was sent."""
    words: int
    """How often the endpoint had said what is left by then."""


class Credit:
    """Requests, or tokens, that are left until the endpoint's limit is whole again."""

    def __init__(self) -> None:
        self.limit: int | None = None
        self._left: int | None = None
        self._until_s = 0.0
        self._words = 0
        self._sent: dict[int, _Sent] = {}
        self._on_the_way = 0
        self._answered = 0

    @property
    def told(self) -> bool:
        """The endpoint says how much is left and until when, so nobody has to guess."""
        return self._left is not None

    def wait_s(self, weight: int, now_s: float) -> float:
        """How long until that much may go; 0 at once."""
        if self._left is None:
            return 0.0
        if self.limit is not None:
            weight = min(weight, self.limit)
        if now_s < self._until_s:
            return 0.0 if weight <= self._left else self._until_s - now_s
        fits = self.limit is None or self._on_the_way + weight <= self.limit
        return 0.0 if fits else NEXT_ANSWER_S

    def left(self, now_s: float) -> int | None:
        """None where nothing is known. From any thread."""
        left = self._left
        if left is None:
            return None
        if now_s < self._until_s:
            return max(0, left)
        return None if self.limit is None else max(0, self.limit - self._on_the_way)

    def take(self, call: int, weight: int) -> None:
        """Call number `call` is sent."""
        self._sent[call] = _Sent(weight=weight, answered=self._answered, words=self._words)
        self._on_the_way += weight
        if self._left is not None:
            self._left -= weight

    def undo(self, call: int) -> None:
        """It wasn't sent after all."""
        sent = self._sent.pop(call)
        self._on_the_way -= sent.weight
        if self._left is not None:
            self._left += sent.weight

    def forget(self) -> None:
        """What is left is unknown until the endpoint says it again."""
        self._left = None

    def answered(
        self,
        call: int,
        limit: int | None = None,
        left: int | None = None,
        reset_s: float | None = None,
        now_s: float = 0.0,
    ) -> None:
        """Its answer has begun, and says this; None says nothing. The first word of each counts."""
        sent = self._sent.pop(call, None)
        if sent is None:
            return
        self.limit = limit or self.limit
        self._on_the_way -= sent.weight
        beside = self._answered - sent.answered
        self._answered += sent.weight
        if left is None or reset_s is None:
            return
        until_s = now_s + reset_s
        if sent.words < self._words:
            # The last word may be about a later moment than this one, and so about a later reset.
            until_s = max(until_s, self._until_s)
        self._left, self._until_s = left - self._on_the_way - beside, until_s
        self._words += 1
