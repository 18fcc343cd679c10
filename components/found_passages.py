"""What a research run found: fused passages with their citations, and each strategy's share.

Everything is read from the snapshot, so that it stays as it was when documents are removed, and
from the strategies that the combined answer itself used.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from components.palette import letter
from fanout.retrieval.fusion import K, fuse
from fanout.retrieval.passages import Fused
from fanout.snapshot import Aggregate, Branch, Snapshot
from fanout.workflows.definition import Research, Workflow

DASH = "–"


@dataclass(frozen=True, slots=True, kw_only=True)
class Strategy:
    """One way of searching that the fusion used."""

    branch: Branch
    column: int
    """Its place among the run's columns, which gives it letter and colour."""
    as_asked: bool
    """True where it searched for the question itself."""

    @property
    def name(self) -> str:
        return f"{letter(self.column)} {self.branch.title}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    strategies: tuple[Strategy, ...]
    left_out: tuple[str, ...]
    """Titles of strategies that found something and were not used."""
    cited: tuple[Fused, ...]
    """What the answer was written from: the first is [1]."""
    others: tuple[Fused, ...]
    """Found, fused, and not among the cited ones; in their order."""

    def missed(self, strategy: Strategy) -> int:
        """How many of the cited passages it would not have found alone."""
        return sum(strategy.branch.id not in one.found_by for one in self.cited)


def findings(snapshot: Snapshot, aggregate: Aggregate | None, workflow: Workflow) -> Findings:
    """What the aggregate was made from; without one, what all strategies together found."""
    asked = _as_asked(workflow)
    searched = [
        Strategy(branch=branch, column=i, as_asked=branch.id in asked)
        for i, branch in enumerate(snapshot.branches)
        if branch.queries
    ]
    used = {strategy.branch.id for strategy in searched}
    if aggregate is not None:
        used &= set(aggregate.used)
    k = workflow.rrf_k if isinstance(workflow, Research) else K
    strategies = tuple(one for one in searched if one.branch.id in used)
    fused = fuse({one.branch.id: one.branch.hits for one in strategies}, k)
    cited = aggregate.passages if aggregate is not None else ()
    known = {one.passage.id for one in cited}
    return Findings(
        strategies=strategies,
        left_out=tuple(one.branch.title for one in searched if one.branch.id not in used),
        cited=cited,
        others=tuple(one for one in fused if one.passage.id not in known),
    )


def insight(found: Findings) -> str:
    """One sentence, or two: what the fusion brought that one search would not have."""
    count = len(found.cited)
    if not count or len(found.strategies) < 2:
        return ""
    misses = {one.branch.id: found.missed(one) for one in found.strategies}
    if not any(misses.values()):
        return f"Every strategy found all {count} cited passages: one search would have done."
    asked = next((one for one in found.strategies if one.as_asked), None)
    parts = []
    if asked is not None:
        lost = misses[asked.branch.id]
        if lost:
            verb = "was" if lost == 1 else "were"
            parts.append(
                f"{lost} of the {count} cited passages {verb} not found by the question as asked."
            )
        else:
            parts.append(f"The question as asked found all {count} cited passages by itself.")
    others = [one for one in found.strategies if one is not asked]
    worst = max(others, key=lambda one: misses[one.branch.id])
    if misses[worst.branch.id]:
        parts.append(
            f"{worst.branch.title} alone would have missed {misses[worst.branch.id]} of {count}."
        )
    return " ".join(parts)


def strategies_frame(found: Findings) -> pd.DataFrame:
    """One row per strategy: what it searched for, and how much of the answer it found."""
    count = len(found.cited)
    return pd.DataFrame(
        {
            "Strategy": [one.name for one in found.strategies],
            "Searched for": [" · ".join(one.branch.queries) for one in found.strategies],
            "Found": [len(one.branch.hits) for one in found.strategies],
            f"Of the {count} cited": [count - found.missed(one) for one in found.strategies],
        }
    )


def passages_frame(found: Findings) -> pd.DataFrame:
    """One row per passage, best first: its fused rank, then its rank in each strategy by letter."""
    rows = (*found.cited, *found.others)
    return pd.DataFrame(
        {
            "Fused": list(range(1, len(rows) + 1)),
            "Cited": [f"[{i}]" if i <= len(found.cited) else DASH for i in range(1, len(rows) + 1)],
            **{
                letter(one.column): [str(row.found_by.get(one.branch.id, DASH)) for row in rows]
                for one in found.strategies
            },
            "Passage": [where(one) for one in rows],
            "Begins": [_begins(one) for one in rows],
        }
    )


def where(one: Fused) -> str:
    """The document and the place in it: "member-handbook.md, section: Fees"."""
    passage = one.passage
    return f"{passage.title}, {passage.place or f'passage {passage.ordinal}'}"


def with_passages(snapshot: Snapshot) -> Sequence[Aggregate]:
    """The combined answers that were written from passages."""
    return [made for made in snapshot.aggregates if made.passages]


def _begins(one: Fused) -> str:
    return " ".join(one.passage.text[:160].split())


def _as_asked(workflow: Workflow) -> set[str]:
    """Branches without a prompt search for the question itself."""
    return {spec.id for spec in workflow.active if not workflow.prompt_of(spec).strip()}
