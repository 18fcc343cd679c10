"""All that a workflow can do: fan out, ask, search, vote, combine; and be stopped midway.

A branch ends in exactly one `BranchFinished`, whatever happens to it: an expected failure, a
person's Stop, a vote that no longer needs it, a bug of ours or the end of the process. Its siblings
never notice.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import TypeAlias

import anyio

from fanout.budget.purse import OpenPurse
from fanout.errors import ProviderError
from fanout.events import (
    AggregatePlanned,
    AggregateWritten,
    BallotCast,
    BranchFinished,
    BranchQueued,
    BranchWrote,
    MeaningMeasured,
    PassagesFound,
)
from fanout.insight.similarity import cosines
from fanout.kernel.asking import Asking, Then
from fanout.kernel.bill import Bill
from fanout.kernel.calls import Calls, Purse
from fanout.kernel.fan_in import FanInWait
from fanout.kernel.means import Means
from fanout.kernel.opening import Openings
from fanout.kernel.outcome import NO_CALL, Outcome
from fanout.kernel.priming import learn, opening
from fanout.kernel.recorder import Recorder
from fanout.kernel.vectors import paid
from fanout.policies import Policies
from fanout.retrieval.passages import Hit
from fanout.snapshot import Branch, Snapshot
from fanout.types import (
    ENDED_WITH_FANOUT,
    BranchId,
    BranchPlan,
    BranchState,
    Failure,
    FailureKind,
    Usage,
)
from fanout.voting.ballot import Ballot

log = logging.getLogger(__name__)

MEANING_S = 5.0
Heard: TypeAlias = Callable[[Branch], None]
"""Called as each branch ends, while the others are still at work."""
Combine: TypeAlias = Callable[[], Awaitable[None]]


class RunContext:
    """One run's hands. Used on the engine's loop only."""

    def __init__(
        self,
        *,
        recorder: Recorder,
        calls: Calls,
        policies: Policies | None = None,
        purse: Purse | None = None,
        only: frozenset[BranchId] | None = None,
        sequential: bool = False,
        patient: bool = False,
    ) -> None:
        """`only` names the branches to ask again in a resumed run; the others stay as they are.

        `sequential` asks one after another, to measure what going parallel brings; `patient` waits
        for each answer as long as it takes.
        """
        self._recorder = recorder
        self._calls = calls
        self._only = only
        self._sequential = sequential
        self._policies = policies or Policies()
        self._means = Means(
            recorder=recorder,
            calls=calls,
            policies=self._policies,
            purse=purse or OpenPurse(),
            openings=Openings(),
            patient=patient,
        )
        self._asking = Asking(self._means)
        self._scopes: dict[BranchId, anyio.CancelScope] = {}
        self._measuring: anyio.CancelScope | None = None
        self._stopping: set[BranchId] = set()
        self._not_needed: set[BranchId] = set()
        self._out_of_time: Failure | None = None
        self.stopped = False
        """True once the whole run was stopped: nothing new is started."""
        self.interrupted = False
        """True where that was the end of the process, and nobody's choice."""

    @property
    def snapshot(self) -> Snapshot:
        """The run as it stands."""
        return self._recorder.snapshot

    @property
    def planned(self) -> tuple[BranchPlan, ...]:
        """The branches as they were planned when the run started."""
        return tuple(branch.plan for branch in self.snapshot.branches)

    async def fan_out(
        self,
        plans: Sequence[BranchPlan],
        *,
        then: Then | None = None,
        heard: Heard | None = None,
        combine: Combine | None = None,
    ) -> tuple[Branch, ...]:
        """Do all at once and wait for all; results in the order of the plans.

        `combine` is called once the run's fan-in policy has what it asked for, while branches that
        are late for it go on.
        """
        wanted = [p for p in plans if self._only is None or p.id in self._only or self._is_new(p)]
        wait = FanInWait(self._recorder, self._policies.fan_in, [plan.id for plan in wanted])

        async def one(plan: BranchPlan) -> None:
            branch = await self.ask(plan, then=then)
            if heard is not None:
                heard(branch)
            wait.heard(plan.id)

        async def all_of_them() -> None:
            if self._sequential:
                for plan in wanted:
                    await one(plan)
            else:
                async with anyio.create_task_group() as branches:
                    ways = opening(self._means, wanted, branches)
                    for plan in wanted:
                        branches.start_soon(one, plan)
                learn(self._means, ways)
            wait.all_ended()

        async with anyio.create_task_group() as group:
            group.start_soon(all_of_them)
            if combine is not None:
                await wait.reached(lambda: self.stopped, self._not_needed)
                await combine()
        return tuple(self.snapshot.branch(plan.id) for plan in plans)

    async def ask(self, plan: BranchPlan, *, then: Then | None = None) -> Branch:
        """Make one call with its retries; the finished branch. Raises only when cancelled.

        A plan without messages asks nobody: it only does what `then` does.
        """
        outcome = Outcome(state=BranchState.STOPPED)
        try:
            with anyio.CancelScope() as scope:
                self._scopes[plan.id] = scope
                if self.over or plan.id in self._stopping | self._not_needed:
                    scope.cancel()
                outcome = await self._asking.until_answered(plan, then)
        finally:
            self._scopes.pop(plan.id, None)
            if outcome.state is BranchState.STOPPED and plan.id in self._not_needed:
                outcome = Outcome(state=BranchState.SKIPPED)
            elif outcome.state is BranchState.STOPPED and self.interrupted:
                outcome = Outcome(state=BranchState.STOPPED, failure=ENDED_WITH_FANOUT)
            elif outcome.state is BranchState.STOPPED and self._timed_out(plan):
                outcome = Outcome(state=BranchState.TIMED_OUT, failure=self._out_of_time)
            self._means.openings.ended(plan.id)
            self._finish(plan, outcome)
        return self.snapshot.branch(plan.id)

    def stop(self, branch_id: BranchId | None = None) -> None:
        """Stop one branch, or everything; partial text is kept and connections close."""
        if branch_id is None:
            self.stopped = True
            self._cancel_all()
        else:
            self._stopping.add(branch_id)
            self._cancel([branch_id])

    async def in_time(self, work: Callable[[], Awaitable[None]]) -> None:
        """Do that within the run's deadline; what is open when it passes has timed out."""
        limit_s = self._policies.run_s
        async with anyio.create_task_group() as group:
            if limit_s is not None:
                group.start_soon(self._time_out_after, limit_s)
            await work()
            group.cancel_scope.cancel()

    async def _time_out_after(self, limit_s: float) -> None:
        await anyio.sleep(limit_s)
        self._out_of_time = Failure(
            kind=FailureKind.TIMEOUT_TOTAL,
            message=f"The whole run had {limit_s:g} s, and they are over. What was written is "
            "kept; retry this branch, or give the run more time.",
            retryable=True,
        )
        self._cancel_all()

    @property
    def over(self) -> bool:
        """Whether nothing new is started: it was stopped, or its time is up."""
        return self.stopped or self._out_of_time is not None

    def _timed_out(self, plan: BranchPlan) -> bool:
        chosen = self.stopped or plan.id in self._stopping
        return self._out_of_time is not None and not chosen

    def interrupt(self) -> None:
        """Stop everything because the process ends."""
        self.interrupted = True
        self.stop()

    def skip(self, branch_ids: Iterable[BranchId]) -> None:
        """Call off branches that are not needed any more; those that have finished stay."""
        ids = [i for i in branch_ids if not self.snapshot.branch(i).state.finished]
        self._not_needed.update(ids)
        self._cancel(ids)

    def cast(self, branch_id: BranchId, ballot: Ballot) -> None:
        """Record how a branch voted."""
        self._recorder.emit(BallotCast(at=self._recorder.now_s(), id=branch_id, ballot=ballot))

    async def search(
        self, plan: BranchPlan, queries: Sequence[str], *, limit: int, documents: Sequence[str]
    ) -> tuple[Hit, ...]:
        """Search the user's documents for a branch, and record what was found."""
        hits = await self._calls.search(
            queries,
            limit=limit,
            documents=documents,
            model=plan.model,
            embed=paid(self._means),
        )
        at = self._recorder.now_s()
        self._recorder.emit(PassagesFound(at=at, id=plan.id, queries=tuple(queries), hits=hits))
        return hits

    async def measure_meaning(self) -> None:
        """Compare the branches' texts by embeddings where their endpoint has any, within 5 s."""
        branches = [b for b in self.snapshot.branches if b.state.succeeded and b.text.strip()]
        if len(branches) < 2 or self.over:
            return
        embedder = self._calls.embedding_model(branches[0].plan.model.endpoint)
        if embedder is None:
            return
        with anyio.move_on_after(MEANING_S) as self._measuring:
            try:
                made = await paid(self._means)(embedder, [b.text for b in branches])
            except ProviderError as error:
                log.warning("meaning was not measured: %s", error)
                return
            at = self._recorder.now_s()
            self._recorder.emit(
                MeaningMeasured(
                    at=at,
                    model=embedder.model,
                    branches=tuple(branch.id for branch in branches),
                    cosines=cosines(made.vectors),
                )
            )

    def write(self, branch_id: BranchId, text: str, pieces: int = 0) -> None:
        """Text of our own in a branch, such as a list of what it found."""
        at = self._recorder.now_s()
        self._recorder.emit(BranchWrote(at=at, id=branch_id, text=text, pieces=pieces))

    def begin_aggregate(self, planned: AggregatePlanned) -> None:
        """Say what is going to be combined, and how; its calls follow."""
        self._recorder.emit(planned)

    def now_s(self) -> float:
        """Seconds since the run began."""
        return self._recorder.now_s()

    def settle(self, plan: BranchPlan, text: str, failure: Failure | None = None) -> Branch:
        """A combined answer that needs no call: counted, ranked or joined, it is there at once."""
        at = self._recorder.now_s()
        self._recorder.emit(BranchQueued(at=at, id=plan.id))
        if text:
            self._recorder.emit(BranchWrote(at=at, id=plan.id, text=text, pieces=0))
        state = BranchState.FAILED if failure else BranchState.DONE
        self._recorder.emit(
            BranchFinished(
                at=at, id=plan.id, state=state, usage=Usage(), cost=NO_CALL, failure=failure
            )
        )
        return self.snapshot.branch(plan.id)

    def rewrite(self, branch_id: BranchId, text: str) -> None:
        """Give a combined answer its readable form."""
        at = self._recorder.now_s()
        self._recorder.emit(AggregateWritten(at=at, id=branch_id, text=text))

    def _is_new(self, plan: BranchPlan) -> bool:
        """Whether it never ran: the judges of a new aggregate belong to no resumed branch."""
        return plan.id not in {branch.id for branch in self.snapshot.branches}

    def _cancel_all(self) -> None:
        self._cancel(list(self._scopes))
        if self._measuring is not None:
            self._measuring.cancel()

    def _cancel(self, ids: Iterable[BranchId]) -> None:
        for branch_id in ids:
            if branch_id in self._scopes:
                self._scopes[branch_id].cancel()

    def _finish(self, plan: BranchPlan, outcome: Outcome) -> None:
        bill = self._asking.bill(plan.id)
        if self._means.patient and self.stopped and outcome.state is BranchState.STOPPED:
            # What it was told and what it waits for is there when the run goes on: it counts then.
            bill = Bill()
        answered = self.snapshot.branch(plan.id).answered_by
        self._recorder.emit(
            BranchFinished(
                at=self._recorder.now_s(),
                id=plan.id,
                state=outcome.state,
                usage=bill.usage,
                cost=bill.cost(self._calls.cost, answered) if plan.messages else NO_CALL,
                failure=outcome.failure,
                finish_reason=outcome.done.finish_reason if outcome.done else None,
            )
        )
