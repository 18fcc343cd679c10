"""Tells other processes what happens in the runs of this one, as long as somebody looks there.

Each process that watches a run has a place in its events of its own, from which it is told on; so
nothing is sent twice and a hole can't open by itself. Nothing is told that isn't shown here.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from time import monotonic

from fanout.engine.handle import RunHandle
from fanout.relay.messages import Look, News, Watch
from fanout.relay.post import Post
from fanout.timeline import compact, encode_lines

log = logging.getLogger(__name__)

EVERY_S = 0.1
"""Between two messages about one run."""
WATCHED_S = 15.0
"""For so long a wish to watch counts."""
MOST_CHARS = 500_000
"""What takes longer to tell is read from the record instead."""


class _Watcher:
    def __init__(self, *, go: int, place: int, until: float) -> None:
        """`place` is where in the run's events it goes on to be told."""
        self.go = go
        self.place = place
        self.until = until


class Publishing:
    """All methods may be called from any thread, and return at once."""

    def __init__(self, post: Post, find: Callable[[str], RunHandle | None]) -> None:
        """`find` gives a run that is in memory."""
        self._post = post
        self._find = find
        self._watchers: dict[tuple[str, str], _Watcher] = {}
        self._lock = threading.Lock()
        self._wanted = threading.Event()
        self._closed = False
        self._thread = threading.Thread(target=self._tell_on, name="fanout-publishing", daemon=True)
        self._thread.start()

    def watched(self, ask: Watch) -> None:
        """Somebody elsewhere looks at a run of this process."""
        handle = self._find(ask.run)
        if handle is None or handle.elsewhere or handle.outdated:
            self._post.send(ask.by, Look(run=ask.run, go=ask.go))
            return
        until = monotonic() + WATCHED_S
        with self._lock:
            known = self._watchers.get((ask.by, ask.run))
            if known is not None and known.go == ask.go:
                known.until = until
            else:
                place = ask.first - handle.recorder.shift
                self._watchers[ask.by, ask.run] = _Watcher(go=ask.go, place=place, until=until)
        self._wanted.set()

    def close(self) -> None:
        self._closed = True
        self._wanted.set()
        self._thread.join(1.0)

    def _tell_on(self) -> None:
        pause = threading.Event()
        while not self._closed:
            self._wanted.wait()
            with self._lock:
                watchers = list(self._watchers.items())
                if not watchers:
                    self._wanted.clear()
                    continue
            told: dict[tuple[str, int, int], str] = {}
            for (by, run), watcher in watchers:
                try:
                    self._tell(by, run, watcher, told)
                except Exception:
                    log.exception("telling others of run %s", run)
                    self._drop(by, run, watcher)
            pause.wait(EVERY_S)

    def _tell(
        self, by: str, run: str, watcher: _Watcher, told: dict[tuple[str, int, int], str]
    ) -> None:
        handle = self._find(run)
        if handle is None or handle.elsewhere or handle.outdated or watcher.place < 0:
            self._post.send(by, Look(run=run, go=watcher.go))
            self._drop(by, run, watcher)
            return
        recorder = handle.recorder
        over = recorder.shown.status.finished
        events = recorder.since(watcher.place)
        if events:
            key = (run, watcher.place, len(events))
            if key not in told:
                told[key] = encode_lines(compact(events, EVERY_S))
            lines = told[key]
            if len(lines) > MOST_CHARS:
                self._post.send(by, Look(run=run, go=watcher.go))
                self._drop(by, run, watcher)
                return
            first = watcher.place + recorder.shift
            news = News(
                run=run,
                go=watcher.go,
                first=first,
                count=len(events),
                now=recorder.now_s(),
                lines=lines,
            )
            self._post.send(by, news)
            watcher.place += len(events)
        elif over or monotonic() > watcher.until:
            self._drop(by, run, watcher)

    def _drop(self, by: str, run: str, watcher: _Watcher) -> None:
        with self._lock:
            if self._watchers.get((by, run)) is watcher:
                del self._watchers[by, run]
