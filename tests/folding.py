"""The picture that a list of events leads to, for every test that looks at one."""

from __future__ import annotations

from collections.abc import Iterable

from fanout.events import Event, RunStarted
from fanout.fold import apply, begin
from fanout.snapshot import Snapshot


def folded(events: Iterable[Event]) -> Snapshot:
    """The first event starts the run."""
    first, *rest = events
    assert isinstance(first, RunStarted)
    snapshot = begin(first)
    for event in rest:
        snapshot = apply(snapshot, event)
    return snapshot
