"""Each way of combining: what is asked, what is shown, and what its heading says."""

from __future__ import annotations

import json

import pytest

from fanout.providers.script import Reply, Rule, Script
from fanout.snapshot import Aggregate, Snapshot
from fanout.types import AGGREGATE, BranchState, FailureKind, RunStatus
from fanout.workflows.combining.guided import proposed_points
from fanout.workflows.combining.table import EQUAL
from fanout.workflows.definition import Workflow
from fanout.workflows.quoting import NOTICE, marker_of, quoted
from tests.rig import QUICK, Rig, rig, trio
from tests.workflows.panels import record_of

POINTS = ["Who pays", "What it costs", "Why now"]
WRITTEN = Reply(text="One whole answer.")


def combining(kind: str, **fields: object) -> Workflow:
    title = str(fields.pop("title", kind.title()))
    return trio(aggregate={"kind": kind, "title": title, "result": "<{title}> {text}", **fields})


def three(*combined: Rule, **texts: str | Reply) -> Script:
    """Texts of joke, story and poem; `combined` rules come first, as their prompts quote them."""
    replies = {
        name: text if isinstance(text, Reply) else Reply(text=text) for name, text in texts.items()
    }
    return Script(
        rules=(
            *combined,
            *(Rule(prompt=f"Write a {name}", replies=(reply,)) for name, reply in replies.items()),
        ),
        otherwise=QUICK,
    )


def rule(prompt: str, *replies: str | Reply) -> Rule:
    made = tuple(reply if isinstance(reply, Reply) else Reply(text=reply) for reply in replies)
    return Rule(prompt=prompt, replies=made)


def combined(snapshot: Snapshot) -> Aggregate:
    assert snapshot.aggregate is not None
    return snapshot.aggregate


def asked(here: Rig, call: str) -> list[str]:
    """Prompts that hold these words."""
    prompts = (request.messages[-1].content for request in here.provider.requests)
    return [prompt for prompt in prompts if call in prompt]


def test_a_synthesis_is_asked_with_every_branch_by_its_title() -> None:
    script = three(rule("Combine", WRITTEN), joke="Ha.", story="Once.", poem="Rose.")
    with rig(script) as here:
        snapshot = here.run(combining("synthesis", prompt="Combine on {topic}:\n{results}"))
        prompts = asked(here, "Combine")
    marker = marker_of(snapshot.run_id)
    texts = {"Joke": "Ha.", "Story": "Once.", "Poem": "Rose."}
    quotes = [f"<{title}> {quoted(text, marker)}" for title, text in texts.items()]
    assert prompts == ["Combine on rain:\n" + "\n\n".join([*quotes, NOTICE])]
    assert combined(snapshot).text == WRITTEN.text
    assert combined(snapshot).used == ("joke", "story", "poem")
    assert combined(snapshot).heading == "Synthesis of 3 of 3"


def test_braces_of_a_branch_stay_braces() -> None:
    with rig(three(rule("Combine", WRITTEN), joke="{topic} {results} {{x}}")) as here:
        here.run(combining("synthesis", prompt="Combine:\n{results}"))
        prompt = asked(here, "Combine")[0]
    assert "\n{topic} {results} {{x}}\n" in prompt


def test_guided_writes_about_the_points_that_were_ticked_and_proposes_none() -> None:
    workflow = combining("guided", points=POINTS[:2], prompt="Combine:\n{results}\nBy:\n{points}")
    with rig(three(rule("Combine", WRITTEN))) as here:
        snapshot = here.run(workflow)
        prompts = asked(here, "Combine")
    assert combined(snapshot).before == ()
    assert combined(snapshot).text == WRITTEN.text
    assert len(prompts) == 1 and prompts[0].endswith("By:\n- Who pays\n- What it costs")


