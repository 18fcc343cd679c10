"""One run and no more: a session opened for it and closed behind it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio

from fanout.endpoint import Endpoint, Secret
from fanout.program.live import Live
from fanout.program.result import Result
from fanout.program.session import AnyWorkflow, OnEvent, Session


async def run(
    workflow: AnyWorkflow,
    *,
    topic: str,
    endpoint: str | Endpoint | None = None,
    model: str = "",
    api_key: str | Secret | None = None,
    home: str | Path | None = None,
    on_event: OnEvent | None = None,
) -> Result:
    """Run a workflow on a topic and return what came of it.

    `workflow` is a name ("creative-trio"), a .toml file or a `Workflow`; the rest is as in
    `Session` and `Session.run`. Opening a session takes about a tenth of a second, and more where
    the bundled model is loaded: keep one open for several runs.
    """
    async with Session(endpoint=endpoint, model=model, api_key=api_key, home=home) as session:
        return await session.run(workflow, topic=topic, on_event=on_event)


@asynccontextmanager
async def stream(
    workflow: AnyWorkflow,
    *,
    topic: str,
    endpoint: str | Endpoint | None = None,
    model: str = "",
    api_key: str | Secret | None = None,
    home: str | Path | None = None,
) -> AsyncIterator[Live]:
    """The same, to be looked at while it goes on: `async with stream(...) as live`."""
    async with (
        Session(endpoint=endpoint, model=model, api_key=api_key, home=home) as session,
        session.stream(workflow, topic=topic) as live,
    ):
        yield live


def run_sync(
    workflow: AnyWorkflow,
    *,
    topic: str,
    endpoint: str | Endpoint | None = None,
    model: str = "",
    api_key: str | Secret | None = None,
    home: str | Path | None = None,
    on_event: OnEvent | None = None,
) -> Result:
    """`run` for programs without an event loop; RuntimeError where one runs in this thread."""
    if _in_loop():
        raise RuntimeError(
            "fanout.run_sync can't wait where an event loop runs already, as in a coroutine or a "
            "notebook. Use `await fanout.run(...)` there, with the same arguments."
        )

    async def main() -> Result:
        return await run(
            workflow,
            topic=topic,
            endpoint=endpoint,
            model=model,
            api_key=api_key,
            home=home,
            on_event=on_event,
        )

    return anyio.run(main)


def _in_loop() -> bool:
    try:
        anyio.current_time()
    except RuntimeError:
        return False
    return True
