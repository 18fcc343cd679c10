"""The synchronous front door: start a run, find it again, stop it.

One event loop on one daemon thread carries every run of the process. No page, tab or script
thread owns a run, so reruns, refreshes and closed tabs change nothing about it.
"""

from __future__ import annotations

import secrets
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from importlib.util import find_spec
from typing import TypeVar

from anyio.from_thread import BlockingPortal, start_blocking_portal

from fanout import pricing
from fanout.engine.endpoints import EndpointBook
from fanout.engine.execution import Execution, SharedCalls
from fanout.engine.handle import RunHandle
from fanout.engine.retriever import Retriever
from fanout.errors import SettingsError
from fanout.events import RunStarted
from fanout.kernel.recorder import Recorder
from fanout.kernel.retries import RetryPolicy
from fanout.retrieval.library import Library
from fanout.structured.ladder import Ladder
from fanout.types import BranchId, BranchPlan, ModelRef, RunId
from fanout.workflows.definition import Workflow
from fanout.workflows.run import plan, vote
from fanout.workflows.specs import AggregateSpec
from fanout.workflows.topic import clean_topic

Result = TypeVar("Result")
KEPT_RUNS = 200
"""Finished runs that stay in memory; the oldest go first."""


class Engine:
    """Use as a context manager, or call `close`. All methods may be called from any thread."""

    def __init__(
        self,
        endpoints: EndpointBook,
        *,
        retries: RetryPolicy | None = None,
        library: Callable[[], Library] | None = None,
    ) -> None:
        """`library` opens the user's documents on first need; None: there are none."""
        self.endpoints = endpoints
        retriever = Retriever(library or _no_library, endpoints)
        self._calls = SharedCalls(endpoints, retriever.search, Ladder())
        self._retries = retries or RetryPolicy()
        self._runs: OrderedDict[RunId, RunHandle] = OrderedDict()
        self._portal_context = start_blocking_portal(
            "asyncio", {"use_uvloop": find_spec("uvloop") is not None}, name="fanout-engine"
        )
        self._portal: BlockingPortal = self._portal_context.__enter__()
        self._closed = False

    def __enter__(self) -> Engine:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def start(self, workflow: Workflow, topic: str, model: ModelRef) -> RunHandle:
        """Start a run and return at once. InputError if the topic can't be run."""
        topic = clean_topic(topic)

        def resolve(name: str) -> ModelRef:
            return self._named(self.endpoints.resolve(name, model))

        plans = plan(workflow, topic, resolve)
        self._look_up_prices(plans)
        recorder = Recorder()
        recorder.emit(
            RunStarted(
                at=0.0,
                run_id=RunId(secrets.token_urlsafe(12)),
                workflow=workflow.name,
                title=workflow.title,
                topic=topic,
                branches=plans,
                started_at=recorder.started_at,
                aggregate_kind=workflow.aggregate.kind if workflow.aggregate else None,
                kind=workflow.kind,
                vote=vote(workflow, topic),
            )
        )
        execution = Execution(
            workflow=workflow,
            topic=topic,
            resolve=resolve,
            recorder=recorder,
            calls=self._calls,
            retries=self._retries,
        )

        async def stop(branch: BranchId | None) -> None:
            execution.stop(branch)

        async def retry(branch: BranchId | None) -> None:
            if execution.reopen(branch):
                await execution.main()

        async def combine(spec: AggregateSpec, left_out: frozenset[BranchId]) -> None:
            await execution.combine(spec, left_out)

        handle = RunHandle(
            recorder=recorder,
            workflow=workflow,
            model=model,
            stop=lambda branch: self.soon(stop, branch),
            retry=lambda branch: self.soon(retry, branch),
            combine=lambda spec, left_out: self.soon(combine, spec, left_out),
        )
        self._remember(handle)
        self.soon(execution.main)
        return handle

    def get(self, run_id: str) -> RunHandle | None:
        """The run of that id, live or finished; None if this process doesn't know it."""
        return self._runs.get(RunId(run_id))

    def runs(self) -> tuple[RunHandle, ...]:
        """Newest first."""
        return tuple(reversed(list(self._runs.values())))

    def call(self, function: Callable[..., Awaitable[Result]], *args: object) -> Result:
        """Run a coroutine function on the engine's loop and wait for its result."""
        return self._portal.call(function, *args)

    def soon(self, function: Callable[..., Awaitable[object]], *args: object) -> None:
        """Start a coroutine function on the engine's loop without waiting for it."""
        self._portal.start_task_soon(function, *args)

    def close(self) -> None:
        """Stop every run, close every connection and end the loop. Safe to call twice."""
        if self._closed:
            return
        self._closed = True
        for handle in self.runs():
            if not handle.snapshot.status.finished:
                handle.stop()
                handle.wait(timeout_s=2.0)
        self._portal.call(self.endpoints.aclose)
        self._portal.call(self._portal.stop, True)
        self._portal_context.__exit__(None, None, None)

    def _named(self, model: ModelRef) -> ModelRef:
        """With no model named, the endpoint's own default."""
        if model.model or model.endpoint not in self.endpoints:
            return model
        default = self.endpoints.get(model.endpoint).default_model
        return ModelRef(endpoint=model.endpoint, model=default)

    def _look_up_prices(self, plans: Sequence[BranchPlan]) -> None:
        """The first look-up loads the price list for 0.3 s: not while branches are being timed."""
        for branch in plans:
            if branch.model.endpoint in self.endpoints:
                endpoint = self.endpoints.get(branch.model.endpoint)
                pricing.price(endpoint, branch.model.model)

    def _remember(self, handle: RunHandle) -> None:
        self._runs[handle.id] = handle
        finished = [i for i, run in self._runs.items() if run.snapshot.status.finished]
        for run_id in finished[: max(0, len(self._runs) - KEPT_RUNS)]:
            self._runs.pop(run_id, None)


def _no_library() -> Library:
    raise SettingsError("This engine was opened without documents; give it a library to search in.")
