"""What became of a row, measured from its finished run: pure and cheap, a few milliseconds.

The figures are those of a run's own page, by the same names; only what would take long on long
texts is left out, since a batch has thousands of rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal

from fanout.batches import RowResult, RowState
from fanout.budget.words import is_batch_cap
from fanout.insight.practices import measured, run_independence
from fanout.insight.speed import speed, total_cost_usd
from fanout.insight.votes import outcome, run_outcome, voted
from fanout.render.sources import shown_answer, shown_text
from fanout.snapshot import Branch, Snapshot
from fanout.types import BranchState, Cost, Failure, Price, RunStatus, Usage
from fanout.voting.plans import Comparison, Outcome, VotePlan
from fanout.voting.ranking import Ranking
from fanout.voting.scores import Scores
from fanout.voting.tally import Tally

LONGEST_COMPARED = 40_000
"""Characters of all branches together; longer ones are not compared with each other."""
_STATES = {
    RunStatus.SUCCEEDED: RowState.SUCCEEDED,
    RunStatus.PARTIAL: RowState.PARTIAL,
    RunStatus.FAILED: RowState.FAILED,
    RunStatus.STOPPED: RowState.STOPPED,
    # Nobody went on with it, so it counts as ended by hand: "retry" takes it up again.
    RunStatus.INTERRUPTED: RowState.STOPPED,
}
_NOTHING_ASKED = Price(input=Decimal(0), output=Decimal(0), source="no request was sent")


def row_result(snapshot: Snapshot) -> RowResult:
    """What a finished run comes to. ValueError while it is running."""
    if not snapshot.status.finished:
        raise ValueError(f"run {snapshot.run_id} is still running")
    now_s = snapshot.at
    took = speed(snapshot, now_s)
    tokens = sum((go.usage for go in snapshot.goes if go.usage is not None), Usage())
    failure = None if snapshot.status is RunStatus.SUCCEEDED else _decisive(snapshot)
    vote = _vote(snapshot)
    plan, said = vote if vote is not None else (None, None)
    return RowResult(
        state=_STATES[snapshot.status],
        run_id=snapshot.run_id,
        cause=failure.kind if failure else None,
        message=failure.message if failure else "",
        answer=_answer(snapshot),
        verdict=_verdict(plan, said),
        agreement=_agreement(said),
        measures=_measures(snapshot, said),
        cost=_cost(snapshot),
        input_tokens=tokens.input,
        output_tokens=tokens.output,
        wall_s=took.wall_s,
        sequential_s=took.sequential_s,
        branches=len(snapshot.branches),
        failed=sum(_lost(branch) for branch in snapshot.branches),
    )


def stopped_by_budget(snapshot: Snapshot) -> Failure | None:
    """Why calls of a row were not made for its batch's budget; None where none was.

    No further row gets far before that budget is raised, and this one can then go on.
    """
    failures = (call.failure for call in snapshot.calls)
    return next((one for one in failures if one is not None and is_batch_cap(one)), None)


def _lost(branch: Branch) -> bool:
    return branch.state in (BranchState.FAILED, BranchState.TIMED_OUT) or (
        branch.state is BranchState.SKIPPED and branch.failure is not None
    )


def _decisive(snapshot: Snapshot) -> Failure | None:
    """The failure that decided it: the run's own, the aggregate's, or the first branch's."""
    made = snapshot.aggregate
    combining = (*made.before, made.branch) if made is not None else ()
    own_call = made.branch.failure if made is not None else None
    failures = (own_call, *(call.failure for call in (*combining, *snapshot.branches)))
    return snapshot.failure or next((one for one in failures if one is not None), None)


def _answer(snapshot: Snapshot) -> str:
    """What a person reads: the combined answer, or where nothing combines, the branches' texts."""
    if snapshot.aggregate is not None:
        shown = snapshot.aggregate.shown
        return shown_answer(shown) if shown.branch.state.succeeded else ""
    if snapshot.aggregate_kind is not None:
        return ""
    read = [branch for branch in snapshot.branches if branch.shown.state.succeeded]
    if len(snapshot.branches) == 1:
        return "".join(shown_text(branch) for branch in read)
    return "\n\n".join(f"## {branch.title}\n\n{shown_text(branch).strip()}" for branch in read)


def _vote(snapshot: Snapshot) -> tuple[VotePlan | None, Outcome] | None:
    """How it was voted, by the combined answer or by the branches; None without a vote."""
    made = snapshot.aggregate
    found = voted(made.shown, snapshot) if made is not None else None
    if found is not None:
        plan, voters = found
        return plan, outcome(plan, voters)
    said = run_outcome(snapshot)
    return None if said is None else (snapshot.vote, said)


def _verdict(plan: VotePlan | None, said: Outcome | None) -> str | None:
    if isinstance(said, Ranking) and isinstance(plan, Comparison) and said.winner is not None:
        return plan.candidates.get(said.winner, said.winner)
    return said.winner if isinstance(said, Tally) else None


def _agreement(said: Outcome | None) -> float | None:
    """Share of the ballots for the winner; of a ranking, of those that could rank it."""
    if isinstance(said, Tally):
        return said.agreement
    if isinstance(said, Ranking) and said.winner is not None and said.ballots > 1:
        first = said.places[0]
        return first.firsts / first.of if first.of else None
    return None


def _measures(snapshot: Snapshot, said: Outcome | None) -> Mapping[str, float]:
    length = sum(len(branch.text) for branch in snapshot.branches)
    compared = run_independence(snapshot) if length <= LONGEST_COMPARED else None
    practices = measured(snapshot, snapshot.at, compared)
    found = {one.id: one.number for one in practices} | dict(_of_vote(said))
    return {name: round(number, 4) for name, number in found.items() if number is not None}


def _of_vote(said: Outcome | None) -> Iterator[tuple[str, float | None]]:
    match said:
        case Tally():
            yield "margin", said.margin
            yield "valid_votes", float(said.valid)
        case Scores():
            yield "score", said.overall
            yield "alpha", said.alpha
            yield "valid_votes", float(said.valid)
        case Ranking():
            yield "tau", said.tau
            yield "valid_votes", float(said.ballots)
        case None:
            return


def _cost(snapshot: Snapshot) -> Cost | None:
    """The whole run's; its price is that of the first call that wasn't free, where there is one."""
    usd = total_cost_usd(snapshot)
    if usd is None:
        return None
    known = [go.cost for go in snapshot.goes if go.cost is not None]
    prices = [cost.price for cost in known]
    paid = next((price for price in prices if not price.free), None)
    price = paid or next(iter(prices), _NOTHING_ASKED)
    return Cost(usd=usd, price=price, estimated=any(cost.estimated for cost in known))
