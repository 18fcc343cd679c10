"""How far a batch is, in words: nothing is said that nobody knows."""

from __future__ import annotations

from dataclasses import replace

from components.batch.words import remaining_text, spent_text, time_text
from fanout.batches import Progress, RowState
from fanout.types import Via


def test_words_say_only_what_is_known() -> None:
    going = Progress(
        at=0.0,
        counts={RowState.WAITING: 60, RowState.SUCCEEDED: 2},
        cost_nano=0,
        unknown_costs=0,
        tokens=9,
        recent=0,
        recent_s=600.0,
    )
    assert remaining_text(replace(going, counts={RowState.WAITING: 60})) == (
        "How long it takes is known once two rows have ended"
    )
    assert remaining_text(going) == "No two rows ended within the last 10 minutes"
    parked = replace(going, recent=20, recent_s=60.0, via=Via.PROVIDER)
    assert remaining_text(parked) == "The provider answers a batch within 24 hours, often sooner"
    rate = replace(going, recent=20, recent_s=60.0)
    assert remaining_text(rate) == (
        "About 3 min left, at 20 rows a minute (20 rows ended in the last 1 min)"
    )
    assert spent_text(replace(going, unknown_costs=2)) == "unknown"
    assert spent_text(going, free=True) == "free"
    failed = replace(going, counts={RowState.FAILED: 2})
    assert spent_text(failed, free=True) == "$0.00", "at whatever price"
    assert spent_text(replace(going, unknown_costs=1, cost_nano=2_000_000)) == "≥ $0.0020"
    assert spent_text(replace(going, estimated_costs=1, cost_nano=2_000_000)) == "≈ $0.0020"
    assert [time_text(s) for s in (20, 90, 4000, 200_000)] == [
        "under 1 min",
        "2 min",
        "1 h 7 min",
        "2 days 7 h",
    ]
