"""Queues whose provider takes no more for now: how long is waited, and how much is tried next."""

from __future__ import annotations

from dataclasses import dataclass

import anyio

from fanout.engine.collecting import Collecting
from fanout.store.provider_values import Job, Queue


@dataclass(frozen=True, slots=True, kw_only=True)
class _Room:
    until: float
    pause_s: float
    most: int


class Rooms:
    """Used on the engine's loop only."""

    def __init__(self, pace: Collecting) -> None:
        self._pace = pace
        self._rooms: dict[Queue, _Room] = {}

    def full(self, queue: Queue) -> bool:
        room = self._rooms.get(queue)
        return room is not None and anyio.current_time() < room.until

    def most(self, queue: Queue) -> int | None:
        """Requests in the next job, of which one is tried at a time; None: as many as any."""
        room = self._rooms.get(queue)
        return None if room is None else room.most

    def none_for(self, job: Job) -> None:
        """The next one is half as large, after a wait that grows."""
        before = self._rooms.get(job.queue)
        pause_s = self._pace.room_s if before is None else before.pause_s * 2
        pause_s = min(pause_s, self._pace.most_room_s)
        until = anyio.current_time() + pause_s
        self._rooms[job.queue] = _Room(until=until, pause_s=pause_s, most=max(1, job.requests // 2))

    def some_for(self, job: Job) -> None:
        """A smaller one went through: the next may be as large as any."""
        if job.queue in self._rooms and not self.full(job.queue):
            del self._rooms[job.queue]
