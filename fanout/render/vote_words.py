"""A vote in words, for the person who wonders why this won: its rule, the fate of a ballot."""

from __future__ import annotations

from typing import assert_never

from fanout.render.words import not_needed, state_word
from fanout.snapshot import Branch
from fanout.voting.ballot import Ballot
from fanout.voting.plans import Outcome, Poll
from fanout.voting.rules import Rule
from fanout.voting.tally import Tally

_EARLY = {
    "never": "",
    "decided": " Votes that can't change the outcome any more are not waited for.",
    "likely": " The vote ends as soon as the outcome is decided with 95 %.",
}


def rule_words(plan: Poll) -> str:
    """ "Rule: more than half of the valid votes, else no decision."."""
    return f"Rule: {_rule(plan.rule)}.{_EARLY[plan.early_stop]}"


def fate(branch: Branch, ballot: Ballot | None, outcome: Outcome) -> str:
    """What became of a ballot: "voted", "voted, minority", "abstained: why"."""
    if ballot is not None and ballot.valid:
        if isinstance(outcome, Tally) and outcome.winner not in (None, ballot.choice):
            return "voted, minority"
        return "voted"
    if not_needed(branch):
        return "not needed"
    if ballot is None:
        return f"not asked: {branch.failure.message}" if branch.failure else "did not vote"
    if branch.failure is not None:
        return f"failed: {branch.failure.message}"
    if not branch.state.succeeded:
        return state_word(branch.state).lower()
    return f"abstained: {ballot.problem or 'nothing was said'}"


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
