"""Whether between two pictures of a run nothing happened but that words came.

That is so for nearly every frame of a board, and then all that a face or the run's line says still
stands: of everything in them only texts change while a call writes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from operator import attrgetter

from fanout.snapshot import Aggregate, Branch, Snapshot
from fanout.types import BranchState


def _but(kind: type, *names: str) -> Callable[[object], object]:
    """All fields but these: a field that is added later counts until somebody says otherwise."""
    return attrgetter(*(field.name for field in fields(kind) if field.name not in names))


_rest_of_run = _but(Snapshot, "seq", "at", "branches", "aggregates", "_index")
_rest_of_branch = _but(Branch, "text", "pieces")
_rest_of_answer = _but(Aggregate, "branch")


def only_words_came(before: Snapshot, now: Snapshot) -> bool:
    """Whether both are the same but for words of calls that were writing already."""
    return (
        not now.status.finished
        and len(before.branches) == len(now.branches)
        and len(before.aggregates) == len(now.aggregates)
        and _rest_of_run(before) == _rest_of_run(now)
        and all(map(_wrote, before.branches, now.branches))
        and all(map(_went_on, before.aggregates, now.aggregates))
    )


def _went_on(before: Aggregate, now: Aggregate) -> bool:
    if before is now:
        return True
    return _rest_of_answer(before) == _rest_of_answer(now) and _wrote(before.branch, now.branch)


def _wrote(before: Branch, now: Branch) -> bool:
    if before is now:
        return True
    writing = before.state is now.state is BranchState.WRITING
    return writing and _rest_of_branch(before) == _rest_of_branch(now)
