"""What limits, failures and stragglers do to a column stands in the column, in plain words."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fanout.events import AttemptStarted, BranchFinished, BranchThought, FanInReached
from fanout.fold import apply
from fanout.policies import FanIn
from fanout.render.answer_face import answer_face, missing_answer_face
from fanout.render.column_face import branch_face, run_face
from fanout.render.fan_in_words import fan_in_text
from fanout.render.frames import FrameBuilder
from fanout.render.live_words import (
    hold_text,
    left_text,
    marks,
    retry_text,
    thinking_text,
    what_happened,
)
from fanout.render.words import kind_word
from fanout.types import (
    BatchId,
    BranchId,
    BranchState,
    Failure,
    FailureKind,
    MadeWith,
    RowPlace,
    Via,
)
from tests.folding import folded
from tests.render.under_fire import OPEN, SPENT, TEXT, survived, under_fire

NOW = folded(under_fire())
OVER = folded(survived())


def face(name, snapshot=NOW):
    return branch_face(snapshot.branch(BranchId(name)), snapshot)


def told(name, snapshot=NOW):
    return [text for _, text in marks(snapshot.branch(BranchId(name)), snapshot)]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(-1.0, "0.0 s"), (1.96, "2.0 s"), (9.96, "10 s"), (12.4, "12 s"), (65.0, "65 s"),
     (125.2, "2 min 5 s")],
)  # fmt: skip
def test_what_is_left_gets_calmer_the_longer_it_is(seconds, text):
    assert left_text(seconds) == text


@pytest.mark.parametrize(
    ("name", "now_s", "sentence"),
    [
        ("retry", 4.0, "Rate limited: retrying in 2.0 s (2 of 4)"),
        ("retry", 6.0, "Rate limited: retrying now (2 of 4)"),
        ("fallback", 4.0, "Server error: falling back to small in 0.5 s"),
        ("restart", 4.0, "Connection lost: retrying in 2.0 s (2 of 4)"),
    ],
)
def test_backing_off_counts_down(name, now_s, sentence):
    retry = NOW.branch(BranchId(name)).retry
    assert retry is not None
    assert retry_text(kind_word(retry.failure.kind), retry, now_s) == sentence


def test_the_browser_has_what_it_needs_to_count_down_by_itself():
    assert face("retry")["retry"] == {"at": 6.0, "next": 2, "of": 4}
    assert face("fallback")["retry"] == {"at": 4.5, "next": 2, "of": 4, "to": "small"}
    assert (face("rate")["hold"], face("rate")["until"]) == ("Rate limit of Acme reached", 16.0)
    assert face("slot")["slot"] == "acme"
    assert run_face(NOW)["busy"] == {"acme": 7}


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("slot", "Waiting for a free slot: 7 others are being answered."),
        ("rate", "Rate limit of Acme reached: goes on in 12 s."),
        ("pause", "Acme asked everybody to wait: goes on in 2.0 s."),
        ("prefix", "Opener opens the way: both begin with the same text."),
    ],
)
def test_a_queued_branch_says_what_it_waits_for(name, sentence):
    assert face(name)["word"] == "Queued"
    assert face(name)["clock"] == (0.0, 0.0), "its clock counts the queue"
    assert hold_text(NOW.branch(BranchId(name)), NOW, 4.0) == sentence


def test_a_model_that_thinks_is_said_to_think():
    assert (face("thinker")["word"], face("thinker")["tone"]) == ("Thinking", "thinking")
    assert thinking_text(312) == "Thinking (312 tokens so far)"


def test_a_request_that_is_parked_at_the_provider_is_said_to_be_there():
    opener = BranchId("opener")
    made = replace(
        NOW.made_with or MadeWith(model=NOW.branch(opener).answered_by),
        row=RowPlace(batch=BatchId("b"), number=1, via=Via.PROVIDER),
    )
    sent = AttemptStarted(at=4.0, id=opener, attempt=1, model=NOW.branch(opener).answered_by)
    calls = apply(NOW, sent)
    assert face("opener", calls)["word"] == "Waiting for first token"
    parked = face("opener", replace(calls, made_with=made))
    assert parked["word"] == "At the provider"
    assert "within a day" in parked["hold"]


def test_more_thoughts_cost_no_new_face():
    builder = FrameBuilder()
    builder.frame(NOW, 4.0)
    more = apply(NOW, BranchThought(at=4.1, id=BranchId("thinker"), pieces=8))
    frame = builder.frame(more, 4.1)
    assert frame is not None
    assert frame["cols"] == {"thinker": {"thought": 320}}
    assert builder.keyframe()["cols"]["thinker"]["thought"] == 320


def test_a_countdown_sends_nothing():
    builder = FrameBuilder()
    builder.frame(NOW, 4.0)
    assert builder.frame(NOW, 5.0) is None


@pytest.mark.parametrize(
    ("name", "sentences"),
    [
        ("fallen", ["Answered by small (fallback: big failed)"]),
        ("restart", ["Broke off in mid-answer, begun anew (2 of 4)"]),
        ("dropped", ["Broke off in mid-answer, begun anew (2 of 4)"]),
        ("hedge", ["Second request sent after 2.1 s: first word was late"]),
        ("won", ["The second request answered first"]),
        ("lost", ["The first one answered first"]),
        ("retry", []),
        ("done", []),
    ],
)
def test_what_is_unusual_about_a_column_is_marked(name, sentences):
    assert told(name) == sentences


def test_a_restart_empties_the_column_and_says_so():
    assert NOW.branch(BranchId("restart")).text == ""
    assert face("restart")["hold"].endswith("It is begun anew.")


def test_text_that_broke_off_stays_where_nothing_better_came():
    assert NOW.branch(BranchId("dropped")).text == TEXT
    assert face("dropped")["note"] == (
        f"{OPEN.message} What it had written before it broke off is shown."
    )


def test_a_call_that_does_not_fit_the_budget_is_skipped_and_says_so():
    skipped = face("budget")
    assert (skipped["word"], skipped["note"], skipped["bad"]) == (
        "Skipped: budget",
        SPENT.message,
        False,
    )


def test_late_branches_are_marked_and_can_be_folded_in():
    assert face("late")["note"] == "Not in this answer: it came after the answer was begun."
    assert face("straggler")["note"].startswith("Too late for the combined answer")
    assert face("done")["note"] == ""
    made = OVER.aggregate
    assert made is not None
    shown = answer_face(made, OVER)
    assert shown["can"] == "fold"
    assert shown["note"] == "Late and Straggler came after this answer was begun."


def test_the_plan_for_combining_is_said_before_and_after():
    started = folded(under_fire()[:1])
    early = "Combines as soon as 2 of 18 are done, or after 30 s"
    assert (run_face(started)["plan"], run_face(started)["until"]) == (early, 300.0)
    assert missing_answer_face(started)["hold"] == (
        "Written as soon as 2 of 18 are done, or after 30 s."
    )
    assert run_face(NOW)["plan"] == "Combined when 2 of 18 were done"
    over = run_face(OVER)
    assert over["plan"] == "Combined when 2 of 18 were done · at most 5 min"
    assert "until" not in over


def test_a_run_that_waits_for_all_says_nothing_of_it():
    assert fan_in_text(FanIn(), 3) == ""
    assert fan_in_text(FanIn(k=3), 3) == ""
    assert fan_in_text(FanIn(deadline_s=90.0), 3) == "after 90 s"


def test_who_came_too_late_is_told_to_columns_that_had_ended_before():
    events = [event for event in under_fire() if not isinstance(event, FanInReached)]
    builder = FrameBuilder()
    before = folded(events)
    builder.frame(before, 4.0)
    late = FanInReached(at=4.1, late=(BranchId("late"),), by="deadline")
    frame = builder.frame(apply(before, late), 4.1)
    assert frame is not None
    assert frame["cols"]["late"]["face"]["note"].startswith("Not in this answer")


def test_a_fallback_that_failed_too_claims_no_answer():
    snapshot = apply(
        NOW, BranchFinished(at=4.1, id=BranchId("fallen"), state=BranchState.FAILED, failure=OPEN)
    )
    assert told("fallen", snapshot) == ["Fell back to small: big failed"]


@pytest.mark.parametrize(
    ("message", "left"),
    [
        ('Acme limits the rate of calls. It said: "Try later. Run!" Try again in a moment.',
         'Acme limits the rate of calls. It said: "Try later. Run!"'),
        ("The connection to Acme broke off. Retry this branch.",
         "The connection to Acme broke off."),
        ("Acme sent a page. Retry this branch. If that does not help, ask.", "Acme sent a page."),
        ("Acme asked to wait.", "Acme asked to wait."),
    ],
)  # fmt: skip
def test_who_is_asked_again_anyway_needs_no_advice(message: str, left: str) -> None:
    failure = Failure(kind=FailureKind.SERVER, message=message)
    assert what_happened(failure) == left
