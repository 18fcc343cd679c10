"""A process that carries batches out, together with any others on the same database.

One thread looks about once a second at what there is to do; while there is nothing, that is one
small question to the database. Rows are handed to the durable engine some way ahead of the work, so
that nobody waits for them, and no further, so that a pause has little to take back.
"""

from __future__ import annotations

import logging
import os
import platform
import threading
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING

from fanout import __version__
from fanout.batch.desk import Desk
from fanout.batch.hand import Key
from fanout.batch.heartbeat import Heartbeat
from fanout.batch.naming import without_titles
from fanout.batch.places import check_places, models_named
from fanout.batch.takeover import Takeover
from fanout.batch.tidying import Tidying
from fanout.batches import FORMAT, Batch, BatchState, RowRecord, RowState, WorkerSeen
from fanout.engine.runtime import Runtime
from fanout.errors import DefinitionError, FanoutError
from fanout.types import BatchId, Via
from fanout.workflows.definition import Workflow
from fanout.workflows.parsing import parse

if TYPE_CHECKING:
    from fanout.batch.durable import Durable

log = logging.getLogger(__name__)

LOOK_S = 1.0
"""Between two looks at what there is to do."""
POLL_S = 0.2
"""Between two looks of the durable engine at each of its queues."""
RECOVERIES = 2
"""After so many looks it is asked whether another worker has gone."""
SWEEP_S = 30.0
"""How often it is asked whether a row got lost between the two databases."""
AHEAD = 20
"""Rows that wait in the queue at least, where there are so many."""
AHEAD_OF_PROVIDER = 500
"""The same by the provider's Batch API, where rows wait together and begin as fast as can be."""
CLOSE_S = 10.0
LAST_S = 2.0
"""For so long at its end it clears what it would leave behind."""
ANOTHERS = (
    "It carries out the batch of its own command only. `python -m fanout worker` takes rows of all."
)


