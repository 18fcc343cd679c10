"""The run in one number says what backing off has to do with it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fanout.render.headline import backing_off_text, headline
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
    assert backing_off_text(snapshot).endswith(f"of backing off{ending}")
