"""The words and numbers of a run, said the same way in columns, tables, charts and terminals."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import ROUND_HALF_UP, Decimal
from itertools import pairwise

from fanout.insight.speed import cost_usd, span_s, writing_rate
from fanout.pricing import FREE
from fanout.render.live_words import budget_skipped, thinking
from fanout.snapshot import Branch, Snapshot
from fanout.types import BranchState, Cost, FailureKind, RunStatus
from fanout.voting.ballot import Ballot

LONGEST_VOTE = 32
"""Characters of a vote on a chip; the whole stands in the column."""

_STATES = {
    BranchState.READY: "Ready",
    BranchState.QUEUED: "Queued",
    BranchState.WAITING: "Waiting for first token",
    BranchState.WRITING: "Writing",
    BranchState.RETRYING: "Retrying",
    BranchState.DONE: "Done",
    BranchState.CACHED: "From cache",
    BranchState.STOPPED: "Stopped",
    BranchState.FAILED: "Failed",
    BranchState.TIMED_OUT: "Timed out",
    BranchState.SKIPPED: "Skipped",
}

_KINDS = {
    FailureKind.AUTH: "Key not accepted",
    FailureKind.QUOTA: "Quota used up",
    FailureKind.RATE_LIMIT: "Rate limited",
    FailureKind.TIMEOUT_FIRST_TOKEN: "No first word in time",
    FailureKind.TIMEOUT_IDLE: "Went silent",
    FailureKind.TIMEOUT_TOTAL: "Took too long",
    FailureKind.CONNECTION: "Connection lost",
    FailureKind.SERVER: "Server error",
    FailureKind.BAD_RESPONSE: "Unreadable answer",
    FailureKind.TRUNCATED: "Answer cut off",
    FailureKind.REFUSED: "Refused",
    FailureKind.EMPTY: "Empty answer",
    FailureKind.UNKNOWN_MODEL: "Unknown model",
    FailureKind.BUDGET: "Budget reached",
    FailureKind.BUG: "Fault in Fanout",
}

_RUNS = {
    RunStatus.RUNNING: "Running",
    RunStatus.SUCCEEDED: "Finished",
    RunStatus.PARTIAL: "Finished in part",
    RunStatus.FAILED: "Failed",
    RunStatus.STOPPED: "Stopped",
    RunStatus.INTERRUPTED: "Interrupted",
}

_RUN_ENDS = {RunStatus.STOPPED: "stopped", RunStatus.INTERRUPTED: "interrupted"}

_ENDS = {
    BranchState.DONE: "is done",
    BranchState.CACHED: "came from the cache",
    BranchState.STOPPED: "was stopped",
    BranchState.FAILED: "failed",
    BranchState.TIMED_OUT: "timed out",
    BranchState.SKIPPED: "was skipped",
}


def state_word(state: BranchState) -> str:
    """A state as the screen says it."""
    return _STATES[state]


def branch_word(branch: Branch) -> str:
    """How a branch stands: its vote where it has voted, else its state."""
    if branch.ballot is not None and branch.state.succeeded:
        return vote_word(branch.ballot)
    if not_needed(branch):
        return "Not needed"
    if budget_skipped(branch):
        return "Skipped: budget"
    return "Thinking" if thinking(branch) else state_word(branch.state)


def not_needed(branch: Branch) -> bool:
    """True where it was called off because nothing hung on it any more."""
    return branch.not_needed


def vote_word(ballot: Ballot) -> str:
    """ "Block", "42", "Scored", "Ranked" or "Abstained"."""
    if not ballot.valid:
        return "Abstained"
    if ballot.ranking:
        return "Ranked"
    choice = " ".join((ballot.choice or "scored").split())
    short = choice if len(choice) <= LONGEST_VOTE else f"{choice[: LONGEST_VOTE - 1].rstrip()}…"
    return short[:1].upper() + short[1:]


def kind_word(kind: FailureKind) -> str:
    """A kind of failure in two or three words."""
    return _KINDS[kind]


def run_word(status: RunStatus) -> str:
    return _RUNS[status]


def end_sentence(branch: Branch) -> str:
    """ "Joke is done", "Poem failed": what is announced; empty while it is still at work."""
    if branch.ballot is not None and branch.state.succeeded:
        if not branch.ballot.valid:
            return f"{branch.title} abstained"
        judged = branch.ballot.ranking or branch.ballot.scores
        return f"{branch.title} {'has judged' if judged else f'voted {vote_word(branch.ballot)}'}"
    end = "is not needed" if not_needed(branch) else _ENDS.get(branch.state)
    if budget_skipped(branch):
        end = "was skipped for the budget"
    return f"{branch.title} {end}" if end else ""


def run_sentence(snapshot: Snapshot) -> str:
    """ "Run finished: 2 of 3", or "Run stopped: 2 of 3"; empty while it is running."""
    if not snapshot.status.finished:
        return ""
    done = sum(branch.state.succeeded for branch in snapshot.branches)
    how = _RUN_ENDS.get(snapshot.status, "finished")
    return f"Run {how}: {done} of {len(snapshot.branches)}"


def seconds_text(seconds: float) -> str:
    """ "0.04 s", "2.8 s", "2 min 5 s"."""
    if 0 < seconds < 0.095:
        return f"{seconds:.2f} s"
    if seconds < 99.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s"


def rate_text(tokens_per_s: float) -> str:
    """ "61 tok/s"; a decimal where it is slow."""
    return f"{tokens_per_s:.1f} tok/s" if tokens_per_s < 9.95 else f"{tokens_per_s:.0f} tok/s"


def tokens_text(branch: Branch) -> str:
    """Tokens written so far; "≈" until the endpoint has counted them."""
    counted = branch.usage is not None and not branch.usage.estimated
    written = branch.usage.output if branch.usage is not None else branch.pieces
    about = "" if counted or not written else "≈ "
    return f"{about}{written:,} token{'' if written == 1 else 's'}"


def usd_text(usd: Decimal) -> str:
    """Dollars with as many digits as the amount needs: $12.30, $0.012, $0.0012, $0.000041."""
    if usd >= 1 or usd == 0:
        return f"${usd.quantize(Decimal('0.01'), ROUND_HALF_UP)}"
    # Two significant digits, but never fewer places than cents have.
    places = max(2, 1 - usd.adjusted())
    return f"${usd.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP):f}"


def money_text(usd: Decimal | None) -> str:
    """A sum of money in a line of its own: "free", "cost unknown" or dollars."""
    if usd is None:
        return "cost unknown"
    return usd_text(usd) if usd else "free"


def spent_text(goes: Iterable[Branch]) -> str:
    """What calls cost together: "free" only where their prices are, "$0.00" where nothing came."""
    asked = tuple(goes)
    usd = cost_usd(asked)
    priced = any(go.cost is not None and not go.cost.price.free for go in asked)
    # Of calls that were refused before they were sent, nobody knows whether they had been free.
    priced = priced or any(go.failure and go.started_s is None for go in asked)
    return usd_text(usd) if usd is not None and priced else money_text(usd)


def cost_text(cost: Cost | None, *, short: bool = True) -> str:
    """What a call cost: "free", "unknown", "$0.0012"; "≈" where its usage was estimated.

    The long form stands without a heading over it: "cost unknown".
    """
    if cost is None:
        return "unknown" if short else "cost unknown"
    # A free model may have answered where one that is paid for had failed.
    if cost.price.free and not cost.usd:
        return "free"
    return f"{'≈ ' if cost.estimated else ''}{usd_text(cost.usd)}"


def nothing_paid_text(costs: Iterable[Cost | None]) -> str:
    """Why calls that were asked cost nothing."""
    prices = [cost.price for cost in costs if cost is not None]
    if not prices:
        return "No price is known for this model."
    if not all(price.free for price in prices):
        return "Nothing was charged: no call used any tokens."
    here = all(price.source == FREE.source for price in prices)
    return "Nothing to pay: every call ran on this machine." if here else "Nothing to pay."


def price_text(cost: Cost | None) -> str:
    """What a call's tokens cost, and who says so."""
    if cost is None:
        return "unknown"
    price = cost.price
    if price.free:
        return price.source
    return f"${price.input:g} in, ${price.output:g} out per million ({price.source})"


