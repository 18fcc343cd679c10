"""What a terminal shows of a batch while it goes on, and the exit status at its end."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from io import StringIO
from pathlib import Path

import pytest

from fanout.batches import Batch, BatchState, FailureGroup, NewBatch, Progress, RowState
from fanout.cli.batch_looks import exit_status
from fanout.cli.batch_progress import BatchProgress, progress_lines, spent_words
from fanout.policies import Budget
from fanout.store.store import Store
from fanout.types import BatchId, EndpointId, FailureKind, ModelRef, Via
from tests import command_line


class Terminal(StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_shows_the_newest_figures_only_and_notes_stay() -> None:
    out = Terminal()
    shown = BatchProgress(out)
    shown.show(batch(), progress(waiting=5))
    shown.show(batch(), progress(waiting=4, succeeded=1), ["The database is away."])
    shown.show(batch(), progress(waiting=3, succeeded=2), ["The database is away."])
    drawn = out.getvalue()
    assert drawn.count("The database is away.") == 1
    assert drawn.count("\x1b[2A\x1b[J") == 2, "both lines of it are drawn anew"
    elsewhere = StringIO()
    quiet = BatchProgress(elsewhere)
    for _ in range(3):
        quiet.show(batch(), progress(waiting=5))
    assert elsewhere.getvalue().count("\n") == 1, "the same figures are said once"
    assert "\x1b" not in elsewhere.getvalue()


def batch(state: BatchState = BatchState.RUNNING, budget: Budget | None = None) -> Batch:
    new = NewBatch(
        title="T", workflow="pair", definition={},
        model=ModelRef(endpoint=EndpointId("here"), model="m"), budget=budget or Budget(),
    )  # fmt: skip
    fields = {name: getattr(new, name) for name in NewBatch.__dataclass_fields__}
    return Batch(**fields, id=BatchId("b"), state=state)


def progress(**counts: int) -> Progress:
    return Progress(
        at=0.0, counts={RowState(name): count for name, count in counts.items()},
        cost_nano=830_000_000, unknown_costs=0, tokens=70, recent=counts.get("succeeded", 0),
        recent_s=60.0,
        failures=(
            FailureGroup(
                cause=FailureKind.RATE_LIMIT, message="Slow\ndown.", count=3, rows=(4, 9)
            ),
        ),
    )  # fmt: skip


def test_progress_says_rows_rate_time_money_and_causes() -> None:
    first, failed = progress_lines(
        batch(budget=Budget(usd=Decimal(5))),
        progress(waiting=600, running=2, succeeded=60, failed=3, skipped=9),
    )
    assert first == (
        "63 of 665 rows · 2 at work · 3 failed · 60 a minute · about 10 min left · $0.83 of $5.00"
    )
    assert failed == "  3 rows: Rate limited (row 4, 9, …): Slow down."
    left = next(progress_lines(batch(), progress(waiting=5, running=7, succeeded=60), alone=True))
    assert left == "60 of 72 rows · 7 were at work · $0.83", "nobody is there to go on"
    unknown = next(progress_lines(batch(), progress(waiting=5, succeeded=1)))
    assert "time left unknown yet" in unknown
    assert "left" not in next(progress_lines(batch(BatchState.PAUSED), progress(waiting=5)))


def test_answers_of_a_provider_that_come_at_once_foretell_nothing() -> None:
    parked = replace(progress(waiting=600, succeeded=60), via=Via.PROVIDER)
    assert next(progress_lines(batch(), parked)) == (
        "60 of 660 rows · answered within 24 hours · $0.83"
    )
    assert parked.remaining_s is None


def test_only_answers_for_nothing_are_free() -> None:
    free = replace(progress(succeeded=2), cost_nano=0)
    failed = replace(progress(failed=2), cost_nano=0)
    assert spent_words(batch(), free) == "free"
    assert spent_words(batch(), failed) == "$0.00", "at whatever price"


def test_under_a_budget_what_counts_against_it_is_told() -> None:
    booked = replace(progress(waiting=2), cost_nano=0, booked_nano=40_000_000, booked_tokens=4_828)
    capped = batch(budget=Budget(usd=Decimal(1), tokens=5_000))
    assert spent_words(capped, booked) == "$0.040 of $1.00, 4,828 of 5,000 tokens"
    assert spent_words(batch(), booked) == "nothing spent"


@pytest.mark.parametrize(
    ("state", "counts", "status"),
    [
        (BatchState.FINISHED, {"succeeded": 4, "skipped": 2}, 0),
        (BatchState.FINISHED, {"succeeded": 4, "partial": 1}, 3),
        (BatchState.FINISHED, {"partial": 4}, 3),
        (BatchState.FINISHED, {"succeeded": 4, "failed": 1}, 3),
        (BatchState.FINISHED, {"failed": 4}, 1),
        (BatchState.PAUSED, {"succeeded": 4, "waiting": 1}, 130),
        (BatchState.STOPPED, {"succeeded": 4, "waiting": 1}, 130),
    ],
)
def test_the_exit_status_says_what_came_of_the_rows(
    state: BatchState, counts: dict[str, int], status: int
) -> None:
    assert exit_status(batch(state), progress(**counts)) == status


def test_every_batch_is_listed_however_many_there_are(tmp_path: Path) -> None:
    model = ModelRef(endpoint=EndpointId("here"), model="m")
    new = NewBatch(title="B", workflow="w", definition={}, model=model)
    with Store.open(tmp_path) as store:
        for _ in range(103):
            store.batches.create(new, [])
    done = command_line.fanout("batches", environment={"FANOUT_HOME": str(tmp_path)})
    assert len(done.stdout.splitlines()) == 103
