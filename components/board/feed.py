"""Frames of one run, built and encoded once for everybody who looks at it.

Viewers pull: whoever wakes first after a frame is due builds it, the others find it there. So a run
that nobody watches costs nothing, no task outlives its viewers, and one who reads slowly never
holds a backlog: where frames were missed for too long there is a keyframe instead.
"""

from __future__ import annotations

import json
import secrets
from collections import OrderedDict, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import monotonic
from typing import Protocol

import anyio

from fanout.render.frames import Frame, FrameBuilder
from fanout.render.tracing import traced
from fanout.snapshot import Snapshot
from fanout.types import BranchId

FRAMES_PER_S = 15
"""Of one run, as long as few runs are watched."""
FRAMES_OF_ALL_PER_S = 300
"""Over all runs that are watched: where there are many, each is drawn less often, so that the
server keeps up and every word still comes sooner than it would behind a queue of frames."""
LEAST_FRAMES_PER_S = 5
LOOKS_PER_S_WHEN_FINISHED = 4
"""A finished run may be resumed by a Retry, from this board or from another."""
COUNTED_EVERY_S = 0.5
KEPT_FRAMES = 150
KEPT_BYTES = 256_000
KEPT_FEEDS = 64
"""Feeds of runs that were looked at lately stay, so that a dropped viewer gets what it missed."""


class Handle(Protocol):
    """What the board needs of a run; `fanout.engine.handle.RunHandle` is one."""

    @property
    def snapshot(self) -> Snapshot: ...

    def now_s(self) -> float: ...

    def stop(self, branch_id: BranchId | None = None) -> None: ...

    def retry(self, branch_id: BranchId | None = None) -> None: ...

    def fold_in(self) -> None: ...


def newest(handle: Handle) -> Handle:
    """What stands for that run by now, where it went on in another process or came back."""
    now: Handle = getattr(handle, "newest", handle)
    return now


def around(handle: Handle, trouble: str) -> str:
    """What the page says around the board: when this has changed, the page is drawn anew."""
    fixed: str = getattr(newest(handle), "fixed", "")
    return " ".join(filter(None, (trouble, fixed)))


def stop(handle: Handle, branch_id: BranchId | None) -> None:
    """Stop one call, or everything; with a combined answer go the calls that prepare it."""
    for made in handle.snapshot.aggregates:
        if made.id == branch_id:
            for call in made.before:
                handle.stop(call.id)
    handle.stop(branch_id)


@dataclass(frozen=True, slots=True)
class _Sent:
    base: str
    tag: str
    data: str


class RunFeed:
    """The frames of one run. Used on one event loop only."""

    def __init__(
        self,
        handle: Handle,
        clock: Callable[[], float] = monotonic,
        rate: Callable[[], float] = lambda: FRAMES_PER_S,
    ) -> None:
        """`rate` says how many frames a second are built of a run that goes on."""
        self.handle = handle
        self._clock = clock
        self._rate = rate
        self._builder = FrameBuilder(secrets.token_hex(3))
        self._kept: deque[_Sent] = deque()
        self._kept_bytes = 0
        self._keyframe: _Sent | None = None
        self._due = clock()
        self._tracing = False
        self.refresh()

    @property
    def tag(self) -> str:
        """The picture that a viewer of everything so far has."""
        return self._builder.tag

    @property
    def wait_s(self) -> float:
        """Seconds until it is worth looking again."""
        return max(0.0, self._due - self._clock())

    def refresh(self) -> None:
        """Build the next frame if one is due and something has changed."""
        now = self._clock()
        if now < self._due:
            return
        self.handle = newest(self.handle)
        snapshot = self.handle.snapshot
        over = snapshot.status.finished
        self._due = now + 1 / (LOOKS_PER_S_WHEN_FINISHED if over else self._rate())
        frame = self._builder.frame(snapshot, self.handle.now_s())
        if frame is not None:
            self._keep(frame)

    @property
    def watched(self) -> bool:
        """Whether somebody looks at it while it goes on."""
        late = self._clock() - self._due
        return late < 1 / LEAST_FRAMES_PER_S and not self.handle.snapshot.status.finished

    async def trace(self) -> None:
        """Find the sources of an answer that has been finished, once for all and off the loop."""
        tracer = self._builder.tracer
        due = None if self._tracing else tracer.due(self.handle.snapshot)
        if due is None:
            return
        made, job = due
        self._tracing = True
        try:
            tracer.learn(made, await anyio.to_thread.run_sync(traced, job))
        finally:
            self._tracing = False

    def since(self, tag: str | None) -> Sequence[str]:
        """Encoded frames from that picture to the newest; a keyframe where they are gone."""
        if tag == self.tag:
            return ()
        missed = []
        for sent in reversed(self._kept):
            missed.append(sent.data)
            if sent.base == tag:
                return missed[::-1]
        return (self.keyframe(),)

    def keyframe(self) -> str:
        """The whole picture, encoded once per picture."""
        if self._keyframe is None or self._keyframe.tag != self.tag:
            data = _encoded(self._builder.keyframe(self.handle.now_s()))
            self._keyframe = _Sent(base="", tag=self.tag, data=data)
        return self._keyframe.data

    def _keep(self, frame: Frame) -> None:
        sent = _Sent(base=frame["base"] or "", tag=frame["tag"], data=_encoded(frame))
        self._kept.append(sent)
        self._kept_bytes += len(sent.data)
        while len(self._kept) > KEPT_FRAMES or self._kept_bytes > KEPT_BYTES:
            self._kept_bytes -= len(self._kept.popleft().data)


class Feeds:
    """One feed per run that is looked at, or was until lately."""

    def __init__(self) -> None:
        self._feeds: OrderedDict[str, RunFeed] = OrderedDict()
        self._counted_s = float("-inf")
        self._rate = float(FRAMES_PER_S)

    def of(self, run_id: str, handle: Handle) -> RunFeed:
        """The feed that all viewers of that run share."""
        feed = self._feeds.get(run_id)
        if feed is None or feed.handle is not newest(handle):
            feed = self._feeds[run_id] = RunFeed(handle, rate=self._frames_per_s)
        self._feeds.move_to_end(run_id)
        while len(self._feeds) > KEPT_FEEDS:
            self._feeds.popitem(last=False)
        return feed

    def _frames_per_s(self) -> float:
        """What each watched run gets, counted anew every half second."""
        now = monotonic()
        if now - self._counted_s >= COUNTED_EVERY_S:
            self._counted_s = now
            self._rate = rate_of(sum(feed.watched for feed in self._feeds.values()))
        return self._rate


def rate_of(watched: int) -> float:
    """Frames a second of each run while so many are watched."""
    share = FRAMES_OF_ALL_PER_S / max(1, watched)
    return max(LEAST_FRAMES_PER_S, min(FRAMES_PER_S, share))


def _encoded(frame: Frame) -> str:
    return json.dumps(frame, ensure_ascii=False, separators=(",", ":"))
