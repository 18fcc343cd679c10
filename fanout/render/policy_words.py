"""A run's policies in one calm line: "Waits for all · 4 attempts · 2 min to the first word".

What holds for every run is said always, in the same order; what is switched off or left to Fanout
isn't mentioned, but for the budget, whose absence is worth knowing before pressing Run.
"""

from __future__ import annotations

from decimal import Decimal

from fanout.policies import Budget, FanIn, Policies, PrefixMode
from fanout.snapshot import Snapshot
from fanout.types import Deadlines

_PREFIXES: dict[PrefixMode, str] = {
    "auto": "",
    "on": "shared beginning computed once",
    "off": "shared beginning not shared",
}


def policy_sentence(
    policies: Policies, deadlines: Deadlines, *, branches: int, fallbacks: int = 0
) -> str:
    """All of it in one line, for so many branches, `fallbacks` models standing by."""
    parts = [
        fan_in_words(policies.fan_in, branches),
        _counted(policies.retries.attempts, "attempt"),
        _first_word(deadlines.first_token_s),
        f"ends after {span_words(policies.run_s)}" if policies.run_s is not None else "",
        "late calls asked twice" if policies.hedging.enabled else "",
        _PREFIXES[policies.prefix],
        _counted(fallbacks, "fallback model") if fallbacks else "",
        budget_words(policies.budget),
    ]
    return " · ".join(filter(None, parts))


def run_policy_sentence(snapshot: Snapshot) -> str:
    """The same for a run; empty for one of an earlier version, which kept no policies."""
    if snapshot.policies is None or not snapshot.branches:
        return ""
    plans = [branch.plan for branch in snapshot.branches]
    return policy_sentence(
        snapshot.policies,
        plans[0].deadlines,
        branches=len(plans),
        fallbacks=len({model for plan in plans for model in plan.fallback}),
    )


def fan_in_words(fan_in: FanIn, branches: int) -> str:
    """ "Waits for all", "Answers after 2 of 4", "Answers after 2 of 4 or 30 s"."""
    k = fan_in.k if fan_in.k is not None and fan_in.k < branches else None
    after = [f"{k} of {branches}"] if k is not None else []
    if fan_in.deadline_s is not None:
        after.append(span_words(fan_in.deadline_s))
    return f"Answers after {' or '.join(after)}" if after else "Waits for all"


def budget_words(budget: Budget) -> str:
    """ "no budget", "at most $0.05", "at most $0.05 and 20,000 tokens"."""
    caps = [cap_words(budget.usd)] if budget.usd is not None else []
    if budget.tokens is not None:
        caps.append(_counted(budget.tokens, "token"))
    return f"at most {' and '.join(caps)}" if caps else "no budget"


def cap_words(usd: Decimal) -> str:
    """A sum that somebody chose, exactly: "$0.05", "$12.00", "$0.0005"."""
    exponent = usd.normalize().as_tuple().exponent
    places = max(2, -exponent) if isinstance(exponent, int) else 2
    return f"${usd:,.{places}f}"


def span_words(seconds: float) -> str:
    """A length that somebody chose, exactly: "0.5 s", "90 s", "2 min", "1 h 30 min"."""
    if seconds <= 90 or seconds % 1:
        return f"{seconds:g} s"
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    parts = (f"{hours} h" if hours else "", f"{minutes} min" if minutes else "")
    return " ".join(filter(None, (*parts, f"{rest} s" if rest else "")))


def _first_word(seconds: float | None) -> str:
    if seconds is None:
        return "no limit to the first word"
    return f"{span_words(seconds)} to the first word"


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
