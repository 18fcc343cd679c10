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
import anyio.lowlevel

from fanout.errors import FormRefused, ProviderError
from fanout.events import (
    AggregatePlanned,
    AggregateWritten,
    AttemptFailed,
    AttemptStarted,
    BallotCast,
    BranchFinished,
    BranchQueued,
    BranchWrote,
    MeaningMeasured,
    PassagesFound,
)
from fanout.insight.similarity import cosines
from fanout.kernel.attempt import attempt
from fanout.kernel.calls import Calls
from fanout.kernel.outcome import NO_CALL, Outcome, bug, usage_of
from fanout.kernel.recorder import Recorder
from fanout.kernel.retries import RetryPolicy
from fanout.providers.base import Done, TextPiece
from fanout.retrieval.passages import Hit
from fanout.snapshot import Branch, Snapshot
from fanout.structured.asking import Rung
from fanout.structured.reading import read
from fanout.types import BranchId, BranchPlan, BranchState, Failure, FailureKind, Usage
from fanout.voting.ballot import Ballot

log = logging.getLogger(__name__)

MEANING_S = 20.0
Then: TypeAlias = Callable[[BranchPlan], Awaitable[None]]
"""What else a branch does once its answer is there, before it is finished."""
Heard: TypeAlias = Callable[[Branch], None]
"""Called as each branch ends, while the others are still at work."""


