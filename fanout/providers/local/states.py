"""States of the model's memory that wait as files for the calls they were saved for.

Each is deleted as soon as the last of these calls has been given it, and at the latest after ten
minutes, so little is on the disk and not for long.
"""

from __future__ import annotations

import secrets
import shutil
from contextlib import suppress
from pathlib import Path
from typing import Final

import anyio
from anyio import to_thread

MOST_BYTES: Final = 512 << 20
"""What all of them may take on the disk together."""
SPARE_BYTES: Final = 256 << 20
"""Room that stays free on the disk."""
KEPT_S: Final = 600.0
"""Without anybody's asking for it, though calls are still to come: their run was stopped."""


class State:
    """One saved state, and who still needs it."""

    def __init__(self, *, text: str, tokens: int, left: int) -> None:
        """`text` is what the messages of its `left` calls begin with."""
        self.text = text
        self.tokens = tokens
        self.left = left
        """Calls that are still to come for it."""
        self.readers = 0
        """Calls that are being given it right now."""
        self.name = f"{secrets.token_hex(8)}.state"
        """Its file."""
        self.size = 0
        self.used_s = 0.0


class SavedStates:
    """Those of one life of the server. Used on the engine's loop only."""

    def __init__(self, folder: Path, most_bytes: int = MOST_BYTES) -> None:
        self._folder = folder
        self._most_bytes = most_bytes
        self._states: list[State] = []

    def known(self, text: str) -> State | None:
        """The longest one that a prompt begins with."""
        fitting = [s for s in self._states if s.left > 0 and text.startswith(s.text)]
        return max(fitting, key=lambda state: state.tokens, default=None)

    async def make_room(self, size: int | None) -> bool:
        """Whether a state of about that size may be saved; the oldest make room for it."""
        wanted = size or 0
        if wanted > self._most_bytes:
            return False
        unused = sorted((s for s in self._states if not s.readers), key=lambda s: s.used_s)
        while unused and sum(s.size for s in self._states) + wanted > self._most_bytes:
            await self.drop(unused.pop(0))
        free = await to_thread.run_sync(shutil.disk_usage, self._folder)
        return free.free >= wanted + SPARE_BYTES

    def keep(self, state: State) -> None:
        """Take it in, now that its file is there."""
        path = self._folder / state.name
        with suppress(OSError):
            state.size = path.stat().st_size
        state.used_s = anyio.current_time()
        self._states.append(state)

    async def settle(self, state: State) -> None:
        """One call less is to come."""
        state.used_s = anyio.current_time()
        if state.left <= 0 and not state.readers:
            await self.drop(state)

    async def tidy(self) -> None:
        """Delete those that nobody has come for in a long time."""
        long_ago = anyio.current_time() - KEPT_S
        for state in [s for s in self._states if s.used_s < long_ago and not s.readers]:
            await self.drop(state)

    async def drop(self, state: State) -> None:
        """Delete its file, whether it was taken in or not."""
        if state in self._states:
            self._states.remove(state)
        with anyio.CancelScope(shield=True), suppress(OSError):
            await to_thread.run_sync((self._folder / state.name).unlink)
