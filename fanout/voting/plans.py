"""How the votes of one question will be counted: decided before the first of them is cast."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias, assert_never

from fanout.types import BranchId
from fanout.voting.ballot import Ballot
from fanout.voting.ranking import Ranking, borda
from fanout.voting.rules import Rule
from fanout.voting.scores import Criterion, Scale, Scores, rubric_scores
from fanout.voting.tally import Tally, tally

EarlyStop = Literal["never", "decided", "likely"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Poll:
    """Every voter names one option; a rule makes the outcome."""

    rule: Rule
    early_stop: EarlyStop = "never"
    weights: Mapping[BranchId, float] = field(default_factory=dict)
    """A voter that isn't named here weighs 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rubric:
    """Every voter scores each criterion."""

    criteria: tuple[Criterion, ...]
    scale: Scale


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Every voter ranks the candidates, which it sees without names and in an order of its own."""

    candidates: Mapping[str, str]
    """Id to title."""
    orders: Mapping[BranchId, tuple[str, ...]]
    """What each voter saw, in that order; its own text isn't among them."""
    own: Mapping[BranchId, str] = field(default_factory=dict)
    """The candidate that a voter wrote itself, and so didn't judge."""


VotePlan: TypeAlias = Poll | Rubric | Comparison
Outcome: TypeAlias = Tally | Scores | Ranking


def count(plan: VotePlan, ballots: Sequence[Ballot], *, asked: int, not_needed: int = 0) -> Outcome:
    """What the ballots say so far, by the plan's own rule. Pure; may be asked at any time."""
    match plan:
        case Poll():
            return tally(ballots, plan.rule, asked=asked, not_needed=not_needed)
        case Rubric():
            return rubric_scores(ballots, plan.criteria, plan.scale, asked=asked)
        case Comparison():
            return borda(ballots, tuple(plan.candidates), plan.own)
        case _:
            assert_never(plan)
