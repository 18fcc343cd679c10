"""One row as a durable workflow: its steps, in an order that is the same after every crash.

A step that has ended is never done again. What happens inside of one can be repeated without harm,
since the record of the run knows what was answered.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import Protocol, TypeVar

from sqlalchemy.exc import SQLAlchemyError

from fanout.batch.desk import Desk, Plan
from fanout.batch.hand import Key
from fanout.types import AGGREGATE

log = logging.getLogger(__name__)

Result = TypeVar("Result")


class Step(Protocol):
    """Does something once, and remembers what came of it."""

    async def __call__(
        self, name: str, function: Callable[..., Awaitable[Result]], *args: object
    ) -> Result: ...


async def carry_out(desk: Desk, step: Step, key: Key) -> str:
    """The state that the row ended in; "" where another go has it."""
    try:
        return await _steps(desk, step, key)
    except SQLAlchemyError:
        # A checkpoint that can't be written. The run goes on by itself; once the database has been
        # looked through, the row has another go, which finds it there.
        desk.put_down(key)
        raise
    except Exception:
        log.exception("row %s of batch %s", key.number, key.batch)
        return await step("give up", desk.give_up, key)
    except BaseException:
        # Another process has it, as the checkpoint said, or this one ends.
        desk.put_down(key)
        raise


async def _steps(desk: Desk, step: Step, key: Key) -> str:
    begun = await step("begin", desk.begin, key)
    if begun is None:
        return ""
    plan = Plan(*begun)
    for branch in plan.branches:
        await step(f"branch {branch}", desk.branch, key, branch)
    if plan.combined:
        await step("combine", desk.branch, key, AGGREGATE)
    return await step("end", desk.end, key)
