"""Scores of several judges by a rubric: middle and spread per criterion, and totals."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, median, stdev

from fanout.errors import DefinitionError
from fanout.types import BranchId
from fanout.voting.agreement import krippendorff_alpha
from fanout.voting.ballot import Ballot

DISPUTED_SHARE = 0.5
"""A criterion is disputed where its scores lie apart by this share of the scale or more; the judges
disagree where disputed criteria have this share of the weight or more."""

_WRITTEN = re.compile(r"([+-]?\d{1,15}(?:\.\d{1,15})?)(?:\s*/\s*(\d{1,15}))?", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Criterion:
    id: str
    title: str
    weight: float = 1.0
    """What is no finite number above 0 counts as 0."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    low: float
    high: float

    def __post_init__(self) -> None:
        if not (math.isfinite(self.low) and math.isfinite(self.high) and self.low < self.high):
            raise DefinitionError("The scale of a rubric needs two numbers, the lower one first.")


@dataclass(frozen=True, slots=True, kw_only=True)
class CriterionScore:
    """What the judges gave for one criterion; numbers are None where nobody scored it."""

    criterion: Criterion
    n: int
    mean: float | None
    median: float | None
    low: float | None
    high: float | None
    std: float | None
    """Sample standard deviation; None below two scores."""
    disagreement: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgeTotal:
    voter: BranchId
    total: float | None
    """Weighted mean of the criteria this judge scored, on the scale; None where it scored none."""
    complete: bool
    """Whether it scored every criterion."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scores:
    asked: int
    valid: int
    """Judges with at least one usable score."""
    abstained: int
    criteria: tuple[CriterionScore, ...]
    judges: tuple[JudgeTotal, ...]
    """The valid ones, as their ballots came."""
    overall: float | None
    """Weighted mean of the criteria's means, on the scale."""
    alpha: float | None
    """Krippendorff's alpha, interval, judges by criteria; None for a single judge."""
    disagree: bool


def rubric_scores(
    ballots: Sequence[Ballot],
    criteria: Sequence[Criterion],
    scale: Scale,
    *,
    asked: int | None = None,
) -> Scores:
    """Combine one ballot per judge; `asked` is how many judges there are, else the ballots."""
    given = {
        ballot.voter: usable
        for ballot in ballots
        if ballot.valid and (usable := _usable(ballot.scores, criteria, scale))
    }
    rows = tuple(
        _criterion(c, [s[c.id] for s in given.values() if c.id in s], scale) for c in criteria
    )
    table = [[scores.get(c.id) for c in criteria] for scores in given.values()]
    disputed = sum(_weight(row.criterion) for row in rows if row.disagreement)
    weight = sum(_weight(row.criterion) for row in rows if row.n)
    return Scores(
        asked=max(asked or 0, len(ballots)),
        valid=len(given),
        abstained=len(ballots) - len(given),
        criteria=rows,
        judges=tuple(_judge(voter, scores, criteria) for voter, scores in given.items()),
        overall=_weighted([(row.mean, row.criterion) for row in rows]),
        alpha=krippendorff_alpha(table, "interval"),
        disagree=disputed > 0 and disputed >= DISPUTED_SHARE * weight,
    )


def usable_score(value: object, scale: Scale) -> float | None:
    """The score as a number on the scale, or None; nothing is clamped or guessed.

    Takes numbers and numbers in writing; "8/10" only where 10 is the top of the scale.
    """
    if isinstance(value, str):
        match = _WRITTEN.fullmatch(value.strip())
        if match is None or (match[2] is not None and float(match[2]) != scale.high):
            return None
        value = float(match[1])
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    # A comparison, as a whole number may be too large for a float.
    return float(value) if scale.low <= value <= scale.high else None


def _usable(
    scores: Mapping[str, float], criteria: Sequence[Criterion], scale: Scale
) -> dict[str, float]:
    usable = {c.id: usable_score(scores.get(c.id), scale) for c in criteria}
    return {key: score for key, score in usable.items() if score is not None}


def _criterion(criterion: Criterion, scores: Sequence[float], scale: Scale) -> CriterionScore:
    apart = max(scores) - min(scores) if scores else 0.0
    return CriterionScore(
        criterion=criterion,
        n=len(scores),
        mean=fmean(scores) if scores else None,
        median=median(scores) if scores else None,
        low=min(scores, default=None),
        high=max(scores, default=None),
        std=stdev(scores) if len(scores) > 1 else None,
        disagreement=len(scores) > 1 and apart >= DISPUTED_SHARE * (scale.high - scale.low),
    )


def _judge(
    voter: BranchId, scores: Mapping[str, float], criteria: Sequence[Criterion]
) -> JudgeTotal:
    return JudgeTotal(
        voter=voter,
        total=_weighted([(scores.get(c.id), c) for c in criteria]),
        complete=all(c.id in scores for c in criteria),
    )


def _weighted(scores: Sequence[tuple[float | None, Criterion]]) -> float | None:
    """Over those that have a score; None where they weigh nothing."""
    known = [(score, _weight(c)) for score, c in scores if score is not None]
    total = sum(weight for _, weight in known)
    return sum(score * (weight / total) for score, weight in known) if total else None


def _weight(criterion: Criterion) -> float:
    weight = criterion.weight
    return weight if math.isfinite(weight) and weight > 0 else 0.0
