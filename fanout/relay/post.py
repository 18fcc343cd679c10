"""A process' place on a line: what it sends is gathered for a moment, what comes is handed on.

Two threads, so that a line that doesn't answer holds up neither a run nor a page. A line that broke
is tried again each second; what was to be sent meanwhile is dropped, since the record has it all.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable
from time import monotonic

from fanout.relay.line import EVERYBODY, Ear, Line, Lost
from fanout.relay.messages import Joiner, Message, parts

log = logging.getLogger(__name__)

HEAR_S = 0.5
AGAIN_S = 1.0
"""Between two tries on a line that broke."""
MOST_WAITING = 20_000
"""Texts that wait to be sent; a line so slow is as good as broken."""
AT_ONCE = 200
"""Texts in one go."""


class Post:
    """All methods may be called from any thread."""

    def __init__(self, line: Line, address: str) -> None:
        """Nothing is sent or heard before `open`. `address` is where others reach this process."""
        self.address = address
        self.longest = line.longest
        self.up = False
        """Whether others can reach this process now, as far as it knows."""
        self._line = line
        self._waiting: deque[tuple[str, str]] = deque()
        self._due = threading.Event()
        self._closing = threading.Event()
        self._threads: tuple[threading.Thread, ...] = ()

    def open(self, heard: Callable[[Message], None], changed: Callable[[bool], None]) -> None:
        """Begin. Both are called on a thread of the post and must return soon."""
        self._threads = (
            threading.Thread(
                target=self._hear_on, args=(heard, changed), name="fanout-relay-in", daemon=True
            ),
            threading.Thread(target=self._send_on, name="fanout-relay-out", daemon=True),
        )
        for thread in self._threads:
            thread.start()

    def send(self, to: str, message: Message) -> None:
        """On its way in a moment, or lost. Messages to one address keep their order."""
        if not self.up or len(self._waiting) > MOST_WAITING:
            return
        self._waiting.extend((to, text) for text in parts(message, self.longest))
        self._due.set()

    def close(self, within_s: float = 1.0) -> None:
        """Send what waits, and end. Safe to call twice."""
        self._closing.set()
        self._due.set()
        until = monotonic() + within_s
        for thread in self._threads:
            thread.join(max(0.0, until - monotonic()))
        self._line.close()

    def _hear_on(self, heard: Callable[[Message], None], changed: Callable[[bool], None]) -> None:
        told = ""
        while not self._closing.is_set():
            ear: Ear | None = None
            try:
                ear = self._line.ear((self.address, EVERYBODY))
                self.up = True
                told = ""
                _call(changed, True)
                self._hear(ear, heard)
            except Lost as error:
                if not told:
                    told = f"{self._line.name}: {error}"
                    log.warning("other processes can't be reached over %s; tried again", told)
            finally:
                if ear is not None:
                    ear.close()
            if self.up:
                self.up = False
                _call(changed, False)
            self._closing.wait(AGAIN_S)

    def _hear(self, ear: Ear, heard: Callable[[Message], None]) -> None:
        joiner = Joiner()
        while not self._closing.is_set():
            for text in ear.hear(HEAR_S):
                message = joiner.take(text)
                if message is not None:
                    _call(heard, message)

    def _send_on(self) -> None:
        while not self._closing.is_set() or self._waiting:
            self._due.wait(None if not self._closing.is_set() else 0)
            self._due.clear()
            while self._waiting:
                texts = [self._waiting.popleft() for _ in range(min(AT_ONCE, len(self._waiting)))]
                try:
                    self._line.send(texts)
                except Lost as error:
                    self._waiting.clear()
                    log.info("not sent to other processes: %s", error)


def _call(function: Callable[..., None], *args: object) -> None:
    """A mistake with one message must not end the thread that hears all."""
    try:
        function(*args)
    except Exception:
        log.exception("a message of another process")
