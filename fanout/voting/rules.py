"""The rules of a vote: from the votes for each label to a winner, a tie or no decision.

Options stand from the mildest to the strictest where that means something (allow, flag, block), so
that a rule that has to choose between equals can take the stricter one. Only valid votes are
counted. An abstention never stands for the safe option: it prevents a unanimous "allow" and is
otherwise left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal, assert_never

from fanout.errors import DefinitionError

RuleKind = Literal["plurality", "majority", "unanimity", "any_block", "k_of_n", "weighted"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """How votes become a decision.

    plurality: the most votes win; equal tops are a tie.
    majority: more than half of the valid votes, else no decision.
    unanimity: `safe` only if everyone who was asked says so. Otherwise the most voted of the other
        labels, of equals the stricter. Nobody against and somebody silent is no decision. Without
        a safe option any label wins that everyone gives.
    any_block: `strict` as soon as one vote says it, otherwise the most votes, of equals the
        stricter.
    k_of_n: the strictest option with at least `k` votes; labels that are no option come after the
        options, by votes. Nothing at k is no decision.
    weighted: the largest sum of weights; equal tops are a tie.

    Equals that no order of options tells apart stay a tie under every rule.
    """

    kind: RuleKind
    k: int | None = None
    options: tuple[str, ...] = ()
    """Empty leaves the labels open, as for answers in free text."""
    safe: str = ""
    """For unanimity; the first option where it is empty."""
    strict: str = ""
    """For any_block; the last option where it is empty."""

    def __post_init__(self) -> None:
        if self.kind == "k_of_n" and (self.k is None or self.k < 1):
            raise DefinitionError(
                "The rule k_of_n needs k, the votes a winner must have: 1 or more."
            )
        if self.kind == "any_block" and not self.strictest:
            raise DefinitionError("The rule any_block needs options, or the strict one by name.")

    @property
    def safest(self) -> str:
        return self.safe or (self.options[0] if self.options else "")

    @property
    def strictest(self) -> str:
        return self.strict or (self.options[-1] if self.options else "")

    def strictness(self, label: str) -> int:
        """Its place among the options; a label that is none of them counts as the mildest."""
        return self.options.index(label) if label in self.options else -1


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """What a rule decides from. `votes` are weights under the rule "weighted"."""

    votes: Mapping[str, Fraction]
    valid: int
    asked: int

    @property
    def total(self) -> Fraction:
        return sum(self.votes.values(), Fraction(0))

    def of(self, label: str) -> Fraction:
        return self.votes.get(label, Fraction(0))


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """A winner, or a tie of two and more, or neither: no decision."""

    winner: str | None = None
    tied: tuple[str, ...] = ()
    why: str


def decide(count: Count, rule: Rule) -> Decision:
    if not count.valid:
        return Decision(why="no valid vote")
    match rule.kind:
        case "plurality":
            return _most(count, count.votes, "most votes")
        case "weighted":
            return _most(count, count.votes, "most weight")
        case "majority":
            return _majority(count)
        case "unanimity":
            return _unanimity(count, rule)
        case "any_block":
            if count.of(rule.strictest):
                return Decision(winner=rule.strictest, why=f"any {rule.strictest}")
            return _most(count, count.votes, "most votes", rule)
        case "k_of_n":
            return _k_of_n(count, rule)
        case _:
            assert_never(rule.kind)


def _most(count: Count, labels: Iterable[str], how: str, stricter: Rule | None = None) -> Decision:
    """The top of `labels`; `stricter` settles what the order of its options can settle."""
    voted = [label for label in labels if count.of(label) > 0]
    if not voted:
        return Decision(why="no vote has any weight")
    most = max(count.of(label) for label in voted)
    tops = [label for label in voted if count.of(label) == most]
    note = ""
    if stricter is not None and len(tops) > 1:
        strictest = max(stricter.strictness(label) for label in tops)
        tops = [label for label in tops if stricter.strictness(label) == strictest]
        note = ", the stricter of equals"
    if len(tops) > 1:
        return Decision(tied=tuple(tops), why="tie")
    why = f"{how} {number(most)} of {number(count.total)}{note}"
    return Decision(winner=tops[0], why=why)


def _majority(count: Count) -> Decision:
    for label, votes in count.votes.items():
        if 2 * votes > count.total:
            why = f"majority {number(votes)} of {number(count.total)}"
            return Decision(winner=label, why=why)
    return Decision(why="no majority")


def _unanimity(count: Count, rule: Rule) -> Decision:
    voted = [label for label, votes in count.votes.items() if votes]
    silent = max(0, count.asked - count.valid)
    if len(voted) == 1 and voted[0] == (rule.safest or voted[0]):
        if silent:
            return Decision(why=f"not unanimous, {silent} of {count.asked} cast no valid vote")
        return Decision(winner=voted[0], why=f"unanimous {count.valid} of {count.asked}")
    if not rule.safest:
        return Decision(why="not unanimous")
    others = [label for label in voted if label != rule.safest]
    return _most(count, others, "not unanimous,", rule)


def _k_of_n(count: Count, rule: Rule) -> Decision:
    enough = [label for label, votes in count.votes.items() if votes >= (rule.k or 1)]
    if not enough:
        return Decision(why=f"none reached {rule.k}")
    how = f"{rule.k} needed,"
    first = max(enough, key=rule.strictness)
    return _most(count, [first] if first in rule.options else enough, how)


def number(value: Fraction) -> str:
    return f"{as_float(value):g}"


def as_float(value: Fraction) -> float:
    """A sum of weights may be beyond what a float can hold."""
    try:
        return float(value)
    except OverflowError:
        return float("inf")
