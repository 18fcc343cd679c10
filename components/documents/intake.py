"""Files on their way into the library, read in the background so that no page waits for them."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence
from typing import Literal

import anyio
from anyio.to_thread import run_sync

from fanout.engine.runtime import Runtime
from fanout.errors import FanoutError
from fanout.retrieval.documents import Added

log = logging.getLogger(__name__)

AT_ONCE = 2
"""Files of one visitor that are read at the same time."""
State = Literal["reading", "kept", "again", "refused"]


class Upload:
    """One dropped file; read its fields from any thread."""

    def __init__(self, name: str, data: bytes) -> None:
        self.name = name
        self.size = len(data)
        self.since = time.monotonic()
        self.state: State = "reading"
        self.message = ""
        """What a person should know, or ""."""
        self._data = data
        self._stopped = threading.Event()
        self._ended = threading.Event()

    def stop(self) -> None:
        """Give up reading; nothing of it is kept. Harmless when it has been read."""
        self._stopped.set()

    def wait(self, timeout_s: float) -> bool:
        """True once it has been read, or refused."""
        return self._ended.wait(timeout_s)

    def read(self, runtime: Runtime) -> None:
        """Put it into the library; takes as long as it takes."""
        try:
            if not self._stopped.is_set():
                added = runtime.library.add(self.name, self._data, stopped=self._stopped.is_set)
                self._take(added)
            else:
                self.refuse(f"Reading {self.name} was stopped. Nothing of it was kept.")
        except FanoutError as error:
            self.refuse(str(error))
        except Exception:
            log.exception("a document could not be read")
            self.refuse(f"{self.name} can't be read. Save its text as .txt and add that.")
        finally:
            self._data = b""
            self._ended.set()

    def turn_away(self, message: str) -> None:
        """Refuse it unread."""
        self.refuse(message)
        self._data = b""
        self._ended.set()

    def refuse(self, message: str) -> None:
        self.message = message
        self.state = "refused"

    def _take(self, added: Added) -> None:
        self.message = added.note
        self.state = "again" if added.again else "kept"


class Intake:
    """The uploads of one visitor, newest drop last."""

    def __init__(self) -> None:
        self.uploads: tuple[Upload, ...] = ()
        self._limiter: anyio.CapacityLimiter | None = None

    @property
    def reading(self) -> tuple[Upload, ...]:
        return tuple(upload for upload in self.uploads if upload.state == "reading")

    def take(self, runtime: Runtime, files: Sequence[tuple[str, bytes]]) -> None:
        """Begin to read these files; messages about earlier ones have been seen and go."""
        uploads = tuple(Upload(name, data) for name, data in files)
        before = len(self.reading) + _own_documents(runtime)
        self.uploads = (*self.reading, *uploads)
        for upload in uploads:
            if not _refused(runtime, upload, before):
                before += 1
                runtime.engine.soon(self._read, runtime, upload)

    def wait(self, timeout_s: float) -> None:
        """Until all have been read, or time is up: most files take a moment only."""
        until = time.monotonic() + timeout_s
        for upload in self.reading:
            upload.wait(max(0.0, until - time.monotonic()))

    def forget(self) -> None:
        """Drop the messages of what has been read."""
        self.uploads = self.reading

    async def _read(self, runtime: Runtime, upload: Upload) -> None:
        # Made on the loop that it belongs to.
        if self._limiter is None:
            self._limiter = anyio.CapacityLimiter(AT_ONCE)
        try:
            await run_sync(upload.read, runtime, limiter=self._limiter, abandon_on_cancel=True)
        finally:
            upload.stop()


def _refused(runtime: Runtime, upload: Upload, before: int) -> bool:
    """Whether it is past a bound; `before` is how many documents will be there ahead of it."""
    bounds = runtime.settings.bounds
    try:
        bounds.check_upload(upload.name, upload.size)
        bounds.check_documents(before)
    except FanoutError as error:
        upload.turn_away(str(error))
        return True
    return False


def _own_documents(runtime: Runtime) -> int:
    """Without the sample ones; where they can't be read, the reader will say so."""
    try:
        return sum(not each.sample for each in runtime.library.documents())
    except FanoutError:
        return 0
