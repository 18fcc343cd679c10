"""The rows that this process has in hand: each a run of the engine, begun or gone on with.

The engine carries a row out on its own loop, as any run. Here is only waited until what ended is
in the record for good, so that nothing which a checkpoint calls done can be lost by a crash.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection
from contextlib import suppress
from typing import NamedTuple

from anyio import sleep, sleep_forever

from fanout.batch.bell import Bell
from fanout.batch.hand import Hand, Key, kept
from fanout.batch.lull import Lull
from fanout.batch.measures import row_result, stopped_by_budget
from fanout.batch.places import check_places, models_named
from fanout.batch.tries import Tries
from fanout.batches import Batch, RowRecord, RowResult, RowState
from fanout.engine.engine import Engine, new_run_id
from fanout.engine.handle import RunHandle
from fanout.errors import DefinitionError, InputError, StoreError
from fanout.snapshot import Snapshot
from fanout.store.store import Store
from fanout.types import BatchId, BranchId, FailureKind, RowPlace, RunStatus
from fanout.workflows.definition import Workflow
from fanout.workflows.parsing import parse

log = logging.getLogger(__name__)

AGAIN_S = 0.5
"""Between two tries on a run that another process has."""
LOOK_S = 1.0
"""How often a run that another process carries out is looked at."""
LONGEST_WAIT_S = 30.0
"""A run that rings nobody is looked at after this in any case."""

MISTAKE = "Fanout made a mistake with this row and ended it. Please report it with the log."


class Plan(NamedTuple):
    """What a row's workflow waits for, in this order."""

    branches: tuple[str, ...]
    combined: bool


class Over(Exception):
    """This go has nothing more to do: another one has the row, or its batch was stopped."""


