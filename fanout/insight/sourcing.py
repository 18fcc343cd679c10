"""The sources of a combined answer: which branches or passages its sentences came from."""

from __future__ import annotations

from fanout.insight.provenance import Provenance, provenance
from fanout.snapshot import Aggregate, Snapshot
from fanout.types import BranchId, BranchState

SOURCED = ("synthesis", "guided", "cited")
"""The others are counted or joined: what they are made of is said in their text."""


def sourced(aggregate: Aggregate, snapshot: Snapshot) -> Provenance | None:
    """Provenance of a finished answer; None where it isn't written anew, or isn't there.

    An answer with citations is checked against its passages, whose ids are "1", "2" and so on.
    """
    if aggregate.kind not in SOURCED or not aggregate.text.strip():
        return None
    if aggregate.branch.state not in (BranchState.DONE, BranchState.CACHED, BranchState.STOPPED):
        return None
    sources = {
        branch.id: branch.text for branch in snapshot.branches if branch.id in aggregate.used
    }
    if aggregate.kind == "cited":
        sources = {
            BranchId(str(number)): one.passage.text
            for number, one in enumerate(aggregate.passages, 1)
        }
    return provenance(aggregate.text, sources, given=snapshot.topic)
