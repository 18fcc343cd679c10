"""What runs leave behind: tasks, threads and sockets, counted before and after."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import anyio


@dataclass(frozen=True, slots=True, kw_only=True)
class Leak:
    """What was there before and after."""

    before: int
    after: int


def settled(condition: Callable[[], bool], timeout_s: float = 5.0) -> bool:
    """Wait for something that no event tells of."""
    until = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > until:
            return False
        time.sleep(0.01)
    return True


def open_sockets() -> int:
    """Sockets of this process; 0 where the system doesn't say."""
    own = Path("/proc/self/fd")
    if not own.is_dir():
        return 0
    found = 0
    for entry in own.iterdir():
        try:
            found += str(entry.readlink()).startswith("socket:")
        except OSError:
            continue
    return found


async def tasks_of() -> int:
    """Tasks of the loop that this is called on."""
    # Whoever has just ended leaves the list with the next turn of the loop.
    await anyio.wait_all_tasks_blocked()
    return len(anyio.get_running_tasks())
