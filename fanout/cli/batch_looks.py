"""What a terminal shows of a batch: its rows before the start, its estimate, what came of it."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime

from fanout.batch.estimate import BatchEstimate
from fanout.batch.estimate_words import estimate_lines
from fanout.batch.preparing import Prepared
from fanout.batch.previewing import RowPreview
from fanout.batches import Batch, BatchState, Progress, Row, RowRecord, RowState, WorkerSeen
from fanout.cli.batch_progress import NANO, progress_lines
from fanout.errors import InputError
from fanout.render.words import usd_text
from fanout.store.store import Store
from fanout.types import BatchId
from fanout.workflows.definition import Workflow

ALL, SOME, NONE, HALTED = 0, 3, 1, 130
WIDTH = 70
PROMPT = 600
_NAMED = 5
DELETED = "This batch was deleted elsewhere, so nothing of it goes on."
OLDER = (
    "The workers that are there are of an older version of Fanout, which can't carry out this "
    "batch. Update them, or start a new one."
)


def print_prepared(prepared: Prepared, workflow: Workflow, name: str) -> None:
    """What was read and what is left out, on standard error."""
    columns = len(prepared.columns)
    _say(
        f"{name}: {_count(len(prepared.rows), 'row')}, {_count(columns, 'column')}; the topic is "
        f'"{prepared.topic_column}".'
    )
    for note in prepared.notes:
        _say(f"  {note}")
    kept = [row for row in prepared.duplicates if not row.skipped]
    for rows, what in (
        ([row for row in prepared.duplicates if row.skipped], "repeated"),
        (prepared.empties, "without a topic"),
        (prepared.too_long, "with a topic that is too long"),
    ):
        if rows:
            _say(f"  Left out: {len(rows):,} {what} ({_numbers(rows)}).")
    if kept:
        _say(f"  Kept: {len(kept):,} repeated ({_numbers(kept)}).")
    for variable, column in prepared.filled.items():
        usual = _short(workflow.variables[variable], 40)
        blank = prepared.blank.get(variable, 0)
        rest = f'; where that is empty, in {_count(blank, "row")}, it is "{usual}"'
        _say(f'  {{{variable}}} is filled from "{column}"{rest if blank else ""}.')
    for variable in prepared.unfilled:
        _say(f'  {{{variable}}} is "{_short(workflow.variables[variable], 40)}" in all rows.')
    if prepared.unused:
        named = ", ".join(f'"{column}"' for column in prepared.unused[:_NAMED])
        more = f" and {len(prepared.unused) - _NAMED:,} more" * (len(prepared.unused) > _NAMED)
        _say(f"  Used by no prompt: {named}{more}.")


def print_previews(found: Sequence[RowPreview]) -> None:
    """The first rows, and what the first of them asks, to the letter."""
    for one in found:
        _say(f"  {one.row.number:>5}  {_short(one.row.topic, WIDTH)}")
        if one.problem:
            _say(f"         can't be run: {one.problem}")
    shown = next((b for one in found for b in one.branches if b.messages), None)
    if shown is None:
        return
    _say(f"What {shown.title} is asked in the first of them:")
    text = shown.messages[-1].content
    cut = f"\n… {len(text) - PROMPT:,} more characters" if len(text) > PROMPT else ""
    for line in f"{text[:PROMPT]}{cut}".splitlines():
        _say(f"  | {line}")


def print_estimate(foreseen: BatchEstimate, batch: Batch | None = None) -> None:
    """What it takes, and where it would meet its budget."""
    for line in estimate_lines(foreseen):
        _say(f"  {line}")
    cap = batch.budget.usd if batch is not None else None
    if cap is not None and foreseen.high_usd is not None and foreseen.high_usd > cap:
        _say(f"  Its budget of {usd_text(cap)} may pause it before its end.")


def print_result(
    store: Store, made: BatchId, options: argparse.Namespace, *, status: int | None = None
) -> int:
    """How it stands, on standard output; the exit status. InputError where it is gone."""
    batch = store.batches.get(made)
    if batch is None:
        raise InputError(DELETED)
    progress = store.batches.progress(made)
    if options.json:
        print(json.dumps(batch_record(store, batch), ensure_ascii=False))
    else:
        for line in status_lines(store, batch):
            print(line)
    return exit_status(batch, progress) if status is None else status


def exit_status(batch: Batch, progress: Progress) -> int:
    """0 all rows succeeded, 3 some did not, 1 none did, 130 it is paused or stopped."""
    if batch.state is not BatchState.FINISHED:
        return HALTED
    succeeded = progress.counts.get(RowState.SUCCEEDED, 0)
    answered = succeeded + progress.counts.get(RowState.PARTIAL, 0)
    if succeeded == progress.ended:
        return ALL
    return SOME if answered else NONE


def status_lines(store: Store, batch: Batch) -> Iterator[str]:
    """Its name and state, its figures, why it stands, who works on it."""
    progress = store.batches.progress(batch.id)
    alive = [one for one in store.batches.workers() if one.alive]
    yield f"{batch.id}  {batch.title}: {state_word(batch)}"
    lines = progress_lines(batch, progress, alone=not alive)
    yield from (f"  {line.lstrip()}" for line in lines)
    if batch.why:
        yield f"  {batch.why}"
    if held := store.batches.held(batch.id):
        yield f"  {_count(held, 'row')} held back until the trial is over."
    elif skipped := progress.counts.get(RowState.SKIPPED, 0):
        yield f"  {_count(skipped, 'row')} left out."
    if batch.state is BatchState.RUNNING:
        yield from _crew_lines(batch, alive)


def _crew_lines(batch: Batch, alive: Sequence[WorkerSeen]) -> Iterator[str]:
    """Who works on it, and who leaves it to others and why."""
    able = [one for one in alive if one.able(batch)]
    older = [one for one in alive if one.format < batch.format]
    if able:
        yield f"  At work: {', '.join(f'{one.host} ({one.pid})' for one in able)}"
    elif not alive:
        yield "  No worker is there: nothing goes on yet."
    elif older:
        yield f"  {OLDER}"
    for one in alive:
        if one not in older and batch.id in one.leaves:
            yield f"  {one.host} ({one.pid}): {one.leaves[batch.id]}"


def state_word(batch: Batch) -> str:
    if batch.state is BatchState.PAUSED and batch.started_at is None:
        return "not started"
    return batch.state.value


def batch_record(store: Store, batch: Batch) -> dict[str, object]:
    """A batch as plain JSON."""
    progress = store.batches.progress(batch.id)
    known = progress.unknown_costs == 0
    return {
        "batch_id": batch.id,
        "title": batch.title,
        "workflow": batch.workflow,
        "model": batch.model.model,
        "state": batch.state.value,
        "why": batch.why,
        "created_at": _time(batch.created_at),
        "started_at": _time(batch.started_at),
        "finished_at": _time(batch.finished_at),
        "rows": {state.value: progress.counts.get(state, 0) for state in RowState},
        "held": store.batches.held(batch.id),
        "left": progress.left,
        "remaining_s": progress.remaining_s,
        "cost_usd": float(progress.cost_nano / NANO) if known else None,
        "cost_estimated": progress.estimated_costs > 0,
        "tokens": progress.tokens,
        "failures": [
            {
                "kind": None if one.cause is None else one.cause.value,
                "message": one.message,
                "count": one.count,
                "rows": list(one.rows),
            }
            for one in progress.failures
        ],
        "estimate": dict(batch.estimate),
    }


def print_rows(store: Store, made: BatchId, *, in_json: bool) -> None:
    """Every row in a line, read in portions; with `in_json` an object a line."""
    for record in store.batches.each(made):
        if in_json:
            print(json.dumps(_row_record(record), ensure_ascii=False))
        else:
            print(_row_line(record))


def _row_line(record: RowRecord) -> str:
    result = record.result
    told = record.row.skipped
    if result is not None:
        told = (
            result.message if result.state is RowState.FAILED else result.verdict or result.answer
        )
    return (
        f"{record.row.number:>6}  {record.state.value:<9}  {_short(record.row.topic, 40):<40}  "
        f"{_short(told, WIDTH)}"
    ).rstrip()


def _row_record(record: RowRecord) -> dict[str, object]:
    result = record.result
    return {
        "number": record.row.number,
        "topic": record.row.topic,
        "values": dict(record.row.values),
        "state": record.state.value,
        "skipped": record.row.skipped,
        "run_id": record.run_id,
        "answer": None if result is None else result.answer,
        "verdict": None if result is None else result.verdict,
        "agreement": None if result is None else result.agreement,
        "cost_usd": None if result is None or result.cost is None else float(result.cost.usd),
        "wall_s": None if result is None else round(result.wall_s, 4),
        "failure": None
        if result is None or result.cause is None
        else {"kind": result.cause.value, "message": result.message},
    }


def _numbers(rows: Iterable[Row]) -> str:
    numbers = [f"{row.number:,}" for row in rows]
    more = len(numbers) - _NAMED
    said = ", ".join(numbers[:_NAMED]) + (f" and {more:,} more" if more > 0 else "")
    return f"row{'' if len(numbers) == 1 else 's'} {said}"


def _count(number: int, thing: str) -> str:
    return f"{number:,} {thing}{'' if number == 1 else 's'}"


def _short(text: str, most: int) -> str:
    words = " ".join(text.split())
    return words if len(words) <= most else f"{words[: most - 1]}…"


def _time(seconds: float | None) -> str | None:
    if seconds is None:
        return None
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")


def _say(line: str) -> None:
    print(line, file=sys.stderr)
