"""Bounds: what is within goes through, one more is refused in words that say what to do."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from fanout.bounds import LOCAL, SHARED, Bounds
from fanout.errors import InputError
from fanout.setting_values import BOUNDS

TIGHT = Bounds(
    topic_chars=10, branches=3, upload_bytes=1024 * 1024, documents=2, runs=4, runs_per_person=1
)


@pytest.mark.parametrize(
    ("within", "beyond", "says"),
    [
        (lambda: TIGHT.check_topic("x" * 10), lambda: TIGHT.check_topic("x" * 11), "11 characters"),
        (lambda: TIGHT.check_branches(3), lambda: TIGHT.check_branches(4), "at most 3"),
        (
            lambda: TIGHT.check_upload("a.pdf", 1024 * 1024),
            lambda: TIGHT.check_upload("a.pdf", 1024 * 1024 + 1),
            "a.pdf has 1.1 MB; at most 1 MB",
        ),
        (lambda: TIGHT.check_documents(1), lambda: TIGHT.check_documents(2), "Remove some"),
        (lambda: TIGHT.check_documents(0, 2), lambda: TIGHT.check_documents(0, 3), "at most 2"),
        (lambda: TIGHT.check_runs(0, 3), lambda: TIGHT.check_runs(1, 1), "stop one"),
        (lambda: TIGHT.check_runs(0, 0), lambda: TIGHT.check_runs(0, 4), "in a moment"),
    ],
)
def test_the_bound_itself_is_allowed_and_one_more_is_not(
    within: Callable[[], None], beyond: Callable[[], None], says: str
) -> None:
    within()
    with pytest.raises(InputError, match=says):
        beyond()


def test_the_documented_bounds_are_those_that_hold() -> None:
    text = (Path(__file__).resolve().parents[1] / "docs" / "safety.md").read_text("utf-8")
    rows = re.findall(r"^\| `(FANOUT_MAX_\w+)` \|.*\| ([\d,]+) \| ([\d,]+) \|$", text, re.M)
    assert {name for name, *_ in rows} == set(BOUNDS)
    for name, *said in rows:
        scale = 1024 * 1024 if name.endswith("_MB") else 1
        held = [getattr(bounds, BOUNDS[name]) // scale for bounds in (LOCAL, SHARED)]
        assert [int(number.replace(",", "")) for number in said] == held, name
