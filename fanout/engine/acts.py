"""What a handle can do about its run, carried over to the engine's loop."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractContextManager, asynccontextmanager, suppress

from anyio import CancelScope
from anyio.from_thread import BlockingPortal
from anyio.to_thread import run_sync

from fanout.engine.execution import Execution, Work
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
    check: Callable[[], None],
    aside: bool,
) -> Acts:
    """`may_go_on` says whether a run that has ended may go on in this process; `place` is its place
    among the runs in flight, or InputError, and `check` raises that where there is none. With
    `aside` both ask a database, which nothing on the loop may wait for."""

    async def stop(branch: BranchId | None) -> None:
        execution.stop(branch)

    async def interrupt() -> None:
        execution.interrupt()

    async def going_on(begin: Callable[[], Work | None]) -> Work | None:
        """What is to be done now that this process goes on with the run, if it may."""
        if not await may_go_on():
            return None
        if not aside:
            with place():
                return begin()
        async with _aside(place()):
            work = begin()
        # Leaving the place wrote that down, or found that another process was quicker: a claim
        # says only that nobody was at work then.
        if work is not None and execution.overtaken:
            execution.interrupt()
            await work()
            return None
        return work

    async def reopened(branch: BranchId | None) -> Work | None:
        # Asked now: a run that ends while the database is asked was still going on for who asked.
        return await going_on(lambda: execution.reopen(branch)) if execution.ended else None

    async def retry(branch: BranchId | None) -> None:
        # Whoever took the last place meanwhile has it; who asks is told before, by `asked`.
        with suppress(InputError):
            if work := await reopened(branch):
                await work()

    def resume(branch: BranchId | None) -> bool:
        work = portal.call(reopened, branch)
        if work is not None:
            portal.start_task_soon(work)
        return work is not None

    async def combine(spec: AggregateSpec, left_out: frozenset[BranchId]) -> None:
        with suppress(InputError):
            if work := await going_on(lambda: execution.combine(spec, left_out)):
                await work()

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


@asynccontextmanager
async def _aside(place: AbstractContextManager[None]) -> AsyncIterator[None]:
    """The same on a worker thread."""
    await run_sync(place.__enter__)
    try:
        yield
    except BaseException as error:
        with CancelScope(shield=True):
            await run_sync(place.__exit__, type(error), error, error.__traceback__)
        raise
    with CancelScope(shield=True):
        await run_sync(place.__exit__, None, None, None)


def _soon(portal: BlockingPortal, function: Callable[..., Awaitable[None]], *args: object) -> None:
    portal.start_task_soon(function, *args)
