"""Says that a worker lives, on a thread of its own: rows go on while its other work waits.

A worker that is silent for a minute is taken for gone, and its rows for left behind. What feeds the
queues can wait that long for a database that doesn't answer, and its rows are still under way.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from fanout.batches import WorkerSeen
from fanout.errors import StoreError
from fanout.store.handing_out import HandingOut

log = logging.getLogger(__name__)

BEAT_S = 5.0


class Heartbeat:
    """Of one worker; begins with its first `beat`."""

    def __init__(self, batches: HandingOut, seen: Callable[[], WorkerSeen]) -> None:
        """`seen` tells how it is, on any thread."""
        self._batches = batches
        self._seen = seen
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def begun(self) -> bool:
        """Whether others know of this worker, so that it may take rows."""
        return self._thread is not None

    def beat(self) -> None:
        """Say it now, and from now on every few seconds. StoreError: nobody was told."""
        self._batches.beat(self._seen())
        if self._thread is None:
            self._thread = threading.Thread(target=self._go_on, name="fanout-alive", daemon=True)
            self._thread.start()

    def close(self) -> None:
        """Be silent. Returns once nothing more is said."""
        self._ended.set()
        if self._thread is not None:
            self._thread.join()

    def _go_on(self) -> None:
        while not self._ended.wait(BEAT_S):
            try:
                self._batches.beat(self._seen())
            except StoreError as error:
                log.info("nobody was told that this worker lives: %s", error)
            except Exception:
                log.exception("saying that this worker lives")
