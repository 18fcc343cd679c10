"""Who is told what happens in every run, on the engine's loop: it must be quick and never raise."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Protocol

from fanout.events import Event
from fanout.snapshot import Snapshot

log = logging.getLogger(__name__)


class Told(Protocol):
    """A run as a witness sees it."""

    @property
    def snapshot(self) -> Snapshot:
        """The newest picture, the event folded into it."""
        ...

    @property
    def log(self) -> tuple[Event, ...]:
        """Every event so far."""
        ...


class Witness(Protocol):
    def saw(self, run: Told, event: Event) -> None:
        """Something happened; pieces of text are not told."""
        ...

    def close(self) -> None:
        """Nothing more will happen."""
        ...


class Witnesses:
    """Several as one; what goes wrong with one of them is logged once and ends nothing."""

    def __init__(self, each: Iterable[Witness]) -> None:
        self._each = tuple(each)
        self._broken: set[int] = set()

    def __bool__(self) -> bool:
        return bool(self._each)

    def __call__(self, run: Told, event: Event) -> None:
        for witness in self._each:
            try:
                witness.saw(run, event)
            except Exception:
                if id(witness) not in self._broken:
                    self._broken.add(id(witness))
                    log.exception("%s failed; runs go on without it", type(witness).__name__)

    def close(self) -> None:
        for witness in self._each:
            witness.close()
