"""Two requests for one answer, where the first word of the first is late.

Source: Dean and Barroso 2013, The Tail at Scale, hedged requests: the first to answer wins, the
other is hung up on at once, and few calls may do this, so that it costs little where it helps most.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import anyio
from anyio.lowlevel import checkpoint_if_cancelled

from fanout.kernel.lane import Lane
from fanout.providers.base import Done

Ask = Callable[[Lane], Awaitable[Done]]


async def raced(
    first: Lane, ask: Ask, *, late_s: float, second: Callable[[], Awaitable[Lane | None]]
) -> Lane:
    """Ask along the first lane, and along `second()` too once the first is `late_s` without a sign.

    The lane that answered, or the first one where neither did; its `result` says how that ended.
    Expected failures are results too; only being cancelled raises.
    """
    rival: Lane | None = None

    async def run(lane: Lane) -> None:
        with lane.scope:
            try:
                await ask(lane)
            except Exception as error:
                # What to make of it depends on the other lane.
                lane.fail(error)

    async with anyio.create_task_group() as group:
        group.start_soon(run, first)
        with anyio.move_on_after(late_s):
            await first.heard.wait()
        if not first.heard.is_set():
            rival = await second()
            if rival is not None and not first.heard.is_set():
                first.rival, rival.rival = rival, first
                group.start_soon(run, rival)
    winner = rival if rival is not None and rival.sign else first
    if winner.result is None:
        # Called off while `second` could not be: the group has nothing left to notice that by.
        await checkpoint_if_cancelled()
    return winner
