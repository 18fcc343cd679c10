"""DBOS as batches use it: a durable workflow per row, a queue per batch, and nothing else of it.

It takes more than a second to load, so it is imported only where there is a batch to carry out. It
keeps its checkpoints in `batches.db` beside the record, or in the same PostgreSQL in a schema of
its own. It says nothing to the network.
"""

from __future__ import annotations

import logging
import sqlite3
import threading
import time
from collections.abc import Awaitable, Callable, Iterable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from dbos import DBOS, DBOSConfig, SetWorkflowID
from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import URL

from fanout.batch.desk import Desk
from fanout.batch.hand import Key
from fanout.batch.row import Result, carry_out
from fanout.batches import FORMAT, Batch
from fanout.store.database import LIVELY
from fanout.store.opening import address
from fanout.types import BatchId, Via

if TYPE_CHECKING:
    from dbos._queue import QueueRateLimit

log = logging.getLogger(__name__)

FILE = "batches.db"
SCHEMA = "dbos"
MOST_GOES = 1_000_000
"""How often a row may be taken over from a process that died: that isn't the row's fault."""
THREADS = 16
"""For the database; a row that waits holds none."""
CONNECTIONS = 8
PROVIDER_ROWS = 5_000
"""Rows in flight where answers come from the provider's Batch API, hours later."""
SMOOTH_S = 3.0
"""Rows per minute are given out in portions for about so long, not all at the minute's start."""
BUSY_S = 30.0
LAST_TAKE_S = 3.0
TAKERS = "queue-worker-"
"""How DBOS names the threads that take rows from queues."""
CLEARED = 500
"""Rows whose checkpoints are deleted at once."""

_desks: list[Desk] = []
"""The one desk whose rows this process carries out."""


class Open(NamedTuple):
    """A durable workflow that hasn't ended."""

    queued: bool
    """Nobody has it in hand."""
    executor: str
    """Who has it in hand, had it last, or put it into its queue."""
    current: bool
    """Whether it is of this process's version, which alone is taken here."""


class Durable:
    """The durable engine of this process; there is one at most. All methods block."""

    def __init__(self, desk: Desk, home: Path, url: str, executor: str, poll_s: float) -> None:
        """Launches it. `executor` names this process among those that share the database."""
        self._poll_s = poll_s
        self._engine = None if url else _sqlite(home / FILE)
        config: DBOSConfig = {
            "name": "fanout",
            "application_version": _version(),
            "executor_id": executor,
            "log_level": "ERROR",
            "run_migrations": True,
            "max_executor_threads": THREADS,
            "sys_db_pool_size": CONNECTIONS,
            "scheduler_polling_interval_sec": 3600.0,
            "dbos_system_schema": SCHEMA,
            "use_listen_notify": False,
            "notification_listener_polling_interval_sec": 0.5,
        }
        if self._engine is not None:
            config["system_database_engine"] = self._engine
        else:
            config["system_database_url"] = address(url).render_as_string(hide_password=False)
            config["db_engine_kwargs"] = {"connect_args": {"application_name": "fanout", **LIVELY}}
        _quiet()
        _row_workflow()
        _desks[:] = [desk]
        self._dbos = DBOS(config=config)
        try:
            DBOS.listen_queues([])
            DBOS.launch()
        except BaseException:
            self.close()
            raise

    def declare(self, batch: Batch) -> None:
        """Have a queue for the batch, with its settings of now."""
        rows = batch.concurrency
        if batch.via is Via.PROVIDER:
            rows = max(rows, PROVIDER_ROWS)
        DBOS.register_queue(
            _queue(batch.id),
            global_concurrency=rows,
            limiter=_limiter(batch.rows_per_minute),
            polling_interval_sec=self._poll_s,
            on_conflict="always_update",
        )
        self._listen(_queue(batch.id))

    def drop(self, batch: BatchId) -> None:
        """Look at that queue no more, in any process."""
        DBOS.delete_queue(_queue(batch))

    def queues(self) -> set[BatchId]:
        """The batches that have a queue, whichever process declared it."""
        names = [queue.name for queue in DBOS.list_queues()]
        return {BatchId(name.removeprefix(_QUEUE)) for name in names if name.startswith(_QUEUE)}

    def _listen(self, queue: str) -> None:
        """Take rows from that queue as well. It is asked which ones at every look, but has no way
        to say so after its launch; queues that nobody named here belong to other workers."""
        listening = self._dbos._listening_queues
        assert listening is not None, "it was told before its launch"
        if queue not in listening:
            listening.append(queue)

    def clear(self, batch: BatchId) -> bool:
        """Forget a portion of what it knows of rows that have ended; whether there was any."""
        found = self.known(batch)
        if found:
            DBOS.delete_workflows(found)
        return bool(found)

    def known(self, batch: BatchId) -> list[str]:
        """Durable workflows of rows that have ended; the first of them."""
        found = DBOS.list_workflows(
            queue_name=_queue(batch),
            status=["SUCCESS", "ERROR", "CANCELLED"],
            limit=CLEARED,
            load_input=False,
            load_output=False,
        )
        return [one.workflow_id for one in found]

    def hand_over(self, keys: Iterable[Key]) -> None:
        """Put rows into their queues; one that was handed over before is left as it is."""
        for key in keys:
            with SetWorkflowID(_id(key)):
                DBOS.enqueue_workflow(_queue(key.batch), _row_workflow(), *key)

    def executors(self) -> set[str]:
        """The processes that have rows in hand, or had them when they died."""
        found = DBOS.list_workflows(
            status="PENDING", load_input=False, load_output=False, name=_NAME
        )
        return {one.executor_id for one in found if one.executor_id}

    def recover(self, executors: Iterable[str]) -> None:
        """Put the rows of processes that are gone back into their queues, once."""
        DBOS._recover_pending_workflows(list(executors))

    def open(self, batch: BatchId) -> dict[Key, Open]:
        """Every workflow of that batch that hasn't ended, by the go that it is of."""
        found = DBOS.list_workflows(
            queue_name=_queue(batch),
            status=["ENQUEUED", "PENDING"],
            load_input=False,
            load_output=False,
        )
        return {
            _key(one.workflow_id): Open(
                queued=one.status == "ENQUEUED",
                executor=one.executor_id or "",
                current=one.app_version == _version(),
            )
            for one in found
        }

    def forget(self, keys: Iterable[Key]) -> None:
        """As if they had never been put into a queue. Who has one in hand after all is told so by
        its next checkpoint, and ends."""
        ids = [_id(key) for key in keys]
        for start in range(0, len(ids), CLEARED):
            DBOS.delete_workflows(ids[start : start + CLEARED])

    def close(self) -> None:
        """End it; rows in hand stay as a process that was killed leaves them."""
        self._take_no_more()
        DBOS.destroy(workflow_completion_timeout_sec=0)
        _desks.clear()
        if self._engine is not None:
            self._engine.dispose()

    def _take_no_more(self) -> None:
        """Let the threads that take rows end first: DBOS closes the loop that rows run on while
        one of them may still be handing it a row, which then nobody awaits."""
        by = time.monotonic() + LAST_TAKE_S
        for stop in self._dbos.background_thread_stop_events:
            stop.set()
        for thread in threading.enumerate():
            if thread.name.startswith(TAKERS):
                thread.join(max(0.0, by - time.monotonic()))