def test_guided_without_ticks_covers_what_the_model_proposes() -> None:
    workflow = combining("guided", prompt="Combine:\n{results}\nBy:\n{points}")
    proposal = rule("List the points", json.dumps({"points": POINTS}))
    with rig(three(proposal, rule("Combine", WRITTEN))) as here:
        handle = here.start(workflow)
        snapshot = handle.wait(timeout_s=20)
        prompt = asked(here, "Combine")[0]
    proposed = combined(snapshot).before
    assert [call.id for call in proposed] == ["aggregate-points"]
    assert proposed_points(proposed[0].text) == tuple(POINTS)
    points = "- Who pays\n- What it costs\n- Why now"
    assert prompt.endswith(f"By:\n{quoted(points, marker_of(snapshot.run_id))}"), "nobody ticked"
    assert snapshot.status is RunStatus.SUCCEEDED
    assert len(snapshot.aggregates) == 1
    before = record_of(handle)["aggregate"]["before"]
    assert [(call["id"], call["status"]) for call in before] == [("aggregate-points", "done")]


@pytest.mark.parametrize("answer", ["No idea.", Reply(status=401)])
def test_guided_is_written_also_where_no_points_came(answer: str | Reply) -> None:
    workflow = combining("guided", prompt="Combine:\n{results}\nBy:\n{points}")
    with rig(three(rule("List the points", answer), rule("Combine", WRITTEN))) as here:
        snapshot = here.run(workflow)
        prompt = asked(here, "Combine")[0]
    assert combined(snapshot).text == WRITTEN.text
    assert prompt.endswith("By:\n- what matters most in each answer")


@pytest.mark.parametrize(
    ("text", "points"),
    [
        (json.dumps({"points": ["A", " A ", "", "B", "C"]}), ("A", "B", "C")),
        (json.dumps({"points": [str(n) for n in range(30)]}), ()),
        ("Points:\n- A\n- B\n- C", ("A", "B", "C")),
        ("", ()),
        (json.dumps({"points": "nothing"}), ()),
    ],
)
def test_points_are_read_without_blanks_or_repeats(text: str, points: tuple[str, ...]) -> None:
    assert proposed_points(text) == points


ROW = {"text_1": "short", "text_2": "long | wide", "text_3": "rhymed\nwell", "stronger": "text_3"}


def test_a_table_with_criteria_has_a_row_for_each_and_names_the_stronger() -> None:
    rows = {"criterion_1": ROW, "criterion_2": {**ROW, "stronger": EQUAL}}
    workflow = combining(
        "table", criteria=["Length", "Form"], prompt="Combine by {points}: {results}"
    )
    with rig(three(rule("Combine", json.dumps(rows)))) as here:
        snapshot = here.run(workflow)
        assert "Length (criterion_1), Form (criterion_2)" in asked(here, "Combine")[0]
    assert combined(snapshot).text.splitlines() == [
        "| Criterion | Joke | Story | Poem | Stronger |",
        "| --- | --- | --- | --- | --- |",
        r"| Length | short | long \| wide | rhymed well | Poem |",
        r"| Form | short | long \| wide | rhymed well | equal |",
    ]
    assert combined(snapshot).branch.text == json.dumps(rows), "the raw answer is kept"


def test_a_table_without_criteria_has_those_that_the_model_chose() -> None:
    rows = {"rows": [{"criterion": "Length", **ROW}, {"criterion": "Mood", **ROW}]}
    with rig(three(rule("Combine", json.dumps(rows)))) as here:
        snapshot = here.run(combining("table", prompt="Combine: {results} by {points}"))
        assert "the criteria that matter most" in asked(here, "Combine")[0]
    first = [line.split(" | ")[0] for line in combined(snapshot).text.splitlines()]
    assert first == ["| Criterion", "| ---", "| Length", "| Mood"]


def test_a_table_that_cant_be_read_shows_the_raw_answer() -> None:
    with rig(three(rule("Combine", "I like the poem."))) as here:
        snapshot = here.run(combining("table", prompt="Combine: {results} by {points}"))
    assert combined(snapshot).text == "I like the poem."
    assert combined(snapshot).answer is None


def test_a_table_leaves_out_the_columns_of_branches_that_failed() -> None:
    row = {"text_1": "a", "text_2": "b", "stronger": "text_2"}
    rows = {"rows": [{"criterion": "Length", **row}, {"criterion": "Mood", **row}]}
    script = three(rule("Combine", json.dumps(rows)), story=Reply(status=401))
    with rig(script) as here:
        snapshot = here.run(combining("table", prompt="Combine: {results} by {points}"))
    assert combined(snapshot).text.startswith("| Criterion | Joke | Poem | Stronger |")
    assert combined(snapshot).text.splitlines()[2].endswith("| Poem |")


