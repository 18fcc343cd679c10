"""A run being carried out on the engine's loop, and carried on when a branch is asked again."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Collection, Sequence
from functools import partial
from itertools import count
from typing import ClassVar, Protocol, TypeAlias

from fanout import pricing
from fanout.engine.endpoints import EndpointBook
from fanout.events import RunFinished, RunResumed
from fanout.kernel.calls import Embed, Gate, Purse
from fanout.kernel.context import RunContext
from fanout.kernel.prefix import PrefixMemory
from fanout.kernel.recorder import Recorder
from fanout.policies import EndpointPolicy, Policies
from fanout.providers.base import Primer, Provider
from fanout.retrieval.passages import Hit
from fanout.snapshot import Snapshot
from fanout.structured.ladder import Ladder
from fanout.types import (
    AGGREGATE,
    BranchId,
    Cost,
    EndpointId,
    Failure,
    FailureKind,
    ModelRef,
    RunStatus,
    Usage,
)
from fanout.workflows.combining.combine import combine
from fanout.workflows.combining.material import Material
from fanout.workflows.definition import Workflow
from fanout.workflows.prompting import Resolve
from fanout.workflows.run import outcome, run
from fanout.workflows.specs import AggregateSpec

log = logging.getLogger(__name__)

Work: TypeAlias = Callable[[], Awaitable[None]]
MOST_AGGREGATES = 8
"""Combined answers that one run keeps side by side."""


class Search(Protocol):
    async def __call__(
        self,
        queries: Sequence[str],
        *,
        limit: int,
        documents: Sequence[str],
        model: ModelRef,
        embed: Embed,
    ) -> tuple[Hit, ...]: ...


class SharedCalls:
    """The kernel's view of the process: its endpoints, their slots and their prices."""

    patient: ClassVar[bool] = False
    """Whether answers come when they come, so that no deadline of a call counts."""

    def __init__(
        self,
        endpoints: EndpointBook,
        search: Search,
        ladder: Ladder | None = None,
        prefixes: PrefixMemory | None = None,
    ) -> None:
        """Without `ladder` and `prefixes` nothing is known of any model yet."""
        self.endpoints = endpoints
        self._search = search
        self.ladder = ladder or Ladder()
        self.prefixes = prefixes or PrefixMemory()

    def of(self, recorder: Recorder) -> SharedCalls:
        """The view of one run, each time that it begins or goes on."""
        return self

    def called_off(self, branch: BranchId | None) -> None:
        """Somebody stopped a branch, or with None the run."""

    def ended(self) -> None:
        """The run has ended; it may not be written down yet."""

    def provider(self, model: ModelRef) -> Provider:
        return self.endpoints.provider(model)

    def gate(self, endpoint: EndpointId) -> Gate:
        return self.endpoints.gate(endpoint)

    def endpoint_policy(self, endpoint: EndpointId) -> EndpointPolicy:
        if endpoint not in self.endpoints:
            return EndpointPolicy()
        return self.endpoints.get(endpoint).policy

    def primer(self, endpoint: EndpointId) -> Primer | None:
        if endpoint not in self.endpoints:
            return None
        provider = self.endpoints.provider(ModelRef(endpoint=endpoint, model=""))
        return provider if isinstance(provider, Primer) else None

    def cost(self, model: ModelRef, usage: Usage) -> Cost | None:
        if model.endpoint not in self.endpoints:
            return None
        return pricing.cost(self.endpoints.get(model.endpoint), model.model, usage)

    def embedding_model(self, endpoint: EndpointId) -> ModelRef | None:
        known = self.endpoints.known(endpoint)
        if known is None or not known.embedding_model:
            return None
        return ModelRef(endpoint=endpoint, model=known.embedding_model)

    async def search(
        self,
        queries: Sequence[str],
        *,
        limit: int,
        documents: Sequence[str],
        model: ModelRef,
        embed: Embed,
    ) -> tuple[Hit, ...]:
        return await self._search(
            queries, limit=limit, documents=documents, model=model, embed=embed
        )


