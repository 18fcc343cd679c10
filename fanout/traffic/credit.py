"""What an endpoint says is left of its limits: the word of the one who counts.

Others may use the same key, so what it says goes beyond our own counting. An answer speaks of the
moment it was begun: what was sent and isn't answered yet may come on top, and is taken off.
"""

from __future__ import annotations


class Credit:
    """Requests or tokens left until the endpoint's limit is whole again."""

    def __init__(self) -> None:
        self._left: int | None = None
        self._until_s = 0.0
        self._said_by = 0
        self._unanswered: dict[int, int] = {}

    def wait_s(self, weight: int, now_s: float) -> float:
        """How long until that much may go; 0 at once."""
        if self._left is None or now_s >= self._until_s or weight <= self._left:
            return 0.0
        return self._until_s - now_s

    def left(self, now_s: float) -> int | None:
        """None where nothing is known now."""
        return None if self._left is None or now_s >= self._until_s else max(0, self._left)

    def take(self, call: int, weight: int) -> None:
        self._unanswered[call] = weight
        if self._left is not None:
            self._left -= weight

    def answered(
        self, call: int, left: int | None = None, reset_s: float | None = None, now_s: float = 0.0
    ) -> None:
        """The endpoint took call number `call` and said what is left then; None said nothing."""
        self._unanswered.pop(call, None)
        if left is None or reset_s is None:
            return
        left -= sum(self._unanswered.values())
        if call < self._said_by and self._left is not None:
            # Two answers overtook each other: the later call's word is newer.
            self._left = min(self._left, left)
            return
        self._left, self._until_s, self._said_by = left, now_s + reset_s, call