def final(answer: str) -> str:
    return f"Thinking.\nFinal answer: {answer}"


def test_free_texts_vote_by_their_final_answers() -> None:
    script = three(joke=final("1/2"), story=final("0.5"), poem=final("3"))
    with rig(script) as here:
        handle = here.start(combining("vote"))
        snapshot = handle.wait(timeout_s=20)
        assert len(here.provider.requests) == 3, "a count asks nobody"
    record = record_of(handle)["aggregate"]
    assert record["votes"] == {"0.5": 2, "3": 1}
    assert record["agreement"] == pytest.approx(2 / 3)
    assert [one["choice"] for one in record["ballots"]] == ["0.5", "0.5", "3"]
    assert "2 for 0.5" in record["text"]
    assert snapshot.status is RunStatus.SUCCEEDED
    assert combined(snapshot).heading == "Vote of 3 of 3"


def test_a_text_without_a_final_answer_abstains_from_such_a_vote() -> None:
    script = three(joke=final("8"), story="Who knows.", poem=final("8"))
    with rig(script) as here:
        handle = here.start(combining("vote"))
        snapshot = handle.wait(timeout_s=20)
    assert combined(snapshot).heading == "Vote of 2 of 3: Story abstained"
    record = record_of(handle)["aggregate"]
    assert record["outcome"]["abstained"] == 1
    assert record["ballots"][1]["valid"] is False


def test_a_vote_in_which_no_text_names_an_answer_has_no_outcome() -> None:
    with rig(three(joke="Ha.", story="Once.", poem="Rose.")) as here:
        snapshot = here.run(combining("vote"))
    failure = combined(snapshot).branch.failure
    assert failure is not None and failure.kind is FailureKind.BAD_RESPONSE
    assert snapshot.status is RunStatus.PARTIAL


def test_a_concatenation_follows_its_template_and_asks_nobody() -> None:
    workflow = combining(
        "concatenation", prompt="# {topic}\n\n{results}\n", result="## {title}\n{text}"
    )
    with rig(three(joke=" Ha. ", story="Once.", poem=Reply(status=401))) as here:
        snapshot = here.run(workflow)
        assert len(here.provider.requests) == 3
    assert combined(snapshot).text == "# rain\n\n## Joke\nHa.\n\n## Story\nOnce."
    assert combined(snapshot).heading == "Concatenation of 2 of 3: Poem failed"
    call = combined(snapshot).branch
    assert call.usage is not None and call.usage.input == call.usage.output == 0
    assert call.cost is not None and call.cost.usd == 0


def test_searches_that_were_none_leave_nothing_to_fuse() -> None:
    with rig(three()) as here:
        snapshot = here.run(combining("fused"))
    failure = combined(snapshot).branch.failure
    assert failure is not None and failure.kind is FailureKind.EMPTY


@pytest.mark.parametrize("kind", ["synthesis", "guided", "table", "best", "vote", "concatenation"])
def test_nothing_is_combined_where_every_branch_failed(kind: str) -> None:
    with rig(Script(otherwise=Reply(status=401))) as here:
        snapshot = here.run(combining(kind, prompt="Combine: {results}"))
        assert len(here.provider.requests) == 3
    assert snapshot.aggregates == ()
    assert snapshot.status is RunStatus.FAILED


@pytest.mark.parametrize("kind", ["synthesis", "guided", "table"])
def test_a_combining_call_that_fails_leaves_the_branches_and_says_why(kind: str) -> None:
    script = three(rule("Combine", Reply(status=401)))
    with rig(script) as here:
        handle = here.start(combining(kind, prompt="Combine: {results}{points}"))
        snapshot = handle.wait(timeout_s=20)
    assert snapshot.branch(AGGREGATE).state is BranchState.FAILED
    assert snapshot.status is RunStatus.PARTIAL
    record = record_of(handle)["aggregate"]
    assert (record["status"], record["failure"]["kind"]) == ("failed", FailureKind.AUTH)
