"""What an endpoint says is left of its limits: the word of the one who counts.

Others may use the same key, and a limit may be per second, minute or day, so this goes beyond our
own counting. An answer speaks of the moment at which it was begun: what was sent and isn't answered
yet may come on top, and is taken off.
"""

from __future__ import annotations

NEXT_ANSWER_S = 1.0
"""A guess for the screen: the next answer says what is left, and wakes who waits for that."""


class Credit:
    """Requests, or tokens, that are left until the endpoint's limit is whole again."""

    def __init__(self) -> None:
        self.limit: int | None = None
        self._left: int | None = None
        self._until_s = 0.0
        self._said_by = 0
        self._unanswered: dict[int, int] = {}
        self._on_the_way = 0

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
        """None where nothing is known."""
        if self._left is None:
            return None
        if now_s < self._until_s:
            return max(0, self._left)
        return None if self.limit is None else max(0, self.limit - self._on_the_way)

    def take(self, call: int, weight: int) -> None:
        self._unanswered[call] = weight
        self._on_the_way += weight
        if self._left is not None:
            self._left -= weight

    def undo(self, call: int) -> None:
        """It was never sent."""
        weight = self._forget(call)
        if self._left is not None:
            self._left += weight

    def answered(
        self,
        call: int,
        limit: int | None = None,
        left: int | None = None,
        reset_s: float | None = None,
        now_s: float = 0.0,
    ) -> None:
        """The endpoint has answered call number `call`, and said this with it; None: nothing."""
        self._forget(call)
        self.limit = limit or self.limit
        if left is None or reset_s is None:
            return
        left -= self._on_the_way
        if call < self._said_by and self._left is not None and now_s < self._until_s:
            # Two answers overtook each other: the later call's word is newer.
            self._left = min(self._left, left)
            return
        self._left, self._until_s, self._said_by = left, now_s + reset_s, call

    def _forget(self, call: int) -> int:
        weight = self._unanswered.pop(call, 0)
        self._on_the_way -= weight
        return weight
