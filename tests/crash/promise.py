"""What a crash may cost: up to 2 s of text of the branches in flight, and nothing that had ended.

Compares what a victim had shown, to followers and in snapshots, with what the record holds.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise

from fanout.events import (
    AggregateWritten,
    AttemptStarted,
    BallotCast,
    BranchFinished,
    BranchWrote,
    Event,
    RunFinished,
)
from fanout.snapshot import Snapshot
from fanout.store.values import StoredRun
from fanout.timeline import decode
from fanout.types import BranchId
from tests.crash.victims import Seen

LASTING = (BranchFinished, BallotCast, AggregateWritten, RunFinished)
Go = tuple[BranchId, int]
"""A call and the attempt it is at, over all of the run."""


def lost_s(seen: Seen, stored: StoredRun) -> float:
    """Seconds of text that the crash cost, after checking that it cost nothing worse."""
    events = [decode(event) for event in seen.events]
    kept = set(map(repr, stored.events))
    for event in events:
        if isinstance(event, LASTING):
            assert repr(event) in kept, f"seen and lost: {event}"
    goes = [go for call in stored.snapshot.calls for go in call.goes]
    for id, state, text in seen.finished:
        fits = [go for go in goes if (go.id, go.state.value, go.text) == (id, state, text)]
        assert fits, f"the end of {id} was shown and is lost"
    _check_order(stored.events)
    return max([0.0, *_losses(seen, events, stored.events)])


def succeeded(snapshot: Snapshot) -> dict[BranchId, str]:
    """The texts that a resume may not touch nor ask for again."""
    return {branch.id: branch.text for branch in snapshot.branches if branch.state.succeeded}


def _losses(seen: Seen, shown: Sequence[Event], stored: Sequence[Event]) -> Iterable[float]:
    """How long before the kill the first character of each text that is gone had come."""
    kept = {go: "".join(text for _, text in parts) for go, parts in _texts(stored).items()}
    for go, parts in _texts(shown).items():
        have = kept.get(go, "")
        whole = "".join(text for _, text in parts)
        assert have.startswith(whole) or whole.startswith(have), f"another text of {go[0]}"
        length = 0
        for at, text in parts:
            length += len(text)
            if length > len(have):
                yield seen.killed_at - (seen.zero + at)
                break


def _texts(events: Iterable[Event]) -> dict[Go, list[tuple[float, str]]]:
    attempts: dict[BranchId, int] = {}
    texts: dict[Go, list[tuple[float, str]]] = {}
    for event in events:
        if isinstance(event, AttemptStarted):
            attempts[event.id] = attempts.get(event.id, 0) + 1
        elif isinstance(event, BranchWrote):
            go = (event.id, attempts.get(event.id, 0))
            texts.setdefault(go, []).append((event.at, event.text))
    return texts


def _check_order(events: Sequence[Event]) -> None:
    for before, after in pairwise(events):
        assert before.at <= after.at, f"time runs backwards: {before}, then {after}"
