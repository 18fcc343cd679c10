"""How many calls may be under way: halved when the endpoint has too many, then slowly up again.

Source: Chiu and Jain 1989, additive increase and multiplicative decrease, which is what makes
clients that know nothing of each other share one server fairly.
"""

from __future__ import annotations

CUT = 0.5


class Allowance:
    """Between 1 and the endpoint's slots."""

    def __init__(self, slots: int) -> None:
        self._slots = max(1, slots)
        self._level = float(self._slots)
        self._cut_at = 0

    @property
    def slots(self) -> int:
        return self._slots

    @property
    def now(self) -> int:
        return max(1, int(self._level))

    def resize(self, slots: int) -> None:
        """Other slots: all of them at once where nothing was cut, as before where it was."""
        whole = self._level >= self._slots
        self._slots = max(1, slots)
        self._level = float(self._slots) if whole else min(self._level, self._slots)

    def cut(self, call: int, newest: int) -> bool:
        """Call number `call` met a limit; `newest` is the last one let through so far.

        Calls that were under way when it was cut last say nothing new. True where this one did.
        """
        if call <= self._cut_at:
            return False
        self._cut_at = newest
        self._level = max(1.0, self._level * CUT)
        return True

    def grow(self) -> None:
        """A call went well: one more at once after as many of these as are allowed now."""
        self._level = min(float(self._slots), self._level + 1.0 / self._level)
