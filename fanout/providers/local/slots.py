"""Which slot of the local model's server answers which call, and what its memory still holds.

A slot begins where its memory and the new prompt part, so the choice decides how much is computed
again. The server would choose for itself; but then nobody could know which slot is free to be given
a state, and restoring one into a busy slot waits for the answer under way.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from fanout.providers.beginnings import shared_length

ALIKE: Final = 0.1
"""Share of a prompt that a slot must hold to be chosen for it; llama.cpp's own default."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Slot:
    number: int
    busy: bool = False
    text: str = ""
    """The prompt it answered last."""
    state: str = ""
    """The saved state that it holds, with nothing behind it; "" for any other content."""
    used: int = 0


class SlotBook:
    """One life of the server. Used on the engine's loop only."""

    def __init__(self, count: int) -> None:
        self._slots = [_Slot(number=number) for number in range(count)]
        self._turn = 0

    def take(self, text: str, state: str = "") -> int | None:
        """A free slot for a prompt, one that holds that state if there is any; None: all busy."""
        free = [slot for slot in self._slots if not slot.busy]
        if not free:
            self._forget()
            return None
        chosen = next((slot for slot in free if state and slot.state == state), None)
        if chosen is None:
            chosen = self._alike(free, text) if not state else None
        chosen = chosen or min(free, key=lambda slot: slot.used)
        self._slots[chosen.number] = replace(chosen, busy=True)
        return chosen.number

    def holds(self, number: int, state: str) -> bool:
        return self._slots[number].state == state

    def give_back(self, number: int, text: str, state: str = "") -> None:
        """The slot is free again and holds that prompt, or exactly that saved state."""
        self._turn += 1
        self._slots[number] = _Slot(number=number, text=text, state=state, used=self._turn)

    def _alike(self, free: list[_Slot], text: str) -> _Slot | None:
        shared = {slot.number: shared_length(slot.text, text) for slot in free}
        best = max(free, key=lambda slot: (shared[slot.number], -slot.used))
        return best if shared[best.number] > ALIKE * len(text) else None

    def _forget(self) -> None:
        """A call that found no free slot is placed by the server, wherever it will."""
        self._slots = [replace(slot, state="") for slot in self._slots]
