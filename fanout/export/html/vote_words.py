"""A rule in one sentence, for the person who wonders why this won."""

from __future__ import annotations

from typing import assert_never

from fanout.voting.plans import Poll
from fanout.voting.rules import Rule

_EARLY = {
    "never": "",
    "decided": " Votes that can't change the outcome any more are not waited for.",
    "likely": " The vote ends as soon as the outcome is decided with 95 %.",
}


def rule_words(plan: Poll) -> str:
    """ "Rule: more than half of the valid votes, else no decision."."""
    return f"Rule: {_rule(plan.rule)}.{_EARLY[plan.early_stop]}"


def _rule(rule: Rule) -> str:
    match rule.kind:
        case "plurality":
            return "the most votes win, and equal tops are a tie"
        case "majority":
            return "more than half of the valid votes, else no decision"
        case "unanimity":
            if rule.safest:
                return f"{rule.safest} only if everyone who was asked says so"
            return "an answer wins only if everyone gives it"
        case "any_block":
            return f"a single vote for {rule.strictest} is enough, otherwise the most votes win"
        case "k_of_n":
            votes = "vote" if rule.k == 1 else "votes"
            which = "the strictest answer" if rule.options else "the most voted answer"
            return f"{which} with at least {rule.k} {votes}"
        case "weighted":
            return "the largest sum of weights wins, and equal tops are a tie"
        case _:
            assert_never(rule.kind)
