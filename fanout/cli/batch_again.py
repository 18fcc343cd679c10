"""What is there of a batch goes on: resumed, what failed asked again, or with more rows."""

from __future__ import annotations

import argparse
import sys

from fanout.batch.conditions import column_asked_for, column_of_more
from fanout.batch.estimate import estimate_batch
from fanout.batch.preparing import LONGEST, Prepared
from fanout.batches import Batch, BatchState, RowState
from fanout.cli.agreeing import agreed
from fanout.cli.batch_acts import id_said
from fanout.cli.batch_carrying import carried
from fanout.cli.batch_fitting import budget_said, check_batch
from fanout.cli.batch_looks import print_estimate, print_prepared, print_result, state_word
from fanout.cli.batch_table import name_of, prepared_of, table_of
from fanout.engine.runtime import Runtime
from fanout.errors import FanoutError, InputError
from fanout.workflows.definition import Workflow
from fanout.workflows.parsing import parse

NOT_ADDED = 130
AGAIN = (RowState.FAILED, RowState.PARTIAL)


def go_on(runtime: Runtime, batch: Batch, asked: str, options: argparse.Namespace) -> int:
    """Resume it, retry what failed, or add rows."""
    check_batch(runtime, batch, options)
    batches = runtime.store.batches
    more = _more(runtime, batch, options) if asked == "add" else None
    if more is not None and not agreed(options, "Add them now?"):
        print("Nothing was added.", file=sys.stderr)
        return NOT_ADDED
    budget = budget_said(options, batch.budget)
    batches.change(
        batch.id,
        concurrency=options.concurrency,
        rows_per_minute=options.per_minute,
        budget=None if budget == batch.budget else budget,
        title=" ".join(options.title.split())[:LONGEST] or None,
    )
    if more is not None:
        batches.add(batch.id, more.rows)
        print(f"{_rows_are(len(more.wanted))} added to {batch.title}.", file=sys.stderr)
        return _or_wait(runtime, batch, len(more.wanted), options)
    if asked == "retry_failed":
        again = batches.retry(batch.id, AGAIN)
        lack = "it lacks" if again == 1 else "they lack"
        print(f"{_rows_are(again)} asked again, for what {lack}.", file=sys.stderr)
        return _or_wait(runtime, batch, again, options)
    if held := batches.held(batch.id):
        batches.release(batch.id)
        print(f"{_rows_are(held)} held back no longer.", file=sys.stderr)
    batches.resume(batch.id)
    return carried(runtime, batch.id, options)


def _rows_are(number: int) -> str:
    return f"{number:,} {'row is' if number == 1 else 'rows are'}"


def _or_wait(runtime: Runtime, batch: Batch, wanted: int, options: argparse.Namespace) -> int:
    """Carry those rows out, unless somebody has halted the batch and others wait as well."""
    now = runtime.store.batches.get(batch.id)
    if now is None or now.state not in (BatchState.PAUSED, BatchState.STOPPED):
        return carried(runtime, batch.id, options)
    others = runtime.store.batches.progress(batch.id).halted_left - wanted
    more = f" and with {others:,} other{'' if others == 1 else 's'}" if others > 0 else ""
    if wanted:
        print(
            f"The batch is {state_word(now)}, so {'it waits' if wanted == 1 else 'they wait'}. "
            f"`python -m fanout batch --resume {id_said(batch.id)}` goes on with "
            f"{'it' if wanted == 1 else 'them'}{more}.",
            file=sys.stderr,
        )
    return print_result(runtime.store, batch.id, options)


def _more(runtime: Runtime, batch: Batch, options: argparse.Namespace) -> Prepared:
    """The rows that are to be added, with what they take; InputError where they can't be."""
    workflow = parse(batch.definition, name=batch.workflow)
    table = table_of(options, runtime.settings.bounds)
    options.column = options.column or column_of_more(table.columns, batch.topic_column)
    if not options.column:
        how = "Say with --column NAME which one holds them."
        raise InputError(column_asked_for(table.columns, batch.topic_column, how))
    prepared = prepared_of(table, workflow, options, runtime, batch)
    if not options.json:
        print_prepared(prepared, workflow, name_of(options))
    if prepared.problems:
        raise InputError(prepared.problems[0])
    if not options.json:
        _estimate(runtime, batch, prepared, workflow, options)
    return prepared


def _estimate(
    runtime: Runtime,
    batch: Batch,
    prepared: Prepared,
    workflow: Workflow,
    options: argparse.Namespace,
) -> None:
    try:
        foreseen = estimate_batch(
            prepared.rows,
            workflow,
            batch.model,
            runtime.engine.endpoints,
            runtime.store,
            concurrency=options.concurrency or batch.concurrency,
            rows_per_minute=_per_minute(batch, options),
            via=batch.via,
        )
    except FanoutError as error:
        # Its endpoint may be another process's; the rows are added all the same.
        print(f"  What they take is unknown: {error}", file=sys.stderr)
        return
    print_estimate(foreseen)


def _per_minute(batch: Batch, options: argparse.Namespace) -> int | None:
    """From now on; 0 lifts the limit."""
    if options.per_minute is None:
        return batch.rows_per_minute
    return options.per_minute or None
