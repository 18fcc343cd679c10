"""Folding frames gives the picture, whatever happened between them."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fanout.events import (
    AggregatePlanned,
    AttemptFailed,
    AttemptStarted,
    BranchFinished,
    BranchHeld,
    BranchQueued,
    BranchWrote,
    Event,
    RunFinished,
    RunResumed,
)
from fanout.fold import apply
from fanout.policies import HoldReason
from fanout.render.column import splice
from fanout.render.frames import FrameBuilder
from fanout.render.live_words import hold_text
from fanout.render.markdown import render
from fanout.types import (
    AGGREGATE,
    BranchState,
    Failure,
    FailureKind,
    RunStatus,
)
from tests.render.board_viewer import (
    JOKE,
    LIMITED,
    MODEL,
    POEM,
    Viewer,
    folded,
    plan,
    spliced,
    started,
)

WORDS = st.sampled_from(
    ["word ", "😀", "א ", "\n\n", "\n", "**b** ", "- i\n", "```\n", "# H\n", "<b>", "| a |\n|-|\n"]
)


@st.composite
def histories(draw):
    """Events of two branches in any order at all: frames must not rely on a sensible one."""
    events: list[Event] = []
    at = 0.0
    for _ in range(draw(st.integers(1, 25))):
        at += draw(st.floats(0.01, 1.0))
        name = draw(st.sampled_from([JOKE, POEM]))
        kind = draw(st.sampled_from("qawwwwfe"))
        if kind == "q":
            events.append(BranchQueued(at=at, id=name))
        elif kind == "a":
            events.append(AttemptStarted(at=at, id=name, attempt=1))
        elif kind == "w":
            events.append(BranchWrote(at=at, id=name, text=draw(WORDS), pieces=1))
        elif kind == "f":
            events.append(
                AttemptFailed(at=at, id=name, failure=LIMITED, retry_at=at + 1, attempts_allowed=4)
            )
        else:
            state = draw(st.sampled_from([BranchState.DONE, BranchState.STOPPED]))
            events.append(BranchFinished(at=at, id=name, state=state))
    return events


@given(histories(), st.data())
def test_frames_folded_are_the_keyframe(events, data):
    builder, viewer = FrameBuilder(), Viewer()
    snapshot = started()
    viewer.take(builder.frame(snapshot, 0.0))
    for event in events:
        snapshot = apply(snapshot, event)
        if data.draw(st.booleans()):
            frame = builder.frame(snapshot, event.at)
            if frame is not None:
                viewer.take(frame)
    last = builder.frame(snapshot, snapshot.at)
    if last is not None:
        viewer.take(last)
    fresh = Viewer()
    fresh.take(builder.keyframe())
    assert (viewer.tag, viewer.run, viewer.cols) == (fresh.tag, fresh.run, fresh.cols)
    for branch in snapshot.branches:
        assert fresh.html(branch.id) == render(branch.shown_text)


@given(histories())
def test_faces_that_were_kept_are_those_that_a_new_board_would_draw(events):
    builder, snapshot = FrameBuilder(), started()
    builder.frame(snapshot, 0.0)
    for event in events:
        snapshot = apply(snapshot, event)
        builder.frame(snapshot, event.at)
        fresh = FrameBuilder()
        fresh.frame(snapshot, event.at)
        kept, drawn = builder.keyframe(), fresh.keyframe()
        assert kept["run"] == drawn["run"]
        assert {name: column["face"] for name, column in kept["cols"].items()} == {
            name: column["face"] for name, column in drawn["cols"].items()
        }


@given(st.text(), st.text())
def test_a_splice_leads_from_one_text_to_the_other(before, after):
    before, after = (t.encode("utf-8", "ignore").decode() for t in (before, after))
    assert spliced(before, splice(before, after)) == after


def test_a_quiet_run_sends_nothing():
    builder, snapshot = FrameBuilder(), started()
    assert builder.frame(snapshot, 0.0) is not None
    assert builder.frame(snapshot, 5.0) is None
    assert builder.frame(replace(snapshot), 6.0) is None


def test_new_words_cost_as_many_bytes_as_they_are_long():
    builder = FrameBuilder()
    snapshot = folded(
        started(),
        AttemptStarted(at=0.1, id=JOKE, attempt=1),
        BranchWrote(at=0.2, id=JOKE, text="word " * 200 + "end.\n\n" + "word " * 200, pieces=400),
    )
    builder.frame(snapshot, 0.2)
    more = apply(snapshot, BranchWrote(at=0.3, id=JOKE, text="three more words", pieces=3))
    frame = builder.frame(more, 0.3)
    assert frame is not None
    assert set(frame["cols"]) == {JOKE}
    assert len(json.dumps(frame)) < 250


def test_a_new_attempt_replaces_the_text_of_the_failed_one():
    builder, viewer = FrameBuilder(), Viewer()
    snapshot = folded(
        started(),
        AttemptStarted(at=0.1, id=POEM, attempt=1),
        BranchWrote(at=0.2, id=POEM, text="Half a line.\n\nAnd", pieces=3),
    )
    viewer.take(builder.frame(snapshot, 0.2))
    snapshot = apply(
        snapshot,
        AttemptFailed(at=0.3, id=POEM, failure=LIMITED, retry_at=2.3, attempts_allowed=4),
    )
    viewer.take(builder.frame(snapshot, 0.3))
    face = viewer.cols[POEM]["face"]
    assert viewer.html(POEM) == ""
    assert face["word"] == "Rate limited"
    assert face["retry"] == {"at": 2.3, "next": 2, "of": 4}
    assert LIMITED.message in face["hold"]


@pytest.mark.parametrize(
    ("events", "state", "title", "hold", "can"),
    [
        ((), "ready", "Combined answer", "Written when the branches are done.", ""),
        (
            (
                BranchFinished(at=1.0, id=JOKE, state=BranchState.FAILED),
                BranchFinished(at=1.0, id=POEM, state=BranchState.TIMED_OUT),
                RunFinished(at=1.0, status=RunStatus.FAILED),
            ),
            "failed",
            "Combined answer",
            "No combined answer: every branch failed.",
            "",
        ),
        (
            (
                BranchFinished(at=1.0, id=JOKE, state=BranchState.DONE),
                RunFinished(at=1.0, status=RunStatus.STOPPED),
            ),
            "stopped",
            "Combined answer",
            "No combined answer: the run was stopped.",
            "retry",
        ),
        (
            (
                AggregatePlanned(
                    at=1.0,
                    kind="synthesis",
                    heading="Synthesis of 1 of 2: Poem failed",
                    used=(JOKE,),
                    plan=plan(AGGREGATE, "Synthesis"),
                ),
                AttemptStarted(at=1.0, id=AGGREGATE, attempt=1),
            ),
            "waiting",
            "Synthesis of 1 of 2: Poem failed",
            "Request sent, waiting for the first word.",
            "stop",
        ),
    ],
)
def test_the_combined_answer_says_honestly_what_it_is(events, state, title, hold, can):
    frame = FrameBuilder().frame(folded(started(), *events), 1.0)
    assert frame is not None
    face = frame["cols"][AGGREGATE]["face"]
    assert (face["state"], face["title"], face["hold"], face["can"]) == (state, title, hold, can)


def test_a_title_can_neither_break_the_socket_nor_turn_a_line_around():
    odd = started()
    branch = replace(odd.branches[0], plan=plan(JOKE, "Jo\ud800\u202eke\n<b>"))
    frame = FrameBuilder().frame(replace(odd, branches=(branch,)), 0.0)
    assert frame is not None
    assert frame["cols"][JOKE]["face"]["title"] == "Jo\ufffdke\n<b>"
    assert json.dumps(frame, ensure_ascii=False).encode()


def test_a_workflow_that_combines_nothing_has_no_combined_answer():
    frame = FrameBuilder().frame(started(aggregate_kind=None), 0.0)
    assert frame is not None
    assert AGGREGATE not in frame["cols"]


def test_a_failed_branch_says_why_and_can_be_asked_again_once_the_run_is_over():
    failure = Failure(kind=FailureKind.AUTH, message="The key is not accepted. Enter it again.")
    ended = folded(
        started(),
        BranchFinished(at=1.0, id=JOKE, state=BranchState.FAILED, failure=failure),
    )
    builder, viewer = FrameBuilder(), Viewer()
    viewer.take(builder.frame(ended, 1.0))
    face = viewer.cols[JOKE]["face"]
    assert (face["note"], face["bad"], face["can"]) == (failure.message, True, "")
    assert face["said"] == "Joke failed"
    over = folded(
        ended,
        BranchFinished(at=2.0, id=POEM, state=BranchState.DONE),
        RunFinished(at=2.0, status=RunStatus.PARTIAL),
    )
    viewer.take(builder.frame(over, 2.0))
    assert viewer.cols[JOKE]["face"]["can"] == "retry"
    assert viewer.run["said"] == "Run finished: 1 of 2"
    resumed = folded(over, RunResumed(at=9.0, branches=(JOKE,)), BranchQueued(at=9.0, id=JOKE))
    viewer.take(builder.frame(resumed, 9.0))
    assert viewer.cols[JOKE]["face"]["state"] == "queued"
    assert viewer.run["live"] is True
    # The clock of the run leaves out the seven seconds in which nothing went on.
    assert viewer.run["clock"] == [0.0, 7.0]


def test_a_queued_branch_knows_how_many_are_before_it():
    snapshot = folded(
        started(),
        BranchQueued(at=0.0, id=JOKE),
        BranchQueued(at=0.0, id=POEM),
        AttemptStarted(at=0.0, id=JOKE, attempt=1),
        BranchHeld(at=0.0, id=POEM, reason=HoldReason.SLOT),
    )
    builder = FrameBuilder()
    frame = builder.frame(snapshot, 0.1)
    assert frame is not None
    face = frame["cols"][POEM]["face"]
    assert (face["hold"], face["slot"]) == ("Waiting for a free slot", MODEL.endpoint)
    assert frame["run"]["busy"] == {MODEL.endpoint: 1}
    assert hold_text(snapshot.branch(POEM), snapshot, 0.1) == (
        "Waiting for a free slot: another one is being answered."
    )
    ended = apply(snapshot, BranchFinished(at=1.0, id=JOKE, state=BranchState.DONE))
    news = builder.frame(ended, 1.0)
    assert news is not None
    # How many there are is said once for all that wait, not in each of their columns.
    assert set(news["cols"]) == {JOKE}
    assert news["run"]["busy"] == {}


def test_an_answer_that_reached_its_limit_says_so():
    snapshot = folded(
        started(),
        BranchWrote(at=0.5, id=JOKE, text="Long", pieces=1),
        BranchFinished(at=1.0, id=JOKE, state=BranchState.DONE, finish_reason="length"),
    )
    frame = FrameBuilder().frame(snapshot, 1.0)
    assert frame is not None
    face = frame["cols"][JOKE]["face"]
    assert (face["note"], face["bad"]) == ("Reached its length limit.", False)
    assert face["foot"]
