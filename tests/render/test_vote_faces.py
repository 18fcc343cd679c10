"""Votes, answers in a form and several combined answers, as columns show them."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from fanout.events import (
    AttemptStarted,
    BallotCast,
    BranchFinished,
    BranchWrote,
    RunFinished,
)
from fanout.fold import apply
from fanout.render.answer_face import answer_face
from fanout.render.column import ColumnState
from fanout.render.column_face import branch_face
from fanout.render.frames import FrameBuilder
from fanout.snapshot import Aggregate, Branch, Phase, Snapshot
from fanout.types import (
    AGGREGATE,
    BranchId,
    BranchState,
    Form,
    RunStatus,
)
from fanout.voting.ballot import Ballot
from tests.render.board_viewer import (
    JOKE,
    POEM,
    Viewer,
    folded,
    plan,
    started,
)

VOTER = Form(
    name="verdict",
    schema={
        "type": "object",
        "properties": {
            "reason": {"type": "string"},
            "verdict": {"type": "string", "enum": ["allow", "block"]},
        },
        "required": ["reason", "verdict"],
    },
)


def voting() -> Snapshot:
    snapshot = started(aggregate_kind=None)
    voters = tuple(replace(b, plan=replace(b.plan, form=VOTER)) for b in snapshot.branches)
    return replace(snapshot, branches=voters)


def test_a_structured_answer_is_read_and_never_shown_raw():
    builder, viewer, snapshot = FrameBuilder(), Viewer(), voting()
    text = '{"reason": "It threatens the whole street.", "verdict": "block"}'
    snapshot = apply(snapshot, AttemptStarted(at=0.1, id=JOKE, attempt=1))
    for i in range(0, len(text), 5):
        snapshot = apply(snapshot, BranchWrote(at=0.2, id=JOKE, text=text[i : i + 5], pieces=1))
        frame = builder.frame(snapshot, 0.2)
        if frame is not None:
            viewer.take(frame)
        assert "{" not in viewer.html(JOKE)
        fresh = Viewer()
        fresh.take(builder.keyframe())
        assert fresh.html(JOKE) == viewer.html(JOKE)
    assert "It threatens the whole street." in viewer.html(JOKE)
    assert "block" in viewer.html(JOKE)


def test_a_text_written_anew_sends_only_what_differs():
    state = ColumnState()
    face = branch_face(started().branches[0], started())
    long = "\n\n".join(f"Paragraph number {i} of many." for i in range(20))

    def shown(answer: str):
        made = answered("table", answer=answer)
        return state.advance(made.branch, face, made)

    shown(f"{long}\n\nThe end is open.")
    change = shown(f"{long}\n\nThe end is another one.")
    assert change["text"]["keep"] == 20
    assert len(json.dumps(change)) < 200


@pytest.mark.parametrize(
    ("ballot", "word", "tone", "note", "said"),
    [
        (Ballot(voter=JOKE, choice="block"), "Block", "vote", "", "Joke voted Block"),
        (
            Ballot(voter=JOKE, choice=None, problem="No verdict could be read."),
            "Abstained",
            "abstained",
            "No verdict could be read.",
            "Joke abstained",
        ),
        (
            Ballot(voter=JOKE, choice="scored", scores={"clarity": 4}),
            "Scored",
            "vote",
            "",
            "Joke has judged",
        ),
        (
            Ballot(voter=JOKE, choice="text-1", ranking=("text-1", "text-2")),
            "Ranked",
            "vote",
            "",
            "Joke has judged",
        ),
    ],
)
def test_a_finished_voter_shows_its_vote(ballot, word, tone, note, said):
    snapshot = folded(
        started(),
        BranchWrote(at=0.5, id=JOKE, text="words", pieces=1),
        BranchFinished(at=1.0, id=JOKE, state=BranchState.DONE),
        BallotCast(at=1.0, id=JOKE, ballot=ballot),
    )
    face = branch_face(snapshot.branches[0], snapshot)
    assert (face["word"], face["tone"], face["note"], face["said"]) == (word, tone, note, said)
    assert face["bad"] is False


def test_a_branch_that_was_not_needed_says_so_and_keeps_its_text():
    snapshot = folded(
        started(),
        BranchWrote(at=0.5, id=JOKE, text="Half a", pieces=1),
        BranchFinished(at=1.0, id=JOKE, state=BranchState.SKIPPED),
    )
    face = branch_face(snapshot.branches[0], snapshot)
    assert (face["word"], face["tone"], face["bad"]) == ("Not needed", "idle", False)
    assert "kept" in face["note"]
    frame = FrameBuilder().frame(snapshot, 1.0)
    assert frame is not None
    assert frame["run"]["idle"] == 1


def answered(
    kind: str, *, number: int = 1, text: str = "Words.", answer: str | None = None, before=()
) -> Aggregate:
    name = AGGREGATE if number == 1 else BranchId(f"{AGGREGATE}-{number}")
    branch = folded(
        replace(started(), branches=(Branch(plan=plan(name, kind.title())),), _index={name: 0}),
        AttemptStarted(at=1.0, id=name, attempt=1),
        BranchWrote(at=1.5, id=name, text=text, pieces=1),
        BranchFinished(at=2.0, id=name, state=BranchState.DONE),
    ).branches[0]
    return Aggregate(
        kind=kind,
        heading=f"{kind.title()} of 2 of 2",
        used=(JOKE, POEM),
        branch=branch,
        answer=answer,
        before=before,
    )


def test_several_combined_answers_stand_in_the_order_of_their_numbers():
    judge = Branch(plan=plan(BranchId("aggregate-3-judge-1"), "Judge 1"))
    snapshot = replace(
        started(),
        aggregates=(
            answered("best", number=3, before=(judge,)),
            answered("synthesis"),
            answered("table", number=2, text='{"rows": []}', answer="| a |\n| --- |\n| b |"),
        ),
    )
    viewer = Viewer()
    viewer.take(FrameBuilder().frame(snapshot, 2.0))
    assert list(viewer.cols)[2:] == ["aggregate", "aggregate-2", "aggregate-3"]
    labels = [viewer.cols[name]["face"]["label"] for name in list(viewer.cols)[2:]]
    assert labels == ["Combined answer", "Combined answer 2: Table", "Combined answer 3: Best"]
    (line,) = viewer.cols["aggregate-3"]["face"]["before"]
    assert (line["title"], line["word"]) == ("Judge 1", "Ready")
    assert "<table" in viewer.html("aggregate-2")


def test_only_the_workflows_own_answer_can_be_asked_again():
    over = RunFinished(at=3.0, status=RunStatus.PARTIAL)
    for number, can in ((1, "retry"), (2, "")):
        made = answered("synthesis", number=number)
        failed = replace(made.branch, phases=(Phase(state=BranchState.FAILED, since_s=2.0),))
        snapshot = folded(replace(started(), aggregates=(replace(made, branch=failed),)), over)
        assert answer_face(snapshot.aggregates[0], snapshot)["can"] == can


def test_an_answer_that_is_gone_is_named_as_gone():
    builder, viewer = FrameBuilder(), Viewer()
    both = replace(
        started(aggregate_kind=None),
        aggregates=(answered("synthesis"), answered("table", number=2)),
    )
    viewer.take(builder.frame(both, 2.0))
    frame = builder.frame(replace(both, aggregates=both.aggregates[1:]), 3.0)
    assert frame is not None
    assert frame["gone"] == [AGGREGATE]
    assert AGGREGATE not in builder.keyframe()["cols"]
