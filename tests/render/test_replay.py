"""A replay shows what the live board showed, when it showed it, in bounded size."""

from __future__ import annotations

import json
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fanout.events import (
    AttemptStarted,
    BranchFinished,
    BranchQueued,
    BranchWrote,
    Event,
    RunFinished,
    RunResumed,
    RunStarted,
)
from fanout.render.frames import Frame, FrameBuilder
from fanout.render.replay import LONGEST_PAUSE_S, replay_frames
from fanout.render.stage import board_script, board_style, inline_json, replay_data
from fanout.render.tracing import trace_here
from fanout.snapshot import Snapshot
from fanout.types import AGGREGATE, BranchId, BranchState, RunId, RunStatus
from tests.folding import folded
from tests.render.board_viewer import JOKE, POEM, Viewer, plan
from tests.render.recorded_run import EVIL, recorded_run

WORDS = st.sampled_from(
    ["word ", "😀", "א ", "\n\n", "**b** ", "- i\n", "```\n", "<b>", "|a|\n|-|\n"]
)
START = RunStarted(
    at=0.0,
    run_id=RunId("r"),
    workflow="duo",
    title="Duo",
    topic="rain",
    branches=(plan(JOKE, "Joke"), plan(POEM, "Poem")),
    started_at=0.0,
    aggregate_kind="synthesis",
)


@st.composite
def histories(draw) -> tuple[Event, ...]:
    """Two branches in any order, ended and gone on with now and then."""
    events: list[Event] = [START]
    at, over = 0.0, False
    for _ in range(draw(st.integers(1, 30))):
        at += draw(st.sampled_from([0.0, 0.01, 0.05, 0.3, 2.0, 500.0]))
        name = draw(st.sampled_from([JOKE, POEM]))
        kind = draw(st.sampled_from("qawwwwew."))
        if over:
            events += [RunResumed(at=at, branches=(name,)), BranchQueued(at=at, id=name)]
            over = False
        elif kind == "q":
            events.append(BranchQueued(at=at, id=name))
        elif kind == "a":
            events.append(AttemptStarted(at=at, id=name, attempt=1))
        elif kind == "w":
            events.append(BranchWrote(at=at, id=name, text=draw(WORDS), pieces=1))
        elif kind == "e":
            events.append(BranchFinished(at=at, id=name, state=BranchState.DONE))
        else:
            events.append(RunFinished(at=at, status=RunStatus.PARTIAL))
            over = True
    return tuple(events)


def watched(frames) -> Viewer:
    viewer = Viewer()
    for frame in frames:
        viewer.take(frame)
    return viewer


def live_keyframe(snapshot: Snapshot) -> Frame:
    """What somebody sees who opens the live board now."""
    builder = FrameBuilder()
    trace_here(builder.tracer, snapshot)
    builder.frame(snapshot, snapshot.at)
    while builder.pending:
        builder.frame(snapshot, snapshot.at)
    return builder.keyframe()


@given(histories())
def test_a_replay_ends_in_the_picture_of_the_live_board(events):
    played, live = watched(replay_frames(events)), watched([live_keyframe(folded(events))])
    assert (played.run, played.cols) == (live.run, live.cols)


@given(histories())
def test_a_replay_is_a_keyframe_and_then_only_differences_in_order(events):
    first, *rest = frames = replay_frames(events)
    assert first["base"] is None
    assert all(frame["base"] == before["tag"] for before, frame in pairwise(frames))
    assert not rest or all(before["play"] <= frame["play"] for before, frame in pairwise(frames))


@given(histories())
def test_only_pauses_between_an_end_and_a_resume_are_shortened(events):
    frames = replay_frames(events)
    idle_s = left_out_s = 0.0
    for before, event in pairwise(events):
        if isinstance(before, RunFinished):
            idle_s += event.at - before.at
            left_out_s += max(0.0, event.at - before.at - LONGEST_PAUSE_S)
    assert folded(events).idle_s == pytest.approx(idle_s)
    assert frames[-1]["t"] - frames[-1]["play"] <= left_out_s + 0.01


