"""Answers that are counted and not written: the rule of the run as a few lines of Python."""

from __future__ import annotations

from collections.abc import Iterator
from typing import assert_never

from fanout.export.code.literals import in_line
from fanout.export.code.parts import Piece, part
from fanout.export.code.recipe import Recipe
from fanout.export.code.source import value
from fanout.voting.plans import Comparison, Poll, Rubric
from fanout.voting.rules import Rule


def counted(recipe: Recipe, title: str) -> Iterator[Piece]:
    """The branches' votes, scores or rankings; where they cast none, the answers they end in."""
    vote = recipe.vote or Poll(rule=Rule(kind="plurality"))
    name = in_line(title)
    match vote:
        case Poll():
            yield from _poll(recipe, vote, name)
        case Rubric():
            yield _rubric(vote)
            yield part("scores", title=name)
        case Comparison():
            yield part("ranking", title=name, names="TEXTS")
            yield part("borda")
        case _:
            assert_never(vote)
    if recipe.form is not None:
        yield part("fields")
    yield part("settled")


def _poll(recipe: Recipe, vote: Poll, title: str) -> Iterator[Piece]:
    rule = vote.rule
    by_verdict = recipe.form is not None and bool(rule.options)
    lines = [f"OPTIONS = {value(rule.options, before=10)}"] if rule.options else []
    if rule.kind == "weighted":
        weights = {one.plan.title: vote.weights.get(one.plan.id, 1.0) for one in recipe.branches}
        lines.append(f"WEIGHTS = {value(weights, before=10)}")
    if rule.kind == "k_of_n":
        lines.append(f"ENOUGH = {rule.k or 1}")
    if lines:
        yield Piece(source="\n".join(lines))
    added = "votes.get(label, 0) + 1"
    if rule.kind == "weighted":
        added = "round(votes.get(label, 0) + WEIGHTS[answer.call.title], 9)"
    yield part(
        "tally",
        title=title,
        votes="dict.fromkeys(OPTIONS, 0)" if rule.options else "{}",
        added=added,
        # Where the branches weren't asked to vote, one without a vote is whole all the same.
        missing=', f"{silent} abstained" if silent else ""' if recipe.vote is not None else "",
        reason=". {reason(answer)}" if by_verdict else "",
        decide="decide(votes, len(answers))" if rule.kind == "unanimity" else "decide(votes)",
    )
    yield part("verdict" if by_verdict else "final_answer")
    yield _rule(rule)


def _rule(rule: Rule) -> Piece:
    match rule.kind:
        case "plurality":
            return part("rule_plurality", how="most votes")
        case "weighted":
            return part("rule_plurality", how="most weight")
        case "majority":
            return part("rule_majority")
        case "unanimity":
            return part("rule_unanimity")
        case "any_block":
            return part("rule_any_block")
        case "k_of_n":
            return part(
                "rule_k_of_n", strictness="OPTIONS.index" if rule.options else "votes.__getitem__"
            )
        case _:
            assert_never(rule.kind)


def _rubric(vote: Rubric) -> Piece:
    criteria = {one.id: (one.title, one.weight) for one in vote.criteria}
    low, high = value(vote.scale.low), value(vote.scale.high)
    return Piece(source=f"CRITERIA = {value(criteria, before=11)}\nLOW, HIGH = {low}, {high}")
