"""A recorded run as if it were live: the same events, at their own times or faster."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import accumulate
from threading import Event as Signal
from time import monotonic

from fanout.events import Event, RunResumed, RunStarted
from fanout.fold import apply, begin
from fanout.render.replay import LONGEST_PAUSE_S
from fanout.snapshot import Snapshot


class Playback:
    """What a run's handle is to those who watch. Plays while it is looked at."""

    def __init__(self, events: Sequence[Event], *, speed: float) -> None:
        """`speed` 2 plays twice as fast; 0 is over at once. The events are those of one run."""
        first, *rest = events
        assert isinstance(first, RunStarted), "RunStarted is the first event of every run"
        self._events = tuple(events)
        self._pictures = tuple(accumulate(rest, apply, initial=begin(first)))
        self._due = tuple(_played_at(events))
        self._speed = speed
        self._began = monotonic()

    @property
    def snapshot(self) -> Snapshot:
        return self._pictures[self._reached()]

    def now_s(self) -> float:
        """The run's own clock."""
        reached = self._reached()
        picture = self._pictures[reached]
        if reached == len(self._pictures) - 1:
            return picture.at
        after = self._played_s() - self._due[reached]
        return min(picture.at + max(0.0, after), self._pictures[reached + 1].at)

    def follow(self) -> Iterator[Event]:
        """Every event when its time has come."""
        for event, due in zip(self._events, self._due, strict=True):
            if self._speed:
                Signal().wait(max(0.0, self._began + due / self._speed - monotonic()))
            yield event

    def _played_s(self) -> float:
        return (monotonic() - self._began) * self._speed if self._speed else self._due[-1]

    def _reached(self) -> int:
        """The newest event whose time has come."""
        played = self._played_s()
        low, high = 0, len(self._due) - 1
        while low < high:
            middle = (low + high + 1) // 2
            if self._due[middle] <= played:
                low = middle
            else:
                high = middle - 1
        return low


def _played_at(events: Sequence[Event]) -> Iterator[float]:
    """When each event is due in playing time: its own, less the idle time before it."""
    idle = 0.0
    for before, event in zip((events[0], *events), events, strict=False):
        if isinstance(event, RunResumed):
            idle += max(0.0, event.at - before.at - LONGEST_PAUSE_S)
        yield event.at - idle