_NAME = "fanout_row"
_QUEUE = "batch-"


@cache
def _row_workflow() -> Callable[[str, int, int], Awaitable[str]]:
    @DBOS.workflow(name=_NAME, max_recovery_attempts=MOST_GOES)
    async def row(batch: str, number: int, go: int) -> str:
        return await carry_out(_desks[0], _step, Key(BatchId(batch), number, go))

    return row


async def _step(name: str, function: Callable[..., Awaitable[Result]], *args: object) -> Result:
    done: Any = await DBOS.run_step_async({"name": name}, function, *args)
    result: Result = done
    return result


def _version() -> str:
    return f"fanout-batch-{FORMAT}"


def _queue(batch: BatchId) -> str:
    return _QUEUE + batch


def _id(key: Key) -> str:
    """The same for every process, so that a row is in the queue once however often it is put."""
    return ":".join(map(str, key))


def _key(workflow_id: str) -> Key:
    batch, number, go = workflow_id.rsplit(":", 2)
    return Key(BatchId(batch), int(number), int(go))


def _limiter(rows_per_minute: int | None) -> QueueRateLimit | None:
    if not rows_per_minute:
        return None
    portion = max(1, round(rows_per_minute * SMOOTH_S / 60))
    return {"limit": portion, "period": portion * 60 / rows_per_minute}


def _sqlite(path: Path) -> Engine:
    """As the record's own file: readers and the writer don't hold each other up. What the newest
    moments of it say can be lost with the machine's power, and is done again from the record."""
    engine = create_engine(
        URL.create("sqlite", database=str(path)),
        connect_args={"timeout": BUSY_S, "check_same_thread": False},
        pool_size=CONNECTIONS,
        max_overflow=THREADS,
        hide_parameters=True,
    )

    def prepare(connection: sqlite3.Connection, _record: object) -> None:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("PRAGMA foreign_keys = ON")
        connection.isolation_level = "IMMEDIATE"

    event.listen(engine, "connect", prepare)
    return engine


def _quiet() -> None:
    """Its messages go the way of all others, and only those that say that something is wrong."""
    own = logging.getLogger("dbos")
    if not own.handlers:
        own.addHandler(logging.NullHandler())
    own.propagate = True