class Worker:
    """Takes rows of every batch that it understands. `close` it before its runtime."""

    def __init__(
        self,
        runtime: Runtime,
        *,
        only: BatchId | None = None,
        look_s: float = LOOK_S,
        poll_s: float = POLL_S,
    ) -> None:
        """`only`: of that batch alone, since it ends with it, whatever else is under way."""
        self.notes: tuple[str, ...] = ()
        """What keeps it from some batch or from all, for people; empty where nothing does."""
        self._tended: tuple[Batch, ...] = ()
        self._only = only
        self._store = runtime.store
        self._engine = runtime.engine
        self._settings = runtime.settings
        self._desk = Desk(runtime.engine, runtime.store, self._row_ended)
        self._look_s = look_s
        self._poll_s = poll_s
        self._durable: Durable | None = None
        self._takeover: Takeover | None = None
        self._tidying: Tidying | None = None
        self._heartbeat = Heartbeat(self._store.batches, self._seen)
        self._woken = threading.Event()
        self._closing = False
        self._thread: threading.Thread | None = None
        self._started_at = time.time()
        self._last: dict[str, float] = {}
        self._declared: dict[BatchId, int] = {}
        self._models: dict[BatchId, frozenset[str]] = {}
        self._leaves: dict[BatchId, str] = {}
        self._unhanded: list[Key] = []
        self._since_fed = 0

    @property
    def logged(self) -> tuple[str, ...]:
        """Its notes as logs may hold them."""
        return without_titles(self.notes, self._tended)

    def start(self) -> None:
        """Begin to look for batches; once."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="fanout-worker", daemon=True)
            self._thread.start()

    def wake(self) -> None:
        """Look now, as when somebody has just started a batch."""
        self._woken.set()

    def close(self) -> None:
        """Leave nothing running: rows under way are interrupted, and go on elsewhere or later."""
        self._closing = True
        self._desk.close()
        self._woken.set()
        if self._thread is not None:
            self._thread.join(CLOSE_S)

    def _work(self) -> None:
        logged = ""
        while not self._closing:
            try:
                self._turn()
                logged = ""
            except FanoutError as error:
                if logged != str(error):
                    log.warning("batches wait: %s", error)
                logged = str(error)
                self.notes = (str(error),)
            except Exception:
                log.exception("looking after batches")
            self._woken.wait(self._look_s)
            self._woken.clear()
        self._end()

    def _end(self) -> None:
        for last in (self._tidied, self._left):
            try:
                last()
            except Exception as error:
                log.info("left without a word: %s", error)

    def _tidied(self) -> None:
        if self._tidying is not None:
            for batch in set(self._declared) - {one.id for one in self._store.batches.tended()}:
                self._tidying.rests(batch)
            self._tidying.finish(LAST_S)

    def _left(self) -> None:
        try:
            if self._durable is not None:
                self._durable.close()
        finally:
            self._heartbeat.close()
            self._store.batches.leave(self._store.owner)

    def _turn(self) -> None:
        batches = self._store.batches
        if not self._store.kept:
            self.notes = ("Runs are kept only until Fanout ends, so batches can't be carried out.",)
            return
        tended, left = batches.tended(), self._leaves
        mine = self._understood(tended)
        if not self._heartbeat.begun or left != self._leaves:
            self._heartbeat.beat()
        if not mine and self._durable is None:
            return
        self._stop()
        durable, takeover, tidying = self._launched()
        again = bool(mine) and self._due("sweep", SWEEP_S)
        for batch in mine:
            # Also now and then as it is: another process may have dropped its queue meanwhile.
            if again or self._declared.get(batch.id) != batch.changed:
                durable.declare(batch)
                tidying.withdraw(batch.id)
                self._declared[batch.id] = batch.changed
        held = {key.batch for key in self._desk.keys}
        for gone in set(self._declared) - {one.id for one in tended} - held:
            tidying.rests(gone)
            del self._declared[gone]
        tidying.turn(tended)
        if mine and self._due("recover", RECOVERIES * self._look_s):
            takeover.look(mine)
        for batch in mine:
            if batch.state is BatchState.RUNNING:
                self._feed(durable, batch)
        if again:
            takeover.sweep(mine)

    def _stop(self) -> None:
        """Stop rows in hand whose batch was stopped, or is not there any more."""
        held = {key.batch for key in self._desk.keys}
        if held:
            states = self._store.batches.states(held)
            going = {batch for batch, state in states.items() if state is not BatchState.STOPPED}
            self._desk.stop(held - going)

    def _understood(self, tended: Iterable[Batch]) -> list[Batch]:
        """Those that this version can carry out; of the others it is said why not."""
        found, leaves, others = [], {}, {}
        for batch in tended:
            if self._only not in (None, batch.id):
                others[batch.id] = ANOTHERS
                continue
            try:
                if batch.format > FORMAT:
                    raise DefinitionError(
                        f'The batch "{batch.title}" was made by Fanout {batch.made_by}, which is '
                        f"newer than this worker ({__version__}). It is left to newer workers; "
                        "update this one to let it take part."
                    )
                if batch.id not in self._models:
                    self._models[batch.id] = models_named(_read(batch))
                book = self._engine.book(batch.person)
                check_places(batch, self._models[batch.id], book)
                found.append(batch)
            except DefinitionError as error:
                leaves[batch.id] = str(error)
        self._leaves = leaves | others
        notes = [*leaves.values(), *self._desk.lull.notes]
        told, self.notes, self._tended = self.notes, tuple(notes), tuple(tended)
        if told != self.notes:
            for note in self.logged:
                log.warning("%s", note)
        return found

    def _launched(self) -> tuple[Durable, Takeover, Tidying]:
        from fanout.batch.durable import Durable

        if self._durable is None:
            self._durable = Durable(
                self._desk,
                self._settings.home,
                self._settings.database,
                self._store.owner,
                self._poll_s,
            )
        if self._takeover is None:
            self._takeover = Takeover(self._store, self._desk, self._durable)
        if self._tidying is None:
            self._tidying = Tidying(self._store, self._durable)
        return self._durable, self._takeover, self._tidying

    def _feed(self, durable: Durable, batch: Batch) -> None:
        """Keep the queue filled some way ahead."""
        handed = self._store.batches.handed_out(batch.id)
        queued = sum(n for (state, _), n in handed.items() if state is RowState.QUEUED)
        ahead = max(AHEAD, 2 * batch.concurrency)
        if batch.via is Via.PROVIDER:
            ahead = max(ahead, AHEAD_OF_PROVIDER)
        taken: tuple[RowRecord, ...] = ()
        if queued <= ahead // 2:
            taken = self._store.batches.take(batch.id, ahead - queued)
            self._since_fed = 0
        if not taken and not handed:
            self._store.batches.settle(batch.id)
        self._unhanded += [_key(batch.id, row) for row in taken]
        while self._unhanded:
            durable.hand_over(self._unhanded[:1])
            self._unhanded.pop(0)

    def _row_ended(self) -> None:
        """Where rows end quickly, the queue is filled before the next look."""
        self._since_fed += 1
        if self._since_fed >= AHEAD // 2:
            self._since_fed = 0
            self.wake()

    def _due(self, what: str, every_s: float) -> bool:
        now = time.monotonic()
        if now - self._last.get(what, float("-inf")) < every_s:
            return False
        self._last[what] = now
        return True

    def _seen(self) -> WorkerSeen:
        return WorkerSeen(
            id=self._store.owner,
            host=platform.node(),
            pid=os.getpid(),
            version=__version__,
            format=FORMAT,
            started_at=self._started_at,
            seen_at=time.time(),
            alive=True,
            leaves=self._leaves,
        )


def _read(batch: Batch) -> Workflow:
    """DefinitionError where this version can't read the batch's workflow."""
    try:
        return parse(batch.definition, name=batch.workflow)
    except DefinitionError as error:
        raise DefinitionError(
            f'The workflow of the batch "{batch.title}", made by Fanout {batch.made_by}, can\'t be '
            f"read by this worker ({__version__}): {error}. It is left to others; update this one "
            "if it is the older version."
        ) from None


def _key(batch: BatchId, row: RowRecord) -> Key:
    return Key(batch, row.row.number, row.go)
