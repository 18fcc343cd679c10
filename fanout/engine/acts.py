"""What a handle can do about its run, carried over to the engine's loop."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager, suppress

from anyio.from_thread import BlockingPortal

from fanout.engine.execution import Execution
from fanout.engine.handle import Acts
from fanout.errors import InputError
from fanout.types import BranchId
from fanout.workflows.specs import AggregateSpec


def acts_of(
    execution: Execution,
    portal: BlockingPortal,
    *,
    may_go_on: Callable[[], Awaitable[bool]],
    place: Callable[[], AbstractContextManager[None]],
) -> Acts:
    """`may_go_on` says whether a run that has ended may go on in this process; `place` is its place
    among the runs in flight, or InputError."""

    async def stop(branch: BranchId | None) -> None:
        execution.stop(branch)

    async def interrupt() -> None:
        execution.interrupt()

    async def reopen(branch: BranchId | None) -> bool:
        if not await may_go_on():
            return False
        with place():
            return execution.reopen(branch)

    async def retry(branch: BranchId | None) -> None:
        # Whoever took the last place meanwhile has it; who asks is told before, by `asked`.
        with suppress(InputError):
            if await reopen(branch):
                await execution.main()

    def resume(branch: BranchId | None) -> bool:
        begun = portal.call(reopen, branch)
        if begun:
            portal.start_task_soon(execution.main)
        return begun

    async def combine(spec: AggregateSpec, left_out: frozenset[BranchId]) -> None:
        with suppress(InputError):
            if await may_go_on():
                check()
                await execution.combine(spec, left_out)

    def check() -> None:
        with place():
            pass

    def asked(function: Callable[..., Awaitable[None]], *args: object) -> None:
        check()
        _soon(portal, function, *args)

    return Acts(
        stop=lambda branch: _soon(portal, stop, branch),
        retry=lambda branch: asked(retry, branch),
        resume=resume,
        combine=lambda spec, left_out: asked(combine, spec, left_out),
        interrupt=lambda: _soon(portal, interrupt),
    )


def _soon(portal: BlockingPortal, function: Callable[..., Awaitable[None]], *args: object) -> None:
    portal.start_task_soon(function, *args)
