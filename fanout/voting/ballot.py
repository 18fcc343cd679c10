"""One vote as it was cast: the choice, the words behind it, and why it may not count."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from fanout.types import BranchId


@dataclass(frozen=True, slots=True, kw_only=True)
class Ballot:
    voter: BranchId
    choice: str | None
    """The canonical label; None where nothing was chosen."""
    said: str = ""
    """As the model wrote it: "1/2", "BLOCK."."""
    reason: str = ""
    weight: float = 1.0
    """Counts under the rule "weighted" only; what is no finite number above 0 counts as 0."""
    category: str = ""
    severity: int | None = None
    """0 none to 4 extreme."""
    scores: Mapping[str, float] = field(default_factory=dict)
    """Criterion to score, on the scale of the rubric."""
    ranking: tuple[str, ...] = ()
    """Candidate ids, best first, without ties."""
    problem: str = ""
    """Why this is an abstention, as a sentence for a person."""

    @property
    def valid(self) -> bool:
        """A ballot with a problem, or one that says nothing, is an abstention."""
        says_something = self.choice is not None or bool(self.scores) or bool(self.ranking)
        return says_something and not self.problem
