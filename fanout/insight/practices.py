"""Best practices of running calls in parallel, each measured on one run with advice.

The list is the one that guides to parallel calls end with: keep branches independent and even, know
the overhead, the gain and the price, respect rate limits, and handle failures. Pure: any snapshot
can be measured, at any moment of its life.
"""

from __future__ import annotations

from dataclasses import asdict

import numpy as np

from fanout.insight.independence import GOOD, Independence, independence
from fanout.insight.mishaps import failures_practice
from fanout.insight.practice import NOTHING_TO_DO, Level, Practice, unknown
from fanout.insight.provenance import Provenance
from fanout.insight.shared_beginning import shared_beginning_practices
from fanout.insight.similarity import Square
from fanout.insight.spending import cost_practice
from fanout.insight.timing import (
    balance_practice,
    overhead_practice,
    rate_limit_practice,
    speed_up_practice,
)
from fanout.snapshot import Branch, Snapshot

ALIKE = 0.5
"""Branches that amount to less than this share of their number repeat each other."""


def practices(snapshot: Snapshot, now_s: float) -> tuple[Practice, ...]:
    """Every measure of a run as it stands at `now_s`; what it doesn't have is "unknown"."""
    return measured(snapshot, now_s, run_independence(snapshot))


def measured(snapshot: Snapshot, now_s: float, found: Independence | None) -> tuple[Practice, ...]:
    """The same, by an independence that is known already."""
    return (
        independence_practice(found, voting=snapshot.vote is not None),
        balance_practice(snapshot, now_s),
        overhead_practice(snapshot, now_s),
        speed_up_practice(snapshot, now_s),
        cost_practice(snapshot),
        rate_limit_practice(snapshot, now_s),
        failures_practice(snapshot),
        *shared_beginning_practices(snapshot),
    )


def run_independence(snapshot: Snapshot) -> Independence | None:
    """How far the texts of a run's branches are from repeating each other."""
    compared = [branch for branch in snapshot.branches if _said(branch)]
    return independence(
        [branch.title for branch in compared],
        [_said(branch) for branch in compared],
        _meaning(snapshot, compared),
    )


def _said(branch: Branch) -> str:
    """What a branch has to say; of an answer in a form only the reason, as the form repeats."""
    if branch.plan.form is None:
        return branch.text.strip()
    return branch.ballot.reason.strip() if branch.ballot is not None else ""


def _meaning(snapshot: Snapshot, compared: list[Branch]) -> Square | None:
    """Cosines in the order of the compared branches; None unless all of them were measured."""
    if snapshot.meaning is None:
        return None
    place = {branch_id: i for i, branch_id in enumerate(snapshot.meaning.branches)}
    if not all(branch.id in place for branch in compared):
        return None
    order = [place[branch.id] for branch in compared]
    return np.asarray(snapshot.meaning.cosines, dtype=np.float64)[np.ix_(order, order)]


def independence_practice(found: Independence | None, *, voting: bool) -> Practice:
    """The effective number of different answers; branches that vote are meant to agree."""
    if found is None:
        return unknown("independence", "Independence", "It takes two texts to compare.")
    by = "wording" if found.meaning_effective is None else "meaning"
    effective = found.effective if found.meaning_effective is None else found.meaning_effective
    level: Level = (
        "good" if voting or found.share >= GOOD else "watch" if found.share >= ALIKE else "bad"
    )
    pair = found.closest
    return Practice(
        id="independence",
        title="Independence",
        value=f"{effective:.1f} of {found.of}",
        reading=f"By {by}, {found.of} branches amount to {effective:.1f} different answers; "
        f"{pair.one} and {pair.other} are closest ({pair.closeness:.0%} shared wording).",
        advice="Branches that vote are meant to agree: look at the agreement instead."
        if voting
        else found.advice or NOTHING_TO_DO,
        level=level,
        number=effective,
    )


def practices_record(snapshot: Snapshot, now_s: float | None = None) -> dict[str, object]:
    """All measures as plain JSON, by id; the pairs that are closest in wording with them."""
    found = run_independence(snapshot)
    all_of_them = measured(snapshot, snapshot.at if now_s is None else now_s, found)
    record: dict[str, object] = {p.id: _practice_record(p) for p in all_of_them}
    record["wording"] = None if found is None else _independence_record(found)
    return record


def provenance_record(found: Provenance) -> dict[str, object]:
    """Sentences with their sources, and how much of each branch arrived, as plain JSON."""
    return {
        "sentences": [asdict(sentence) for sentence in found.sentences],
        "reached": {branch: round(share, 3) for branch, share in found.reached.items()},
        "unsupported": found.unsupported,
        "share_supported": None
        if found.share_supported is None
        else round(found.share_supported, 3),
    }


def _practice_record(practice: Practice) -> dict[str, object]:
    record = {key: value for key, value in asdict(practice).items() if key != "id"}
    return record | {"number": None if practice.number is None else round(practice.number, 3)}


def _independence_record(found: Independence) -> dict[str, object]:
    return {
        "effective": round(found.effective, 3),
        "of": found.of,
        "closest": asdict(found.closest),
        "titles": list(found.titles),
        "matrix": [list(row) for row in found.matrix],
        "compression_ratio": None if found.compression is None else round(found.compression, 3),
        "distinct_2": None if found.distinct2 is None else round(found.distinct2, 3),
    }
