"""Follows the runs of other processes that somebody looks at here: over the relay, or by reading.

The relay is quick and may lose things; the record is a second behind and loses nothing. So a run
begins from the record, goes on by what is told, and is compared with the record every other second:
holes are filled from there, and a run whose process is gone is ended there. Where no relay is, or
it is broken, the record is read each second.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from time import monotonic

from fanout.engine.handle import RunHandle
from fanout.engine.watched import WatchedRun
from fanout.errors import FanoutError, InputError, StoreError
from fanout.relay.messages import Look, News, Watch
from fanout.relay.post import Post
from fanout.store.store import Store
from fanout.timeline import decode_lines

log = logging.getLogger(__name__)

TURN_S = 0.25
LOOK_S = 1.0
"""How often the record is asked for news where nothing is told."""
COMPARE_S = 2.0
"""How often it is compared with what was told."""
RENEW_S = 5.0
"""How often the process that carries a run out hears that it is still watched."""
RESTING_S = 30.0
"""How often a run that nobody looks at is asked whether it goes on."""
SWEEP_S = 5.0
"""How often runs are looked for whose process is gone."""


class _Followed:
    """How one run is kept up with."""

    def __init__(self, run: WatchedRun) -> None:
        self.run = run
        self.go = 0
        self.asked_s = float("-inf")
        self.looked_s = monotonic()
        self.strange = False
        """Whether its process tells what this version can't read; then only the record is asked."""


