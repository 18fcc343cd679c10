"""The runs that a process knows: those in memory, and any of the record, opened once."""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Callable, Iterable
from threading import Lock
from typing import TYPE_CHECKING

from fanout.engine.handle import RunHandle
from fanout.errors import StoreError
from fanout.store.values import StoredRun
from fanout.types import RunId

if TYPE_CHECKING:
    from fanout.store.store import Store

log = logging.getLogger(__name__)

KEPT_RUNS = 200
"""Finished runs that stay in memory; the oldest go first, and are read again when asked for."""


class Archive:
    """All methods may be called from any thread."""

    def __init__(self, store: Store | None, reopened: Callable[[StoredRun], RunHandle]) -> None:
        """`reopened` makes a handle of a run of the record."""
        self._store = store
        self._reopened = reopened
        self._runs: OrderedDict[RunId, RunHandle] = OrderedDict()
        self._opening = Lock()

    def put(self, handle: RunHandle) -> None:
        """A run that has just begun, or was just opened."""
        before = self._runs.get(handle.id)
        self._runs[handle.id] = handle
        if before is not None and before is not handle:
            before.succeeded_by(handle)
        finished = [i for i, run in list(self._runs.items()) if run.snapshot.status.finished]
        for run_id in finished[: max(0, len(self._runs) - KEPT_RUNS)]:
            self._runs.pop(run_id, None)

    def all(self) -> tuple[RunHandle, ...]:
        """Those in memory, newest first."""
        return tuple(reversed(list(self._runs.values())))

    def known(self, run_id: str) -> RunHandle | None:
        """The run if it is in memory, as it stands there."""
        return self._runs.get(RunId(run_id))

    def get(self, run_id: str) -> RunHandle | None:
        """The run, live or of any earlier day; None if there is none, or if it was deleted."""
        # One at a time: two pages that open the same run must get the same handle.
        with self._opening:
            known = self._known(run_id)
            if self._store is None or (known is not None and not known.outdated):
                return known
            if known is not None:
                # It went on elsewhere: what is asked here would be paid for and kept by nobody. No
                # Stop, which would also call off what that process waits for at a provider.
                known.interrupt()
            try:
                return self._read(self._store, run_id)
            except StoreError as error:
                log.warning("a run can't be opened now: %s", error)
                return known

    def let_go(self, run_id: str) -> None:
        """Keep a run that has ended in the record only; it is read again when it is asked for."""
        known = self._runs.get(RunId(run_id))
        if self._store is not None and known is not None and known.snapshot.status.finished:
            self._runs.pop(known.id, None)

    def forget(self, run_ids: Iterable[str]) -> None:
        """Deleted runs are not found any more; those under way are stopped."""
        for run_id in run_ids:
            handle = self._runs.pop(RunId(run_id), None)
            if handle is not None:
                handle.stop()

    def _known(self, run_id: str) -> RunHandle | None:
        """The run in memory, after a look whether the record of it went on without this process."""
        known = self._runs.get(RunId(run_id))
        if known is None or self._store is None or not known.snapshot.status.finished:
            return known
        try:
            standing = self._store.standing(run_id)
        except StoreError:
            return known
        if standing is not None and standing.deleted:
            self._runs.pop(known.id, None)
            return None
        if standing is not None:
            known.compare(standing)
        return known

    def _read(self, store: Store, run_id: str) -> RunHandle | None:
        stored = store.load(run_id)
        if stored is not None and not stored.snapshot.status.finished and not stored.live:
            store.interrupt()
            stored = store.load(run_id)
        if stored is None or stored.deleted_at is not None:
            self._runs.pop(RunId(run_id), None)
            return None
        handle = self._reopened(stored)
        handle.imported = stored.imported_at is not None
        self.put(handle)
        return handle
