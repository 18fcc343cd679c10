"""The words and numbers of a run, said the same way in columns, tables, charts and terminals."""

from __future__ import annotations

from decimal import Decimal

from fanout.insight.speed import span_s, writing_rate
from fanout.snapshot import Branch
from fanout.types import BranchState, Cost

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
    BranchState.SKIPPED: "Not needed",
}


def state_word(state: BranchState) -> str:
    """A state as the screen says it."""
    return _STATES[state]


def usd_text(usd: Decimal) -> str:
    """Dollars with as many digits as the amount needs: $12.30, $0.0012, $0.00004."""
    if usd >= 1 or usd == 0:
        return f"${usd:.2f}"
    digits = 2
    while round(usd, digits) * 2 < usd or digits < 4:
        digits += 1
        if digits > 9:
            break
    return f"${round(usd, digits + 1).normalize():f}"


def money_text(usd: Decimal | None) -> str:
    """A sum of money: "free", "unknown" or dollars."""
    if usd is None:
        return "cost unknown"
    return usd_text(usd) if usd else "free"


def cost_text(cost: Cost | None) -> str:
    """What a call cost; "≈" where its usage was estimated."""
    if cost is None:
        return "unknown"
    if cost.price.free:
        return "free"
    return f"{'≈ ' if cost.estimated else ''}{usd_text(cost.usd)}"


def tokens_text(branch: Branch) -> str:
    """Tokens written so far; "≈" until the endpoint has counted them."""
    if branch.usage is not None and not branch.usage.estimated:
        return f"{branch.usage.output:,} tokens"
    written = branch.usage.output if branch.usage else branch.pieces
    return f"≈ {written:,} tokens" if written else "0 tokens"


def metric_line(branch: Branch, now_s: float) -> str:
    """"2.8 s · first token 0.4 s · 512 tokens · 61 tok/s · free"."""
    if not branch.phases:
        return ""
    parts = [f"{span_s(branch, now_s):.1f} s"]
    if branch.first_token_s is not None and branch.started_s is not None:
        parts.append(f"first token {branch.first_token_s - branch.started_s:.1f} s")
    if branch.pieces:
        parts.append(tokens_text(branch))
    rate = writing_rate(branch, None if branch.state.finished else now_s)
    if rate is not None:
        parts.append(f"{rate:.0f} tok/s")
    if branch.state.finished:
        parts.append(cost_text(branch.cost))
    return " · ".join(parts)