class Watching:
    """All methods may be called from any thread."""

    def __init__(
        self, store: Store, post: Post | None, reopen: Callable[[str], RunHandle | None]
    ) -> None:
        """`reopen` opens a run anew that has ended elsewhere, or goes on there."""
        self._store = store
        self._post = post
        self._reopen = reopen
        self._followed: dict[str, _Followed] = {}
        self._stale: set[str] = set()
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._closing = threading.Event()
        self._swept_s = monotonic()
        self._thread: threading.Thread | None = None
        if post is not None:
            self._begin()

    @property
    def reaches(self) -> bool:
        """Whether other processes can be told something now."""
        return self._post is not None and self._post.up

    def watch(self, run: WatchedRun) -> None:
        """Follow it from now on, until it has ended."""
        with self._lock:
            known = self._followed.get(run.seen.run_id)
            if known is None or known.run is not run:
                self._followed[run.seen.run_id] = _Followed(run)
        self._begin()

    def looked_at(self, run: WatchedRun) -> None:
        """Somebody looks at it, perhaps after a while in which nobody did."""
        followed = self._followed.get(run.seen.run_id)
        if followed is None or run.outdated:
            return
        if followed.asked_s == float("-inf") and monotonic() - followed.looked_s > LOOK_S:
            self._wake.set()

    def told(self, news: News | Look) -> None:
        """Another process says what happened in a run."""
        followed = self._followed.get(news.run)
        if followed is None or news.go != followed.go:
            return
        if isinstance(news, Look):
            # Not at once, or two processes that disagree would keep each other busy.
            followed.go += 1
            followed.asked_s = monotonic() - RENEW_S + LOOK_S
            followed.looked_s = float("-inf")
        else:
            self._take(followed, news)
        if isinstance(news, Look) or followed.run.outdated:
            self._wake.set()

    def _take(self, followed: _Followed, news: News) -> None:
        try:
            events = decode_lines(news.lines)
        except InputError:
            log.info("run %s is told by another version of Fanout; the record is read", news.run)
            followed.strange = True
            followed.go += 1
            return
        if not followed.run.take(news.first, news.count, events, news.now):
            self._ask_anew(followed)

    def changed(self, up: bool) -> None:
        """The relay works, or works no more."""
        with self._lock:
            for followed in self._followed.values():
                self._ask_anew(followed)
        self._wake.set()

    def went_on(self, run_id: str) -> None:
        """A run is carried on by another process."""
        with self._lock:
            self._stale.add(run_id)
        self._begin()
        self._wake.set()

    def check(self, run_id: str) -> None:
        """Look at once whether the process of that run is still there."""
        followed = self._followed.get(run_id)
        if followed is not None:
            followed.looked_s = float("-inf")
            self._wake.set()

    def close(self) -> None:
        self._closing.set()
        self._wake.set()
        if self._thread is not None:
            self._thread.join(1.0)

    def _begin(self) -> None:
        with self._lock:
            if self._thread is None and not self._closing.is_set():
                self._thread = threading.Thread(
                    target=self._go_on, name="fanout-watching", daemon=True
                )
                self._thread.start()

    def _go_on(self) -> None:
        while not self._closing.is_set():
            idle = not self._followed and not self._stale
            if self._wake.wait(None if idle and self._post is None else TURN_S):
                self._wake.clear()
            if self._closing.is_set():
                return
            for step in (self._settle_stale, self._sweep, *self._steps()):
                try:
                    step()
                except StoreError:
                    # It is asked again in a moment; what is there stays on screen.
                    continue
                except Exception:
                    log.exception("following the runs of other processes")

    def _steps(self) -> list[Callable[[], None]]:
        with self._lock:
            followed = list(self._followed.values())
        return [lambda one=one: self._keep_up(one) for one in followed]  # type: ignore[misc]

    def _keep_up(self, followed: _Followed) -> None:
        run, now = followed.run, monotonic()
        if run.outdated:
            self._end(followed)
            return
        if run.wanted and self.reaches and not followed.strange:
            if now - followed.asked_s >= RENEW_S:
                self._ask(followed)
            every = COMPARE_S
        else:
            followed.asked_s = float("-inf")
            every = LOOK_S if run.wanted else RESTING_S
        if now - followed.looked_s >= every:
            followed.looked_s = now
            self._compare(followed)

    def _ask(self, followed: _Followed) -> None:
        assert self._post is not None
        run = followed.run
        if followed.asked_s == float("-inf"):
            followed.go += 1
        followed.asked_s = monotonic()
        ask = Watch(by=self._post.address, run=run.seen.run_id, go=followed.go, first=run.next)
        self._post.send(run.owner, ask)

    def _ask_anew(self, followed: _Followed) -> None:
        """From where it stands now; what is under way is ignored."""
        followed.asked_s = float("-inf")

    def _compare(self, followed: _Followed) -> None:
        """With the record, which is right."""
        run = followed.run
        run_id, known, owner = run.seen.run_id, run.next, run.owner
        later = self._store.later(run_id, known)
        if later is not None and later.running and not later.live:
            self._store.interrupt()
            later = self._store.later(run_id, known)
        moved = later is not None and later.live and later.owner != owner
        if later is None or later.deleted or (moved and later.written < known):
            run.leave()
        else:
            behind = later.written > run.next
            if not run.take_later(later, known):
                stored = self._store.load(run_id)
                if stored is not None:
                    run.take_whole(stored)
            if behind or moved:
                self._ask_anew(followed)
            if not later.running and not run.outdated:
                # What its process told last was never written, so it is nowhere any more.
                run.leave()
        if run.outdated:
            self._end(followed)

    def _end(self, followed: _Followed) -> None:
        run_id = followed.run.seen.run_id
        with self._lock:
            if self._followed.get(run_id) is followed:
                del self._followed[run_id]
            self._stale.add(run_id)
        self._wake.set()

    def _settle_stale(self) -> None:
        """What ended elsewhere can be asked again here; what goes on elsewhere is followed."""
        with self._lock:
            stale, self._stale = self._stale, set()
        for run_id in stale:
            try:
                self._reopen(run_id)
            except FanoutError:
                log.info("run %s is opened anew when it is looked at", run_id)

    def _sweep(self) -> None:
        now = monotonic()
        if self._post is None or now - self._swept_s < SWEEP_S:
            return
        self._swept_s = now
        self._store.interrupt()
