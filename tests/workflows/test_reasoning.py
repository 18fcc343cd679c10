"""Reasoning: final answers of several lines of thought, normalised and counted."""

from __future__ import annotations

import pytest

from fanout.errors import DefinitionError
from fanout.providers.script import Fault, Reply
from fanout.types import RunStatus
from fanout.workflows.definition import Workflow
from fanout.workflows.library import shipped
from tests.rig import rig
from tests.workflows.panels import Answer, panel, record_of, replies, tally_of

QUESTION = "How much is it?"


def thinking(names: tuple[str, ...], **changes: object) -> Workflow:
    vote = {"rule": "plurality", "early_stop": "never"}
    return panel("reasoning", names, **{"vote": vote, **changes})


def final(answer: str) -> str:
    return f"Let me think. It could be 7.\n\nFinal answer: {answer}"


@pytest.mark.parametrize(
    "answers",
    [
        ("1/2", "0.5", "**0.5**", "½"),
        ("1,000", "1000", "1000.0", "**1 000**"),
        ("Paris", "paris", "PARIS.", "**Paris**"),
        ("2024-03-05", "5 March 2024", "March 5, 2024", "5th of March 2024"),
        ("42 km", "42 kilometres", "42km", "42000 m"),
        ("yes", "Yes.", "YES", "**yes**"),
    ],
)
def test_answers_that_mean_the_same_are_counted_together(answers: tuple[str, ...]) -> None:
    said = dict(zip("abcd", map(final, answers), strict=True))
    with rig(replies(said)) as here:
        handle = here.start(thinking(tuple(said)), QUESTION)
        snapshot = handle.wait(timeout_s=20)
    tally = tally_of(snapshot)
    assert list(tally.counts.values()) == [4], tally.counts
    assert (tally.agreement, snapshot.status) == (1.0, RunStatus.SUCCEEDED)
    record = record_of(handle)["aggregate"]
    assert record["agreement"] == 1.0
    assert [one["said"] for one in record["ballots"]] != [], "what was written is kept"


def test_the_spread_is_shown_and_not_only_the_winner() -> None:
    said = {name: final(answer) for name, answer in zip("abcde", "88879", strict=True)}
    with rig(replies(said)) as here:
        handle = here.start(thinking(tuple(said)), QUESTION)
        snapshot = handle.wait(timeout_s=20)
    record = record_of(handle)["aggregate"]
    assert record["votes"] == {"8": 3, "7": 1, "9": 1}
    assert record["agreement"] == pytest.approx(0.6)
    assert record["outcome"]["margin"] == pytest.approx(0.4)
    assert tally_of(snapshot).winner == "8"
    for answer in ("3 for 8", "1 for 7", "1 for 9"):
        assert answer in record["text"]


def test_a_tie_is_a_tie() -> None:
    said = {name: final(answer) for name, answer in zip("abcd", "8877", strict=True)}
    with rig(replies(said)) as here:
        handle = here.start(thinking(tuple(said)), QUESTION)
        snapshot = handle.wait(timeout_s=20)
    tally = tally_of(snapshot)
    assert (tally.winner, tally.tied) == (None, ("8", "7"))
    assert snapshot.aggregate is not None and "Tie" in snapshot.aggregate.text
    assert record_of(handle)["aggregate"]["outcome"]["tied"] == ["8", "7"]
    assert snapshot.status is RunStatus.SUCCEEDED


def test_every_answer_different_is_no_winner() -> None:
    said = {name: final(answer) for name, answer in zip("abc", "123", strict=True)}
    with rig(replies(said)) as here:
        snapshot = here.run(thinking(tuple(said)), QUESTION)
    assert tally_of(snapshot).winner is None
    assert len(tally_of(snapshot).tied) == 3


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        ("I am not sure at all.", "names no final answer"),
        (final("that depends on how many of the apples Tom gave to Ann in the end"), "sentence"),
        (Reply(text="Thinking and thinking about", fault=Fault.LENGTH), "length limit"),
    ],
)
def test_an_answer_that_cant_be_counted_is_an_abstention(answer: Answer, problem: str) -> None:
    said: dict[str, Answer] = {"a": final("8"), "b": final("8"), "c": answer}
    with rig(replies(said)) as here:
        handle = here.start(thinking(tuple(said)), QUESTION)
        snapshot = handle.wait(timeout_s=20)
    ballot = snapshot.branches[2].ballot
    assert ballot is not None and problem in ballot.problem
    assert tally_of(snapshot).winner == "8"
    assert snapshot.status is RunStatus.PARTIAL
    assert snapshot.aggregate is not None
    assert snapshot.aggregate.heading == "Verdict of 2 of 3: c abstained"


def test_five_takes_of_one_approach_are_five_votes() -> None:
    said: dict[str, Answer] = {f"Think {n}": final("8") for n in range(1, 6)}
    said["Think 4"] = final("9")
    branches = [{"id": "a", "title": "Think", "times": 5}]
    with rig(replies(said)) as here:
        snapshot = here.run(thinking(("a",), branches=branches), QUESTION)
        assert len(here.provider.requests) == 5
    assert [branch.id for branch in snapshot.branches] == [f"a-{n}" for n in range(1, 6)]
    assert tally_of(snapshot).counts == {"8": 4, "9": 1}


@pytest.mark.parametrize("rule", ["unanimity", "any_block"])
def test_rules_that_need_a_safe_option_are_refused(rule: str) -> None:
    with pytest.raises(DefinitionError, match="safe"):
        thinking(("a",), vote={"rule": rule})


def test_the_last_answer_of_a_line_of_thought_counts() -> None:
    thought = "Answer: 7? No.\nThe answer is 7.\n\nChecking again ...\nFinal answer: 8"
    with rig(replies({"a": thought})) as here:
        snapshot = here.run(thinking(("a",)), QUESTION)
    assert tally_of(snapshot).winner == "8"


def test_the_shipped_workflow_counts_what_its_prompt_asks_for() -> None:
    workflow = shipped().get("reasoning")
    with rig(replies({})) as here:
        here.run(workflow, QUESTION)
        prompts = [request.messages[-1].content for request in here.provider.requests]
    assert len(prompts) == 5
    assert all(prompt.startswith(QUESTION) and "Final answer:" in prompt for prompt in prompts)
