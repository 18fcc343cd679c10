"""The run in one number says what backing off has to do with it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fanout.render.headline import headline, remarks
from fanout.types import RunStatus
from tests.folding import folded
from tests.render.under_fire import survived


@pytest.mark.parametrize(
    ("status", "ending"),
    [(RunStatus.PARTIAL, " in all, not in the second number"), (RunStatus.FAILED, " in all")],
)
def test_backing_off_is_compared_only_with_numbers_that_are_there(status, ending):
    snapshot = replace(folded(survived()), status=status)
    said = headline(snapshot)
    assert said is not None
    assert ("instead of" in said["number"]) is (status is RunStatus.PARTIAL)
    assert remarks(snapshot)[-1].endswith(f"of backing off{ending}")


def test_an_answer_that_was_there_before_its_late_branches_says_when():
    assert remarks(folded(survived()))[0] == "the answer was there after 5.0 s"


def test_waiting_for_an_endpoint_is_not_compared_with_work():
    """Nobody says "7.4 s instead of 0.7 s"."""
    snapshot = folded(survived())
    waited = replace(snapshot, at=500.0)
    said = headline(waited)
    assert said is not None
    assert said["number"] == "500.0 s"
    assert said["gain"].startswith("the calls' own times add up to")
    assert "second number" not in remarks(waited)[-1]
