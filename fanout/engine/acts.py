"""What a handle can do about its run, carried over to the engine's loop."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from anyio.from_thread import BlockingPortal

from fanout.engine.execution import Execution
from fanout.engine.handle import Acts
from fanout.types import BranchId
from fanout.workflows.specs import AggregateSpec


def acts_of(
    execution: Execution, portal: BlockingPortal, may_go_on: Callable[[], Awaitable[bool]]
) -> Acts:
    """`may_go_on` says whether a run that has ended may go on in this process."""

    async def stop(branch: BranchId | None) -> None:
        execution.stop(branch)

    async def interrupt() -> None:
        execution.interrupt()

    async def reopen(branch: BranchId | None) -> bool:
        return await may_go_on() and execution.reopen(branch)

    async def retry(branch: BranchId | None) -> None:
        if await reopen(branch):
            await execution.main()

    def resume(branch: BranchId | None) -> bool:
        begun = portal.call(reopen, branch)
        if begun:
            portal.start_task_soon(execution.main)
        return begun

    async def combine(spec: AggregateSpec, left_out: frozenset[BranchId]) -> None:
        if await may_go_on():
            await execution.combine(spec, left_out)

    return Acts(
        stop=lambda branch: _soon(portal, stop, branch),
        retry=lambda branch: _soon(portal, retry, branch),
        resume=resume,
        combine=lambda spec, left_out: _soon(portal, combine, spec, left_out),
        interrupt=lambda: _soon(portal, interrupt),
    )


def _soon(portal: BlockingPortal, function: Callable[..., Awaitable[None]], *args: object) -> None:
    portal.start_task_soon(function, *args)
