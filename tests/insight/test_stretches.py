"""A call's time is told apart by what it was spent on, and adds up."""

from __future__ import annotations

from itertools import pairwise

import pytest

from fanout.insight.practices import practices
from fanout.insight.speed import attempt_writing_s, span_s, speed, writing_rate
from fanout.insight.stretches import Part, spent, stretches
from fanout.types import BranchId
from tests.folding import folded
from tests.render.under_fire import COLUMNS, survived, under_fire

NOW, OVER = folded(under_fire()), folded(survived())
MEASURES = {one.id: one for one in practices(OVER, OVER.at)}


def branch(name, snapshot=OVER):
    return snapshot.branch(BranchId(name))


@pytest.mark.parametrize("name", COLUMNS)
@pytest.mark.parametrize("snapshot", [NOW, OVER])
def test_stretches_add_up_to_the_span_without_gaps(name, snapshot):
    call = branch(name, snapshot)
    found = list(stretches(call, snapshot.at))
    assert sum(one.length_s for one in found) == pytest.approx(span_s(call, snapshot.at))
    assert all(a.end_s == b.start_s for a, b in pairwise(found))


@pytest.mark.parametrize(
    ("name", "part", "seconds"),
    [
        ("slot", Part.SLOT, 6.0),
        ("rate", Part.RATE, 6.0),
        ("pause", Part.PAUSE, 6.1),
        ("prefix", Part.PREFIX, 6.2),
        ("retry", Part.BACKING_OFF, 3.2),
        ("fallen", Part.BACKING_OFF, 0.4),
    ],
)
def test_each_wait_is_counted_for_what_it_was(name, part, seconds):
    assert spent((branch(name),), OVER.at)[part] == pytest.approx(seconds)


def test_neither_queue_nor_backing_off_is_the_models_own_time():
    own = sum(
        parts[Part.WAITING] + parts[Part.WRITING]
        for parts in (spent((call,), OVER.at) for call in OVER.calls)
    )
    assert speed(OVER, OVER.at).sequential_s == pytest.approx(own)
    assert branch("rate").own_s(OVER.at) == pytest.approx(1.0)


def test_a_rate_is_that_of_the_attempt_whose_text_is_shown():
    restarted = branch("restart")
    assert restarted.pieces == 14
    assert attempt_writing_s(restarted, OVER.at) == pytest.approx(0.7)
    assert writing_rate(restarted) == pytest.approx(14 / 0.7)


def test_work_beside_the_answer_is_no_overhead():
    measures = speed(OVER, OVER.at)
    assert measures.wall_s == pytest.approx(8.5)
    assert measures.longest_s == pytest.approx(8.4)
    assert measures.overhead_s == pytest.approx(0.0, abs=0.2)


def test_holds_for_the_rate_count_as_time_lost_to_rate_limits():
    found = MEASURES["rate_limit"]
    assert found.number == pytest.approx(6.0 + 6.1 + 3.2, abs=0.3)
    assert found.reading.startswith(
        "1 call backed off from a rate limit, 2 calls were held for one, 6.1 s at most."
    )


def test_what_was_done_about_failures_is_told():
    reading = MEASURES["failures"].reading
    for words in (
        "Dropped: failed",
        "Restart and Dropped: broke off in mid-answer, begun anew",
        "Fallback and Fallen: fell back to lab/small",
        "Budget: skipped, as the budget was reached",
        "Late and Straggler: came after the answer was begun",
        "asked a second time as the first word was late (the second one won 2 of 3; both count",
    ):
        assert words in reading
    assert MEASURES["failures"].value == (
        "1 failed, 1 skipped for the budget, 5 retried and 4 more"
    )


def test_a_shared_beginning_is_measured_where_there_was_one():
    assert "about 1,327 tokens" in MEASURES["prefix"].reading
    assert "prefix" not in {one.id for one in practices(folded(under_fire()[:1]), 0.0)}