class RunContext:
    """One run's hands. Used on the engine's loop only."""

    def __init__(
        self,
        *,
        recorder: Recorder,
        calls: Calls,
        retries: RetryPolicy | None = None,
        only: frozenset[BranchId] | None = None,
    ) -> None:
        """`only` names the branches to ask again in a resumed run; the others stay as they are."""
        self._recorder = recorder
        self._calls = calls
        self._only = only
        self._retries = retries or RetryPolicy()
        self._scopes: dict[BranchId, anyio.CancelScope] = {}
        self._stopping: set[BranchId] = set()
        self._not_needed: set[BranchId] = set()
        self._spent: dict[BranchId, Usage] = {}
        """On answers that were asked for once more."""
        self.stopped = False
        """True once a person stopped the whole run: nothing new is started."""

    @property
    def snapshot(self) -> Snapshot:
        """The run as it stands."""
        return self._recorder.snapshot

    @property
    def planned(self) -> tuple[BranchPlan, ...]:
        """The branches as they were planned when the run started."""
        return tuple(branch.plan for branch in self.snapshot.branches)

    async def fan_out(
        self, plans: Sequence[BranchPlan], *, then: Then | None = None, heard: Heard | None = None
    ) -> tuple[Branch, ...]:
        """Do all at once and wait for all; results in the order of the plans."""

        async def one(plan: BranchPlan) -> None:
            branch = await self.ask(plan, then=then)
            if heard is not None:
                heard(branch)

        async with anyio.create_task_group() as group:
            for plan in plans:
                if self._only is None or plan.id in self._only or self._is_new(plan):
                    group.start_soon(one, plan)
        return tuple(self.snapshot.branch(plan.id) for plan in plans)

    async def ask(self, plan: BranchPlan, *, then: Then | None = None) -> Branch:
        """Make one call with its retries; the finished branch. Raises only when cancelled.

        A plan without messages asks nobody: it only does what `then` does.
        """
        outcome = Outcome(state=BranchState.STOPPED)
        try:
            with anyio.CancelScope() as scope:
                self._scopes[plan.id] = scope
                if self.stopped or plan.id in self._stopping | self._not_needed:
                    scope.cancel()
                outcome = await self._until_answered(plan, then)
        finally:
            self._scopes.pop(plan.id, None)
            if outcome.state is BranchState.STOPPED and plan.id in self._not_needed:
                outcome = Outcome(state=BranchState.SKIPPED)
            self._finish(plan, outcome)
        return self.snapshot.branch(plan.id)

    def stop(self, branch_id: BranchId | None = None) -> None:
        """Stop one branch, or everything; partial text is kept and connections close."""
        if branch_id is None:
            self.stopped = True
            self._cancel(list(self._scopes))
        else:
            self._stopping.add(branch_id)
            self._cancel([branch_id])

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
        hits = await self._calls.search(queries, limit=limit, documents=documents, model=plan.model)
        at = self._recorder.now_s()
        self._recorder.emit(PassagesFound(at=at, id=plan.id, queries=tuple(queries), hits=hits))
        return hits

    async def measure_meaning(self) -> None:
        """Compare the branches' texts by embeddings where their endpoint has any, within 20 s."""
        branches = [b for b in self.snapshot.branches if b.state.succeeded and b.text.strip()]
        if len(branches) < 2 or self.stopped:
            return
        with anyio.move_on_after(MEANING_S):
            found = await self._calls.vectors(branches[0].plan.model, [b.text for b in branches])
            if found is None:
                return
            model, vectors = found
            at = self._recorder.now_s()
            self._recorder.emit(
                MeaningMeasured(
                    at=at,
                    model=model,
                    branches=tuple(branch.id for branch in branches),
                    cosines=cosines(vectors),
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

    def _cancel(self, ids: Iterable[BranchId]) -> None:
        for branch_id in ids:
            if branch_id in self._scopes:
                self._scopes[branch_id].cancel()

    async def _until_answered(self, plan: BranchPlan, then: Then | None) -> Outcome:
        number = 0
        plainer: Rung | None = None
        while True:
            number += 1
            done: Done | None = None
            try:
                done = await self._once(plan, number, plainer)
                if then is not None:
                    await then(plan)
                return Outcome(state=BranchState.DONE, done=done)
            except _Respell as error:
                plainer = error.rung
                await self._back_off(plan, error.failure, 0.0)
                continue
            except ProviderError as error:
                failure = error.failure
            except Exception as error:
                log.exception("branch %s of run %s", plan.id, self.snapshot.run_id)
                failure = bug(error)
            wrote = bool(self.snapshot.branch(plan.id).text)
            wait_s = self._retries.wait_s(failure, number, wrote=wrote)
            if wait_s is None:
                state = BranchState.TIMED_OUT if failure.timed_out else BranchState.FAILED
                return Outcome(state=state, failure=failure, done=done)
            await self._back_off(plan, failure, wait_s)

    async def _once(self, plan: BranchPlan, number: int, plainer: Rung | None) -> Done:
        self._recorder.emit(BranchQueued(at=self._recorder.now_s(), id=plan.id))
        if not plan.messages:
            self._recorder.emit(
                AttemptStarted(at=self._recorder.now_s(), id=plan.id, attempt=number)
            )
            return Done(finish_reason="stop", usage=Usage())
        async with self._calls.slots(plan.model.endpoint):
            # It may have been called off in the moment in which the slot came free.
            await anyio.lowlevel.checkpoint_if_cancelled()
            started = AttemptStarted(at=self._recorder.now_s(), id=plan.id, attempt=number)
            self._recorder.emit(started)
            done, rung = await self._in_form(plan, plainer)
        if plan.form is not None and rung is not None and done.finish_reason != "length":
            lower = self._learn(plan, rung)
            if lower is not None and plainer is None:
                answered = Outcome(state=BranchState.DONE, done=done)
                self._spent[plan.id] = usage_of(self.snapshot.branch(plan.id), answered)
                raise _Respell(lower)
        return done

    async def _in_form(self, plan: BranchPlan, plainer: Rung | None) -> tuple[Done, Rung | None]:
        """Ask in the best form that the model is known to manage; what it refuses is learnt."""
        provider = self._calls.provider(plan.model)

        def write(piece: TextPiece) -> None:
            self.write(plan.id, piece.text, piece.pieces)

        while True:
            rung = None if plan.form is None else plainer or self._calls.ladder.rung(plan.model)
            try:
                return await attempt(provider, plan, rung, write), rung
            except FormRefused:
                # A plainer form may be refused where a better one is taken: that is no lesson.
                plainer = None if plainer is None else plainer.below
                if plainer is None and not (rung and self._calls.ladder.refused(plan.model, rung)):
                    raise

    def _learn(self, plan: BranchPlan, rung: Rung) -> Rung | None:
        """Remember whether the form was kept; the plainer one where asking once more may help."""
        assert plan.form is not None
        reading = read(plan.form, self.snapshot.branch(plan.id).text)
        if reading.value is not None and (rung is Rung.LINES or reading.rung == "json"):
            self._calls.ladder.worked(plan.model, rung)
            return None
        # A value outside its limits says nothing against the form.
        if reading.rung != "json":
            self._calls.ladder.ignored(plan.model, rung)
        return rung.below if reading.value is None else None

    async def _back_off(self, plan: BranchPlan, failure: Failure, wait_s: float) -> None:
        at = self._recorder.now_s()
        self._recorder.emit(
            AttemptFailed(
                at=at,
                id=plan.id,
                failure=failure,
                retry_at=at + wait_s,
                attempts_allowed=self._retries.attempts,
            )
        )
        await anyio.sleep(wait_s)

    def _finish(self, plan: BranchPlan, outcome: Outcome) -> None:
        usage = usage_of(self.snapshot.branch(plan.id), outcome)
        usage += self._spent.pop(plan.id, Usage())
        self._recorder.emit(
            BranchFinished(
                at=self._recorder.now_s(),
                id=plan.id,
                state=outcome.state,
                usage=usage,
                cost=self._calls.cost(plan, usage) if plan.messages else NO_CALL,
                failure=outcome.failure,
                finish_reason=outcome.done.finish_reason if outcome.done else None,
            )
        )


class _Respell(Exception):
    """The answer kept no form; the model is asked once more, in a plainer one."""

    def __init__(self, rung: Rung) -> None:
        super().__init__(rung)
        self.rung = rung

    failure = Failure(
        kind=FailureKind.BAD_RESPONSE,
        message="The answer was not in the form that was asked for; the model is asked once more, "
        "with the form spelt out.",
        retryable=True,
    )
