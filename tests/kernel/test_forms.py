"""How an answer in a form is asked for: what is refused or ignored is learnt."""

from __future__ import annotations

import pytest

from fanout.events import AttemptFailed
from fanout.providers.base import ChatRequest
from fanout.providers.script import Fault, Reply, Rule, Script
from fanout.types import BranchState, FailureKind
from tests.rig import Rig, rig
from tests.workflows.panels import moderation, panel, replies, tally_of, verdict

PROSE = Reply(text="What a lovely text.")
LINES = Reply(text="Reason: Fine.\nCategory: none\nSeverity: 0\nVerdict: allow")
JSON = Reply(text=verdict("allow"))


def form_of(request: ChatRequest) -> object:
    return (request.response_format or {}).get("type")


def forms(here: Rig) -> list[object]:
    return [form_of(request) for request in here.provider.requests]


def always(*answers: Reply, refused: frozenset[str] = frozenset()) -> Script:
    return Script(rules=(Rule(replies=answers),), rejects_forms=refused)


def test_a_model_that_keeps_the_form_is_asked_once() -> None:
    with rig(always(JSON)) as here:
        for _ in range(3):
            here.run(moderation(("a",)), "Hello.")
        assert forms(here) == ["json_schema"] * 3


def test_two_answers_in_a_row_that_ignore_the_form_lower_the_rung() -> None:
    with rig(always(PROSE, JSON, PROSE, JSON, JSON)) as here:
        for _ in range(3):
            here.run(moderation(("a",)), "Hello.")
        asked = forms(here)
    assert asked == ["json_schema", "json_object", "json_schema", "json_object", "json_object"]


def test_lines_instead_of_json_count_and_still_lower_the_rung() -> None:
    with rig(always(LINES)) as here:
        for _ in range(6):
            snapshot = here.run(moderation(("a",)), "Hello.")
            assert tally_of(snapshot).winner == "allow"
        assert forms(here) == ["json_schema"] * 2 + ["json_object"] * 2 + [None] * 2


def test_a_value_out_of_range_says_nothing_against_the_form() -> None:
    severe = Reply(text=verdict("block", severity=9))
    with rig(always(severe)) as here:
        for _ in range(3):
            assert tally_of(here.run(moderation(("a",)), "Hello.")).winner == "block"
        assert forms(here) == ["json_schema"] * 3, "nor is a clear verdict asked for again"


def test_an_answer_that_was_cut_off_says_nothing_of_the_form() -> None:
    cut = Reply(text='{"reason": "It is a very', fault=Fault.LENGTH)
    with rig(always(cut)) as here:
        snapshot = here.run(moderation(("a",)), "Hello.")
        here.run(moderation(("a",)), "Hello.")
        assert forms(here) == ["json_schema"] * 2, "nor is it asked for again"
    ballot = snapshot.branches[0].ballot
    assert ballot is not None and not ballot.valid


def test_the_second_asking_is_seen_as_a_second_attempt() -> None:
    with rig(always(PROSE, JSON)) as here:
        handle = here.start(moderation(("a",)), "Hello.")
        snapshot = handle.wait(timeout_s=20)
    failed = [event for event in handle.events if isinstance(event, AttemptFailed)]
    assert [event.failure.kind for event in failed] == [FailureKind.BAD_RESPONSE]
    assert "asked once more" in failed[0].failure.message
    assert snapshot.branches[0].attempts == 2
    assert snapshot.branches[0].text == JSON.text


def test_a_second_asking_that_fails_is_a_failed_branch() -> None:
    with rig(always(PROSE, Reply(status=401))) as here:
        snapshot = here.run(moderation(("a",)), "Hello.")
    branch = snapshot.branches[0]
    assert branch.state is BranchState.FAILED
    assert branch.failure is not None and branch.failure.kind is FailureKind.AUTH
    assert branch.usage is not None and branch.usage.output > 0, "the first answer was billed"


@pytest.mark.parametrize(
    ("refused", "asked"),
    [
        ({"json_schema"}, ["json_schema", "json_object", "json_object"]),
        ({"json_schema", "json_object"}, ["json_schema", "json_object", None, None]),
        ({"json_object"}, ["json_schema", "json_schema"]),
    ],
)
def test_what_an_endpoint_refuses_is_not_sent_again(
    refused: set[str], asked: list[str | None]
) -> None:
    with rig(always(Reply(text=verdict("allow")), refused=frozenset(refused))) as here:
        for _ in range(2):
            assert tally_of(here.run(moderation(("a",)), "Hello.")).winner == "allow"
        assert forms(here) == asked


def test_each_model_has_a_ladder_of_its_own() -> None:
    branches = [{"id": name, "title": name, "model": f"model-{name}"} for name in ("a", "b")]
    workflow = panel("moderation", (), branches=branches, vote={"rule": "majority"})
    with rig(replies({"a": LINES, "b": JSON}), slots=1) as here:
        for _ in range(3):
            here.run(workflow, "Hello.")
        asked = {
            model: [form_of(r) for r in here.provider.requests if r.model == model]
            for model in ("model-a", "model-b")
        }
    assert asked["model-b"] == ["json_schema"] * 3
    assert asked["model-a"] == ["json_schema", "json_schema", "json_object"]
