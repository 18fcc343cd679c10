"""What a program gets of a run: its answer, its branches, and what they took."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType

from fanout.insight.speed import cost_usd, speed, total_cost_usd, usage
from fanout.record import run_record
from fanout.snapshot import Branch, Snapshot
from fanout.types import BranchId, BranchState, Failure, RunStatus, Usage


@dataclass(frozen=True, slots=True, kw_only=True)
class BranchResult:
    """One branch at the run's end."""

    id: BranchId
    title: str
    text: str
    """As a person reads it; of a failed branch what it wrote until then."""
    state: BranchState
    model: str
    failure: Failure | None
    usage: Usage
    """Tokens of all its attempts; `estimated` where the endpoint did not say."""
    cost_usd: Decimal | None
    """US dollars of all its attempts; None is unknown."""
    first_token_s: float | None
    """Seconds since the run began, as `finished_s`."""
    finished_s: float | None
    attempts: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """A finished run. `snapshot` is the whole picture; the rest is what programs mostly want."""

    snapshot: Snapshot
    now_s: float

    @property
    def run_id(self) -> str:
        return self.snapshot.run_id

    @property
    def status(self) -> RunStatus:
        return self.snapshot.status

    @property
    def text(self) -> str:
        """The combined answer; "" where there is none."""
        made = self.snapshot.aggregate
        return made.shown.text if made is not None else ""

    @property
    def heading(self) -> str:
        """What the answer was made of, as "Synthesis of 3 of 4: Poem failed"; "" without one."""
        made = self.snapshot.aggregate
        return made.shown.heading if made is not None else ""

    @property
    def branches(self) -> Mapping[str, BranchResult]:
        """By id, in the workflow's order."""
        return MappingProxyType({b.id: _branch(b) for b in self.snapshot.branches})

    @property
    def cost_usd(self) -> Decimal | None:
        """US dollars of every request of the run; None where some of it is unknown."""
        return total_cost_usd(self.snapshot)

    @property
    def wall_s(self) -> float:
        return speed(self.snapshot, self.now_s).wall_s

    @property
    def sequential_s(self) -> float:
        """What the same calls would have taken one after another."""
        return speed(self.snapshot, self.now_s).sequential_s

    @property
    def failure(self) -> Failure | None:
        """Why there is no answer: the run's own failure, the aggregate's, or the first branch's."""
        made = self.snapshot.aggregate
        calls = (*((made.branch,) if made is not None else ()), *self.snapshot.branches)
        return self.snapshot.failure or next(
            (call.failure for call in calls if call.failure is not None), None
        )

    def record(self) -> dict[str, object]:
        """The run as plain JSON: what `python -m fanout run --json` prints."""
        return run_record(self.snapshot, self.now_s)


def _branch(branch: Branch) -> BranchResult:
    return BranchResult(
        id=branch.id,
        title=branch.title,
        text=branch.shown_text,
        state=branch.state,
        model=branch.answered_by.model,
        failure=branch.failure,
        usage=usage(branch),
        cost_usd=cost_usd(branch.goes),
        first_token_s=branch.first_token_s,
        finished_s=branch.finished_s,
        attempts=branch.attempts,
    )
