"""Every shipped workflow as two programs of its own: they ask and combine as the run did."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from fanout.export.code.literals import literal
from fanout.insight.votes import run_outcome
from fanout.providers.script import Reply, Rule, Script
from fanout.providers.scripted_app import SeenRequest
from fanout.snapshot import Snapshot
from fanout.voting.words import verdict
from fanout.workflows.library import shipped
from tests.export.coding import (
    STATUS,
    WRITERS,
    asked,
    began,
    carried_out,
    changed,
    meeting,
    ran,
    run_here,
)
from tests.workflows.documents import filled

WRITTEN = ("creative-trio", "perspectives", "review", "report", "questions", "models")


def both(snapshot: Snapshot) -> dict[str, str]:
    return {name: write(snapshot) for name, write in WRITERS.items()}


@pytest.mark.parametrize("name", WRITTEN)
def test_a_program_asks_what_the_run_asked_and_ends_in_the_same_answer(
    name: str, tmp_path: Path
) -> None:
    workflow, script = shipped().get(name), Script()
    snapshot, requests = ran(workflow, workflow.examples[0], script)
    assert snapshot.aggregate is not None
    for one in carried_out(both(snapshot), script, tmp_path).values():
        assert one.complaints == ""
        assert asked(one.requests) == asked(requests)
        assert one.last(snapshot.aggregate.branch.title).endswith(snapshot.aggregate.text.strip())
        assert one.status == 0


def test_a_panel_of_moderators_reaches_the_same_verdict(tmp_path: Path) -> None:
    workflow = changed("moderation", vote={"rule": "majority", "early_stop": "never"})
    script = panel(["block", "flag", "block", "allow", "block"])
    snapshot, requests = ran(workflow, workflow.examples[0], script)
    for one in carried_out(both(snapshot), script, tmp_path).values():
        assert asked(one.requests) == asked(requests)
        assert one.last("Verdict").startswith("**Block: majority 3 of 5**")
        assert "- Reader: block. So it is." in one.printed
        assert one.status == 0


def panel(verdicts: list[str]) -> Script:
    """Moderators of the shipped workflow, by the policies that they are given."""
    policies = ("Nobody may be", "No insults", "No spam", "No private", "Would a reasonable")
    said = {"reason": "So it is.", "category": "none", "severity": 1}
    return Script(
        rules=tuple(
            Rule(prompt=policy, replies=(Reply(text=json.dumps({**said, "verdict": choice})),))
            for policy, choice in zip(policies, verdicts, strict=True)
        )
    )


@pytest.mark.parametrize("example", [0, 1], ids=["scores", "ranking"])
def test_judges_come_to_the_same_judgement(example: int, tmp_path: Path) -> None:
    workflow, script = shipped().get("judges"), Script()
    snapshot, requests = ran(workflow, workflow.examples[example], script)
    outcome = run_outcome(snapshot)
    assert outcome is not None
    for one in carried_out(both(snapshot), script, tmp_path).values():
        assert asked(one.requests) == asked(requests)
        said = verdict(outcome, {f"text-{n}": f"Text {n}" for n in range(1, 4)})
        told = one.last("Judgement").splitlines()[0]
        assert told.replace(" and ", ", ") == f"**{said.replace(' and ', ', ')}**"
        assert one.status == 0


def test_the_final_answers_of_several_lines_of_thought_are_counted(tmp_path: Path) -> None:
    workflow = changed("reasoning", vote={"rule": "plurality", "early_stop": "never"})
    starts = ("Think step", "Work backwards", "Think of a simpler", "Look for", "First estimate")
    script = Script(
        rules=tuple(
            Rule(prompt=start, replies=(Reply(text=f"Let me see.\nFinal answer: {said}"),))
            for start, said in zip(starts, ("8", "**8**", "8.0", "8.", "six"), strict=True)
        )
    )
    snapshot, requests = ran(workflow, workflow.examples[0], script)
    assert snapshot.aggregate is not None
    assert snapshot.aggregate.text.startswith("**8: most votes 4 of 5**")
    for one in carried_out(both(snapshot), script, tmp_path).values():
        assert asked(one.requests) == asked(requests)
        assert one.last("Answer").startswith("**8: most votes 4 of 5**")
        assert one.status == 0


def test_research_answers_from_the_passages_that_the_run_found(tmp_path: Path) -> None:
    script = Script(
        rules=(Rule(prompt="Passages to read", replies=(Reply(text="The blades were late [1]."),)),)
    )
    with filled(tmp_path) as library:
        workflow = shipped().get("research")
        snapshot, requests = ran(workflow, "Why was the wind project delayed?", script, library)
    for one in carried_out(both(snapshot), script, tmp_path).values():
        assert asked(one.requests) == asked(requests)
        assert one.last("Answer") == "The blades were late [1]."
        assert one.status == 0


def test_a_failed_branch_leaves_its_siblings_alone_and_is_told_by_the_exit_status(
    tmp_path: Path,
) -> None:
    workflow = shipped().get("creative-trio")
    broken = Reply(status=404, code="model_not_found", message="No such model.")
    script = Script(rules=(Rule(prompt="short poem", replies=(broken,)),))
    snapshot, requests = ran(workflow, "rain", script)
    assert snapshot.aggregate is not None and snapshot.aggregate.used == ("joke", "story")
    for one in carried_out(both(snapshot), script, tmp_path).values():
        assert asked(one.requests) == asked(requests)
        assert "== Poem" in one.printed and "No such model." in one.printed
        assert one.last("Synthesis") == snapshot.aggregate.text.strip()
        assert one.status == STATUS[snapshot.status] == 3


@pytest.mark.parametrize("kind", list(WRITERS))
def test_all_branches_are_asked_at_once(kind: str, tmp_path: Path) -> None:
    snapshot, _ = ran(shipped().get("creative-trio"), "rain", Script())
    with meeting(3) as base_url:
        process = began(WRITERS[kind](snapshot), base_url, tmp_path / "program.py")
        printed, _ = process.communicate(timeout=60)
    assert (process.returncode, printed.count("Hm.")) == (0, 4), printed


def test_a_program_without_any_answer_combines_nothing_and_says_so(tmp_path: Path) -> None:
    workflow = shipped().get("review")
    script = Script(otherwise=Reply(status=401, message="Who are you?"))
    snapshot, requests = ran(workflow, "rain", script)
    for source in both(snapshot).values():
        one = run_here(source, script, tmp_path)
        assert len(one.requests) == len(requests) == 3
        assert one.status == STATUS[snapshot.status] == 1


def test_an_endpoint_without_schemas_is_asked_in_words(tmp_path: Path) -> None:
    workflow = shipped().get("moderation")
    lines = Reply(text="Reason: It is rude.\nCategory: none\nSeverity: 2\nVerdict: **flag**")
    script = Script(
        rules=(Rule(prompt="End with these lines", replies=(lines,)),),
        rejects_forms=frozenset({"json_schema", "json_object"}),
    )
    snapshot, _ = ran(workflow, workflow.examples[0], script)
    one = run_here(WRITERS["script"](snapshot), script, tmp_path)
    assert one.last("Verdict").startswith("**Flag: majority 5 of 5**")
    assert "It is rude." in one.printed
    assert one.status == STATUS[snapshot.status] == 0


def test_a_model_with_other_names_for_its_limits_is_asked_again(tmp_path: Path) -> None:
    snapshot, _ = ran(shipped().get("creative-trio"), "rain", Script())
    script = Script(rejects=frozenset({"max_tokens", "temperature"}))
    one = run_here(WRITERS["script"](snapshot), script, tmp_path)
    assert one.status == 0, one.printed
    bodies = [request.body for request in one.requests]
    taken = [body for body in bodies if not {"temperature", "max_tokens"} & body.keys()]
    assert {body.get("max_completion_tokens") for body in taken} == {100, 200, 260, 280}


@pytest.mark.parametrize(("name", "other"), [("perspectives", "rain"), ("judges", "A.\n---\nB.")])
def test_with_another_topic_it_asks_what_a_run_about_that_asks(
    name: str, other: str, tmp_path: Path
) -> None:
    workflow, script = shipped().get(name), Script()
    before = "C.\n---\nD." if name == "judges" else "snow"
    snapshot, _ = ran(workflow, before, script)
    _, requests = ran(workflow, other, script)
    for source in both(snapshot).values():
        said = literal(before, before=8)
        assert f"TOPIC = {said}\n" in source
        changed = source.replace(f"TOPIC = {said}\n", f"TOPIC = {other!r}\n")
        assert asked(run_here(changed, script, tmp_path).requests) == asked(requests)


def test_without_a_definition_the_prompts_stand_as_they_were_sent(tmp_path: Path) -> None:
    workflow, script = shipped().get("creative-trio"), Script()
    snapshot, requests = ran(workflow, "rain", script)
    old = replace(snapshot, made_with=None)
    for source in both(old).values():
        one = run_here(source, script, tmp_path)
        assert asked(of_branches(one.requests)) == asked(of_branches(requests))
        assert "the prompts stand here as they were sent" in " ".join(source.split())
        assert (one.status, len(one.requests)) == (0, 4)


def of_branches(requests: tuple[SeenRequest, ...]) -> tuple[SeenRequest, ...]:
    return tuple(one for one in requests if "helpful" in one.prompt)
