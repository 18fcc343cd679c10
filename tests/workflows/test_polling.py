"""When the votes that are still out can be called off, decided from a picture of the run."""

from __future__ import annotations

import pytest

from fanout.snapshot import Branch, Phase
from fanout.types import BranchId, BranchPlan, BranchState
from fanout.voting.ballot import Ballot
from fanout.voting.plans import EarlyStop, Poll
from fanout.voting.rules import Rule, RuleKind
from fanout.workflows.moderation import VERDICTS
from fanout.workflows.polling import decided
from tests.rig import MODEL


def voter(name: str, said: str, weight: float = 1.0) -> Branch:
    """A voter who said one of the verdicts, nothing readable ("?"), failed, or is still out."""
    plan = BranchPlan(id=BranchId(name), title=name, model=MODEL, messages=())
    state = {"out": BranchState.WRITING, "failed": BranchState.FAILED}.get(said, BranchState.DONE)
    ballot = None
    if said == "?":
        ballot = Ballot(voter=plan.id, choice=None, problem="Unreadable.")
    elif state is BranchState.DONE:
        ballot = Ballot(voter=plan.id, choice=said, weight=weight)
    return Branch(plan=plan, phases=(Phase(state=state, since_s=0.0),), ballot=ballot)


def voters(votes: str) -> tuple[Branch, ...]:
    return tuple(voter(f"v{n}", said) for n, said in enumerate(votes.split()))


def poll(kind: RuleKind, early_stop: EarlyStop = "decided", **weights: float) -> Poll:
    rule = Rule(
        kind=kind, k=2 if kind == "k_of_n" else None, options=VERDICTS, safe="allow", strict="block"
    )
    return Poll(
        rule=rule,
        early_stop=early_stop,
        weights={BranchId(name): weight for name, weight in weights.items()},
    )


@pytest.mark.parametrize(
    ("kind", "votes", "expected"),
    [
        ("majority", "allow allow allow out out", True),
        ("majority", "allow allow block out out", False),
        ("majority", "allow allow ? out out", False),
        ("majority", "allow allow ? failed out", True),
        ("plurality", "allow allow out out", False),
        ("plurality", "allow allow failed out", True),
        ("unanimity", "allow allow out", False),
        ("unanimity", "allow flag out", False),
        ("unanimity", "allow block out", True),
        ("unanimity", "block block out", True),
        ("any_block", "block out out", True),
        ("any_block", "allow allow out", False),
        ("k_of_n", "block block out", True),
        ("k_of_n", "allow allow out out", False),
        ("k_of_n", "allow allow out", True),
        ("majority", "out out", False),
    ],
)
def test_strict_calls_off_only_what_no_vote_can_change(
    kind: RuleKind, votes: str, expected: bool
) -> None:
    assert decided(poll(kind), voters(votes)) is expected
    assert not decided(poll(kind, "never"), voters(votes))


def test_the_weights_of_those_who_are_out_count() -> None:
    votes = (voter("v0", "block", 5.0), voter("v1", "out"), voter("v2", "out"))
    assert decided(poll("weighted", v1=2, v2=2), votes)
    assert not decided(poll("weighted", v1=2, v2=3), votes)
    assert decided(poll("weighted"), votes), "who has no weight of its own weighs 1"
    assert not decided(poll("majority"), votes), "elsewhere weights count for nothing"


def test_likely_is_content_with_95_percent() -> None:
    assert decided(poll("plurality", "likely"), voters("allow " * 4 + "out " * 6))
    assert not decided(poll("plurality", "likely"), voters("allow " * 3 + "out " * 7))
    assert not decided(poll("plurality"), voters("allow " * 4 + "out " * 6))