def first_token_wait_s(branch: Branch) -> float | None:
    """Seconds from the request that was answered to its first token; None before there is one.

    What an attempt took that broke off in mid-answer doesn't count.
    """
    found = None
    for before, after in pairwise(branch.phases):
        if before.state is BranchState.WAITING and after.state is BranchState.WRITING:
            found = after.since_s - before.since_s
        elif after.state is BranchState.RETRYING:
            found = None
    return found


def metrics(branch: Branch, now_s: float) -> tuple[str, ...]:
    """The numbers at a column's foot, in their order; none before the branch was queued."""
    if not branch.phases:
        return ()
    parts = [seconds_text(span_s(branch, now_s))]
    backing_off = branch.spent_s(BranchState.RETRYING, now_s)
    if backing_off > 0:
        parts.append(f"backing off {seconds_text(backing_off)}")
    first = first_token_wait_s(branch)
    if first is not None:
        parts.append(f"first token {seconds_text(first)}")
    if branch.thought and branch.state is not BranchState.WAITING:
        parts.append(f"thought ≈ {branch.thought:,} token{'' if branch.thought == 1 else 's'}")
    if branch.pieces or (branch.usage is not None and branch.usage.output):
        parts.append(tokens_text(branch))
    rate = writing_rate(branch, None if branch.state.finished else now_s)
    if rate is not None:
        parts.append(rate_text(rate))
    if branch.state.finished and branch.started_s is not None:
        parts.append(cost_text(branch.cost, short=False))
    return tuple(parts)


def metric_line(branch: Branch, now_s: float) -> str:
    """ "2.8 s · first token 0.4 s · 512 tokens · 61 tok/s · free"."""
    return " · ".join(metrics(branch, now_s))
