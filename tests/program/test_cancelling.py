"""asyncio's own cancellation, at any moment, leaves no run and no engine without an owner."""

from __future__ import annotations

import asyncio
import tempfile
import threading
import time
from collections.abc import Awaitable, Callable, Collection
from pathlib import Path

import pytest

import fanout
from fanout.program.handover import done_anyway, handed_over
from fanout.providers.script import Reply, Script
from fanout.providers.scripted_server import ServerHandle, serving

SLOW = Script(otherwise=Reply(text="word " * 400, tokens_per_s=40))
Cancelling = Callable[[Awaitable[object], float], Awaitable[None]]


async def by_wait_for(awaited: Awaitable[object], after_s: float) -> None:
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(awaited, after_s)


async def by_timeout(awaited: Awaitable[object], after_s: float) -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(after_s):
            await awaited


async def by_hand(awaited: Awaitable[object], after_s: float) -> None:
    task = asyncio.ensure_future(awaited)
    await asyncio.sleep(after_s)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


WAYS = [by_wait_for, by_timeout, by_hand]
MOMENTS_S = [0.0, 0.02, 0.05, 0.1, 0.2, 0.4, 0.8]


def pair() -> fanout.Workflow:
    branches = [
        {"id": one, "title": one, "prompt": f"{one} {{topic}}"} for one in ("left", "right")
    ]
    return fanout.parse({"title": "Pair", "branches": branches}, name="pair")


def engines(others: Collection[threading.Thread]) -> int:
    own = set(threading.enumerate()) - set(others)
    return sum(thread.name.startswith("fanout-") for thread in own)


def wait_until(true: Callable[[], bool]) -> bool:
    until = time.monotonic() + 15
    while not true() and time.monotonic() < until:
        time.sleep(0.02)
    return true()


@pytest.fixture
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where sessions without a home have theirs."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def nothing_is_left(
    server: ServerHandle, folders: Path, others: Collection[threading.Thread]
) -> bool:
    return (
        wait_until(lambda: engines(others) == 0)
        and wait_until(lambda: not list(folders.glob("fanout-*")))
        and server.wait_until(lambda seen: seen.in_flight == 0)
    )


@pytest.mark.parametrize("cancelled", WAYS)
def test_a_run_that_is_cancelled_at_any_moment_leaves_nothing(
    cancelled: Cancelling, folders: Path
) -> None:
    with serving(SLOW) as server:

        async def main(after_s: float) -> None:
            await cancelled(
                fanout.run(pair(), topic="rain", endpoint=server.base_url, model="m"), after_s
            )

        others = threading.enumerate()
        for after_s in MOMENTS_S:
            asyncio.run(main(after_s))
            assert nothing_is_left(server, folders, others), after_s


@pytest.mark.parametrize("cancelled", WAYS)
def test_a_stream_that_is_cancelled_at_any_moment_leaves_nothing(
    cancelled: Cancelling, folders: Path
) -> None:
    with serving(SLOW) as server:

        async def look() -> None:
            async with fanout.stream(
                pair(), topic="rain", endpoint=server.base_url, model="m"
            ) as live:
                async for _ in live:
                    pass

        async def main(after_s: float) -> None:
            await cancelled(look(), after_s)

        others = threading.enumerate()
        for after_s in MOMENTS_S:
            asyncio.run(main(after_s))
            assert nothing_is_left(server, folders, others), after_s


@pytest.mark.parametrize("cancelled", WAYS)
def test_a_run_of_a_session_is_stopped_while_the_session_goes_on(cancelled: Cancelling) -> None:
    with serving(SLOW) as server:

        async def main() -> None:
            async with fanout.Session(endpoint=server.base_url, model="m") as session:
                for after_s in (0.0, 0.005, 0.01, 0.02, 0.04, 0.3):
                    await cancelled(session.run(pair(), topic="rain"), after_s)
                    runtime = session._runtime
                    assert runtime is not None
                    # In a while: the thread that starts it may still be at it.
                    await asyncio.sleep(0.3)
                    for run in runtime.engine.runs():
                        await asyncio.to_thread(run.wait, 10)
                        assert run.snapshot.status is fanout.RunStatus.STOPPED

        asyncio.run(main())
        assert server.wait_until(lambda seen: seen.in_flight == 0)


def test_what_is_made_after_the_task_has_left_is_undone() -> None:
    begun, go_on, undone = threading.Event(), threading.Event(), threading.Event()

    def make() -> str:
        begun.set()
        assert go_on.wait(10)
        return "made"

    async def main() -> None:
        task = asyncio.ensure_future(handed_over(make, lambda _made: undone.set()))
        assert await asyncio.to_thread(begun.wait, 10)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert not undone.is_set()
        go_on.set()

    asyncio.run(main())
    assert undone.wait(10)


def test_what_is_made_in_the_moment_of_leaving_is_undone() -> None:
    """The thread is ready, and its task hears of the cancelling first."""
    begun, go_on, undone = threading.Event(), threading.Event(), threading.Event()

    def make() -> str:
        begun.set()
        assert go_on.wait(10)
        return "made"

    async def main() -> None:
        task = asyncio.ensure_future(handed_over(make, lambda _made: undone.set()))
        assert await asyncio.to_thread(begun.wait, 10)
        go_on.set()
        # The loop isn't let in meanwhile, so the task can't take what was made.
        undone.wait(0.2)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    assert undone.wait(10)


def test_what_has_to_be_done_is_done_though_it_could_not_even_begin() -> None:
    done = threading.Event()

    async def main() -> None:
        task = asyncio.ensure_future(done_anyway(done.set))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    assert done.wait(10)
