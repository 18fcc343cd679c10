"""How far a batch is, in words: nothing is said that nobody knows."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from components.batch.words import remaining_text, spent_text, time_text, waiting
from fanout.batches import Progress, RowState
from fanout.policies import Budget
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
    resumed = replace(going, recent=1, recent_s=40.0)
    assert remaining_text(resumed) == "How long it takes is known once two more rows have ended"
    parked = replace(going, recent=20, recent_s=60.0, via=Via.PROVIDER)
    assert remaining_text(parked) == "The provider answers a batch within 24 hours, often sooner"
    rate = replace(going, recent=20, recent_s=60.0)
    assert remaining_text(rate) == (
        "About 3 min left, at 20 rows a minute (20 rows ended in the last 1 min)"
    )
    assert spent_text(replace(going, unknown_costs=2), Budget()) == "unknown"
    assert spent_text(going, Budget(), free=True) == "free"
    failed = replace(going, counts={RowState.FAILED: 2})
    assert spent_text(failed, Budget(), free=True) == "$0.00", "at whatever price"
    paid = replace(going, cost_nano=2_000_000)
    assert spent_text(replace(paid, unknown_costs=1), Budget()) == "≥ $0.0020"
    assert spent_text(replace(paid, estimated_costs=1), Budget()) == "≈ $0.0020"
    assert [time_text(s) for s in (20, 90, 4000, 200_000)] == [
        "under 1 min",
        "2 min",
        "1 h 7 min",
        "2 days 7 h",
    ]


def test_under_a_budget_what_counts_against_it_is_told() -> None:
    """Paid branches of rows that were put back are in no row that has ended."""
    paused = Progress(
        at=0.0,
        counts={RowState.WAITING: 4, RowState.QUEUED: 13, RowState.SUCCEEDED: 3},
        cost_nano=2_900_000,
        unknown_costs=0,
        tokens=4_278,
        recent=0,
        recent_s=600.0,
        booked_nano=4_090_000,
        booked_tokens=4_828,
    )
    assert spent_text(paused, Budget(usd=Decimal("0.005"))) == "$0.0041"
    assert spent_text(paused, Budget(tokens=5_000)) == "$0.0029"
    assert paused.tokens_under(Budget(tokens=5_000)) == 4_828
    assert paused.tokens_under(Budget(usd=Decimal(1))) == 4_278
    assert waiting(paused) == 17, "those in a worker's queue wait, too"