class Desk:
    """All coroutines run on the durable engine's loop; the other methods on any thread."""

    def __init__(self, engine: Engine, store: Store, ended: Callable[[], None]) -> None:
        """`ended` is told, on any thread, that a row has ended."""
        self._engine = engine
        self._store = store
        self._ended = ended
        self.lull = Lull(engine.book)
        self._hands: dict[Key, Hand] = {}
        self._coming: set[Key] = set()
        self._lulled: set[Key] = set()
        self._halted: set[Key] = set()
        self._batches: dict[BatchId, Batch] = {}
        self._closing = False
        self._tried = Tries(lambda: self._closing)

    @property
    def keys(self) -> frozenset[Key]:
        """The rows in hand, and those being taken."""
        return frozenset((*self._hands, *self._coming, *self._lulled))

    async def begin(self, key: Key) -> Plan | None:
        """Begin the row's run, or let the one of an earlier go ask for what it lacks.

        Returns once that is in the record; None where there is nothing to carry out.
        """
        try:
            await self._lull(key)
            await self._take(key, again=True)
            hand = await self._until(key, lambda one: one.handle.kept >= one.begun)
        except Over:
            return None
        except (InputError, DefinitionError) as error:
            await self._end(key, RowResult(state=RowState.FAILED, message=str(error)))
            return None
        shown = hand.handle.snapshot
        branches = tuple(str(branch.id) for branch in shown.branches)
        return Plan(branches, shown.aggregate_kind is not None)

    async def branch(self, key: Key, branch: str) -> str:
        """Its state once it has ended for good, and that is in the record."""
        wanted = BranchId(branch)
        try:
            hand = await self._until(key, lambda one: kept(one, wanted))
        except Over:
            return ""
        calls = hand.handle.snapshot.calls
        return next((call.state.value for call in calls if call.id == wanted), "")

    async def end(self, key: Key) -> str:
        """Write down what became of the row, once its run has ended; the state that it is in."""
        try:
            hand = await self._until(key, kept)
        except Over:
            self.put_down(key)
            return ""
        snapshot = hand.handle.snapshot
        refused = stopped_by_budget(snapshot)
        if refused is not None and snapshot.status is not RunStatus.STOPPED:
            state = await self._returned(key, hand.batch, refused.message)
        else:
            state = await self._end(key, None, snapshot)
        self.put_down(key)
        self._engine.let_go(snapshot.run_id)
        return state

    async def give_up(self, key: Key) -> str:
        """A mistake of ours ends the row, unless it came of this process's end."""
        if self._closing or self._engine.closed:
            await sleep_forever()
        self.put_down(key)
        return await self._end(
            key, RowResult(state=RowState.FAILED, cause=FailureKind.BUG, message=MISTAKE)
        )

    async def _lull(self, key: Key) -> None:
        """Wait while the endpoint keeps failing."""
        known = self._batches.get(key.batch)
        batch = known or await self._tried(self._store.batches.get, key.batch)
        if batch is None:
            return
        self._lulled.add(key)
        try:
            held = (self._hands, self._coming)
            await self.lull.over(
                batch,
                alone=lambda: all(key.batch != one.batch for some in held for one in some),
                ended=lambda: self._closing,
            )
        finally:
            self._lulled.discard(key)

    def stop(self, batches: Collection[BatchId]) -> None:
        """Stop every row in hand of these."""
        for key, hand in list(self._hands.items()):
            if key.batch in batches:
                self._halted.add(key)
                hand.handle.stop()

    def close(self) -> None:
        """Interrupt every run in hand; another process goes on with them, or this one later."""
        self._closing = True
        for hand in list(self._hands.values()):
            hand.handle.interrupt()
            hand.bell.ring()

    async def _until(self, key: Key, holds: Callable[[Hand], bool]) -> Hand:
        """The row in hand as soon as `holds`, wherever its run is carried out meanwhile."""
        while True:
            hand = self._hands.get(key) or await self._take(key)
            while not hand.handle.outdated:
                # Looking is also how a run of another process gets its news.
                status = hand.handle.snapshot.status
                if self._closing:
                    # As a process that was killed leaves it: nothing more is written.
                    await sleep_forever()
                if status is RunStatus.INTERRUPTED and not hand.handle.fixed:
                    break
                # What another process tells may not be in the record yet.
                if not hand.handle.elsewhere and holds(hand):
                    return hand
                await hand.bell.wait(LOOK_S if hand.handle.elsewhere else LONGEST_WAIT_S)
            self.put_down(key)
            await sleep(AGAIN_S)

    async def _take(self, key: Key, again: bool = False) -> Hand:
        """Take the row in hand; its run is under way then, here or in another process.

        `again`: also a run that has ended asks anew for what it lacks.
        """
        if self._closing:
            await sleep_forever()
        bell = Bell()
        self._coming.add(key)
        try:
            batch, handle = await self._tried(self._begun, key, again)
        finally:
            self._coming.discard(key)
        handle.heed(bell.ring)
        self._hands[key] = hand = Hand(batch=batch, handle=handle, bell=bell, begun=handle.told)
        return hand

    def _begun(self, key: Key, again: bool) -> tuple[Batch, RunHandle]:
        """On a thread. Over; StoreError; InputError or DefinitionError where it can't be run."""
        # As it is now: its budget may have been raised since it was read for another row.
        batch = self._store.batches.get(key.batch)
        if batch is None:
            raise Over
        self._batches[key.batch] = batch
        workflow = self._askable(key, batch)
        own = new_run_id()
        row = self._store.batches.begun(*key, own, self._store.owner)
        if row is None or row.run_id is None:
            raise Over
        if row.run_id == own:
            return batch, self._started(batch, workflow, row)
        handle = self._engine.get(row.run_id)
        if handle is None:
            return batch, self._started(batch, workflow, self._unrecorded(key, row))
        status = handle.snapshot.status
        asked_anew = again or status is RunStatus.INTERRUPTED
        if status.finished and asked_anew and not handle.fixed:
            handle.resume()
        return batch, handle

    def _askable(self, key: Key, batch: Batch) -> Workflow:
        """Its workflow; Over where this process can't ask what it asks any more. The row waits for
        one that can, instead of failing here."""
        workflow = parse(batch.definition, name=batch.workflow)
        try:
            check_places(batch, models_named(workflow), self._engine.book(batch.person))
        except DefinitionError:
            self._store.batches.give_back(key.batch, [key.number], key.go)
            raise Over from None
        return workflow

    def _unrecorded(self, key: Key, row: RowRecord) -> RowRecord:
        """A row whose run isn't in the record: it never came that far, or was deleted."""
        assert row.run_id is not None, "a row that has begun has a run"
        standing = self._store.standing(row.run_id)
        if standing is None:
            return row
        if not standing.deleted:
            raise StoreError("The record of this row's run can't be read now. It is tried again.")
        other = self._store.batches.begun(*key, new_run_id(), self._store.owner, anew=True)
        if other is None:
            raise Over
        return other

    def _started(self, batch: Batch, workflow: Workflow, row: RowRecord) -> RunHandle:
        return self._engine.start(
            workflow.with_variables(row.row.values),
            row.row.topic,
            batch.model,
            person=batch.person,
            run_id=row.run_id,
            row=RowPlace(batch=batch.id, number=row.row.number, via=batch.via),
        )

    async def _end(
        self, key: Key, result: RowResult | None, snapshot: Snapshot | None = None
    ) -> str:
        def end() -> str:
            became = result if snapshot is None else row_result(snapshot)
            assert became is not None
            # Its batch may go on again by now: then so does a row that was stopped with it.
            halted = key in self._halted and became.state is RowState.STOPPED
            self._store.batches.end(*key, became, halted=halted)
            return became.state.value

        state = await self._tried(end)
        self._ended()
        return state

    async def _returned(self, key: Key, batch: Batch, why: str) -> str:
        """The batch's budget is used up: it pauses, and the row goes on once that is raised. Where
        it was raised since the row began, the row just goes on."""

        def give_back() -> str:
            now = self._store.batches.get(key.batch)
            if now is not None and now.budget == batch.budget:
                with suppress(InputError):
                    self._store.batches.pause(key.batch, why)
            self._store.batches.give_back(key.batch, [key.number], key.go)
            return RowState.WAITING.value

        state = await self._tried(give_back)
        self._ended()
        return state

    def put_down(self, key: Key) -> None:
        """Have the row in hand no more; its run goes on or has ended."""
        self._hands.pop(key, None)
        self._halted.discard(key)
        if not any(other.batch == key.batch for other in self._hands):
            self._batches.pop(key.batch, None)