class Execution:
    """Lives on the engine's loop; every method but the constructor is called there."""

    def __init__(
        self,
        *,
        workflow: Workflow,
        topic: str,
        resolve: Resolve,
        recorder: Recorder,
        calls: SharedCalls,
        policies: Policies,
        purse: Purse | None = None,
        sequential: bool = False,
    ) -> None:
        self._sequential = sequential
        self._workflow = workflow
        self._topic = topic
        self._resolve = resolve
        self._recorder = recorder
        self._calls = calls
        self._view = calls
        self._policies = policies
        self._purse = purse
        self._context = self._fresh_context(None)
        self._at_work = 0
        self._promised: set[BranchId] = set()
        self._failure: Failure | None = None

    async def main(self) -> None:
        """From the first call to the run's last event; nothing expected ever raises out of it."""
        await self._begun(self._whole)()

    def combine(self, spec: AggregateSpec, left_out: frozenset[BranchId]) -> Work | None:
        """What writes one more aggregate beside those that are there, of what is ready by now.

        While the run goes on it is written along with it; a finished run goes on for it. None:
        there is nothing to combine, or no room.
        """
        snapshot = self._recorder.snapshot
        material = Material(
            workflow=self._workflow,
            topic=self._topic,
            snapshot=snapshot,
            resolve=self._resolve,
            id=_next_id(snapshot, self._promised),
            left_out=left_out,
        )
        if not material.used or len(_taken(snapshot, self._promised)) >= MOST_AGGREGATES:
            return None
        if snapshot.status.finished:
            self._context = self._fresh_context(frozenset())
            at = self._recorder.now_s()
            self._recorder.emit(RunResumed(at=at, branches=(), combining=True))
        self._promised.add(material.id)
        return self._begun(lambda context: combine(spec, material, context))

    def stop(self, branch: BranchId | None) -> None:
        if not self._recorder.snapshot.status.finished:
            self._view.called_off(branch)
            self._context.stop(branch)

    def interrupt(self) -> None:
        """The process ends, or has lost the run: what is missing can be resumed later."""
        if not self._recorder.snapshot.status.finished:
            self._context.interrupt()

    @property
    def ended(self) -> bool:
        return self._recorder.snapshot.status.finished

    @property
    def overtaken(self) -> bool:
        """Whether the record went on without it, so that nothing more of it is kept."""
        return self._recorder.overtaken

    def reopen(self, branch: BranchId | None) -> Work | None:
        """Make a finished run ready to go on with that branch, or with all that have no answer.

        Returns what carries it out; None where there is nothing to do.
        """
        snapshot = self._recorder.snapshot
        if not snapshot.status.finished:
            return None
        missing = frozenset(b.id for b in snapshot.branches if not b.state.succeeded)
        needed = frozenset(b.id for b in snapshot.branches if b.id in missing and not b.not_needed)
        redo = needed if branch is None else missing & {branch}
        aggregate_missing = self._workflow.aggregate is not None and (
            snapshot.aggregate is None or not snapshot.aggregate.branch.state.succeeded
        )
        combine_anew = aggregate_missing or bool(snapshot.late)
        if not redo and not (combine_anew and branch in (None, AGGREGATE)):
            return None
        self._context = self._fresh_context(redo)
        at = self._recorder.now_s()
        self._recorder.emit(RunResumed(at=at, branches=tuple(sorted(redo))))
        return self._begun(self._whole)

    def _begun(self, work: Callable[[RunContext], Awaitable[None]]) -> Work:
        """One thing of this run, which has not ended before that is carried out."""
        self._at_work += 1
        return partial(self._carry_out, work)

    async def _whole(self, context: RunContext) -> None:
        await run(self._workflow, self._topic, self._resolve, context)

    async def _carry_out(self, work: Callable[[RunContext], Awaitable[None]]) -> None:
        """Whoever ends last says how the run ended."""
        context = self._context
        try:
            await context.in_time(lambda: work(context))
        except Exception as error:
            log.exception("run %s", self._recorder.snapshot.run_id)
            self._failure = Failure(
                kind=FailureKind.BUG,
                message=f"Fanout made a mistake ({_cause(error)}) and ended this run. "
                "What was written is kept; please report it with the log.",
            )
        finally:
            self._at_work -= 1
            if not self._at_work:
                self._end(context)

    def _end(self, context: RunContext) -> None:
        snapshot = self._recorder.snapshot
        failure, self._failure = self._failure, None
        self._promised.clear()
        status = RunStatus.FAILED if failure else outcome(snapshot, stopped=context.stopped)
        if status is RunStatus.STOPPED and context.interrupted:
            status = RunStatus.INTERRUPTED
        at = self._recorder.now_s()
        self._recorder.emit(RunFinished(at=at, status=status, failure=failure))
        self._view.ended()

    def _fresh_context(self, only: frozenset[BranchId] | None) -> RunContext:
        self._view = self._calls.of(self._recorder)
        return RunContext(
            recorder=self._recorder,
            calls=self._view,
            policies=self._policies,
            purse=self._purse,
            only=only,
            sequential=self._sequential,
            patient=self._calls.patient,
        )


def _next_id(snapshot: Snapshot, promised: Collection[BranchId]) -> BranchId:
    """The workflow's own aggregate has the plain name; further ones are numbered from 2."""
    taken = _taken(snapshot, promised)
    if AGGREGATE not in taken:
        return AGGREGATE
    return next(name for n in count(2) if (name := BranchId(f"{AGGREGATE}-{n}")) not in taken)


def _taken(snapshot: Snapshot, promised: Collection[BranchId]) -> set[BranchId]:
    """Ids of the aggregates that there are or will be, the workflow's own among them."""
    own = () if snapshot.aggregate_kind is None else (AGGREGATE,)
    return {*(made.id for made in snapshot.aggregates), *promised, *own}


def _cause(error: Exception) -> str:
    while isinstance(error, ExceptionGroup):
        error = error.exceptions[0]
    return type(error).__name__