def test_a_word_is_shown_at_its_second_and_never_before_it():
    events = recorded_run()
    viewer = Viewer()
    at: dict[str, float] = {}
    for frame in replay_frames(events):
        viewer.take(frame)
        at.setdefault(viewer.html(JOKE), frame["play"])
    written = ""
    for event in events:
        if isinstance(event, BranchWrote) and event.id == JOKE:
            written += event.text
            shown = next(play for html, play in at.items() if len(html) >= len(written) > 0)
            assert shown - event.at < 1 / 15 + 0.002
    assert all(play <= events[-1].at for play in at.values())


def test_a_month_between_two_goes_takes_a_second():
    month_s = 30 * 86_400.0
    events = (
        START,
        BranchWrote(at=1.0, id=JOKE, text="Half", pieces=1),
        RunFinished(at=2.0, status=RunStatus.INTERRUPTED),
        RunResumed(at=month_s, branches=(JOKE,)),
        BranchQueued(at=month_s, id=JOKE),
        BranchWrote(at=month_s + 1, id=JOKE, text="Whole", pieces=1),
        BranchFinished(at=month_s + 2, id=JOKE, state=BranchState.DONE),
        RunFinished(at=month_s + 2, status=RunStatus.PARTIAL),
    )
    last = replay_frames(events)[-1]
    assert last["play"] == pytest.approx(2 + LONGEST_PAUSE_S + 2)
    assert last["t"] == pytest.approx(month_s + 2)
    assert last["run"]["clock"] == (4.0, None)


def test_the_sources_of_the_answer_come_when_the_run_ends():
    *before, last = replay_frames(recorded_run())
    sources = last["cols"][AGGREGATE]["sources"]
    assert sources is not None
    assert sources["sentences"]
    assert not any("sources" in column for frame in before for column in frame["cols"].values())


def test_the_headline_comes_with_the_end_and_goes_when_the_run_goes_on():
    events = recorded_run()
    frames = replay_frames(events)
    told = frames[-1]["headline"]
    assert told is not None
    assert told["number"] == "12.0 s instead of 25.8 s"
    assert all("headline" not in frame for frame in frames[:-1])
    more = (*events, RunResumed(at=20.0, branches=(JOKE,)), BranchQueued(at=20.0, id=JOKE))
    assert replay_frames(more)[-1]["headline"] is None


def test_no_run_makes_a_replay_without_bound():
    events = recorded_run(length_s=60.0, words_per_s=40.0)
    most = changes(replay_frames(events)) // 4
    frames = replay_frames(events, most_changes=most)
    assert changes(frames) <= 1.2 * most
    assert watched(frames).cols == watched([live_keyframe(folded(events))]).cols


def changes(frames) -> int:
    return sum(len(frame["cols"]) for frame in frames)


def test_nothing_happened_is_nothing_to_replay():
    assert replay_frames(()) == ()
    assert len(replay_frames((START,))) == 1


def test_a_replay_of_the_same_events_is_the_same():
    assert json.dumps(replay_frames(recorded_run())) == json.dumps(replay_frames(recorded_run()))


@given(st.text())
def test_json_in_a_page_says_what_it_said_and_ends_no_element(text):
    held = inline_json({"text": f"{EVIL}{text}\ud800"})
    assert json.loads(held) == {"text": f"{EVIL}{text}\ud800"}
    assert not set(held) & set("<>&\u2028\u2029")
    assert held.encode()


def test_the_boards_script_neither_ends_its_element_nor_asks_for_anything():
    script = board_script()
    assert "</script" not in script.lower()
    assert "<!--" not in script
    assert "export default" not in script
    for asset in (script.replace("http://www.w3.org/2000/svg", ""), board_style()):
        assert not any(
            sign in asset for sign in ("http://", "https://", "url(", "@import", "eval(")
        )


def test_a_long_replay_is_packed():
    many = tuple(f"branch{i}" for i in range(8))
    events = recorded_run(many, length_s=30.0, words_per_s=40.0)
    frames = replay_frames(events)
    held = json.loads(json.dumps(replay_data(folded(events), frames)))
    assert len(held["replay"]["packed"]) < len(json.dumps(frames)) / 3
    assert BranchId("branch0") in frames[0]["cols"]
