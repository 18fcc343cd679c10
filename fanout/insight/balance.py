"""Whether one branch keeps all others waiting, by how much, and what shortening it would save."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median

from fanout.insight.practice import NOTHING_TO_DO, seconds
from fanout.snapshot import Branch, Snapshot
from fanout.types import BranchId

EVEN = 1.5
"""Up to so many times the median is no long pole."""
WORTH_SAYING_S = 0.5
"""A saving below this isn't worth changing a workflow for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    longest: BranchId
    """The succeeded branch whose model worked longest."""
    title: str
    own_s: float
    median_s: float
    """Of all succeeded branches, the longest one included."""
    tokens: int
    """Output tokens of the longest."""
    median_tokens: float
    saves_s: float
    """Wall time saved if it took the median: at most until the next branch is the last to end."""
    advice: str

    @property
    def ratio(self) -> float | None:
        """The longest against the median; None where the median took no time."""
        return self.own_s / self.median_s if self.median_s > 0 else None


def balance(snapshot: Snapshot, now_s: float) -> Balance | None:
    """The long pole of a run; None with fewer than two succeeded branches."""
    done = [branch for branch in snapshot.branches if branch.state.succeeded]
    if len(done) < 2:
        return None
    pole = max(done, key=lambda branch: branch.own_s(now_s))
    own, typical = pole.own_s(now_s), median(branch.own_s(now_s) for branch in done)
    tokens, usual = _tokens(pole), median(_tokens(branch) for branch in done)
    saves = min(own - typical, _last_alone_s(pole, snapshot, now_s))
    return Balance(
        longest=pole.id,
        title=pole.title,
        own_s=own,
        median_s=typical,
        tokens=tokens,
        median_tokens=usual,
        saves_s=saves,
        advice=_advice(pole, saves, tokens, usual, uneven=own > EVEN * typical),
    )


def _last_alone_s(pole: Branch, snapshot: Snapshot, now_s: float) -> float:
    """Seconds for which every other branch had ended and only this one was still at work."""
    others = (branch for branch in snapshot.branches if branch is not pole)
    ends = [now_s if b.finished_s is None else b.finished_s for b in others if b.phases]
    end = now_s if pole.finished_s is None else pole.finished_s
    return max(0.0, end - max(ends, default=end))


def _advice(pole: Branch, saves: float, tokens: int, usual: float, *, uneven: bool) -> str:
    if not uneven or saves < WORTH_SAYING_S:
        return NOTHING_TO_DO
    gain = f"up to {seconds(saves)} of the run"
    if tokens > EVEN * usual:
        return (
            f"Ask {pole.title} for less (it wrote {tokens} tokens against {usual:.0f}), "
            f"or split it in two branches: saves {gain}."
        )
    return f"{pole.title} wrote no more than others: a faster model for it saves {gain}."


def _tokens(branch: Branch) -> int:
    return branch.usage.output if branch.usage and branch.usage.output else branch.pieces
