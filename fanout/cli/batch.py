"""`python -m fanout batch`: a workflow on every row of a table, from the file to the exit status.

The batch belongs to the database: what is started here goes on in any other process as well, and
can be looked at, paused and gone on with from anywhere.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from fanout.batch.estimate import BatchEstimate, after_trial, estimate_batch
from fanout.batch.preparing import CONCURRENCY, Prepared, held_back, new_batch, prepare
from fanout.batch.previewing import previews
from fanout.batch.reading.reading import read_table
from fanout.batch.reading.table import Table
from fanout.batches import Batch, RowState
from fanout.bounds import Bounds
from fanout.cli.batch_acts import act_on, asked_of, found_batch
from fanout.cli.batch_carrying import carry_out
from fanout.cli.batch_looks import print_estimate, print_prepared, print_previews, print_result
from fanout.cli.run import chosen_workflow, environment_of
from fanout.engine.parking import batch_api_at
from fanout.engine.runtime import Runtime
from fanout.errors import InputError, SettingsError
from fanout.policies import Budget
from fanout.settings import Settings
from fanout.types import BatchId, ModelRef, Via
from fanout.workflows.definition import Workflow
from fanout.workflows.parsing import parse

STARTED, NOT_STARTED = 0, 130
AGAIN = (RowState.FAILED, RowState.PARTIAL)


def batch_command(options: argparse.Namespace) -> int:
    """Carry out a new batch, or do with an older one what the options ask for."""
    asked, which = asked_of(options)
    if asked in ("pause", "stop", "status", "rows"):
        return act_on(asked, which, options)
    if asked in ("", "add") and not options.file:
        raise InputError("Name the FILE that holds the rows, or - for standard input.")
    if asked in ("resume", "retry_failed") and options.file:
        raise InputError(f"--{asked.replace('_', '-')} takes no FILE; --add takes one.")
    with Runtime(Settings.from_environment(environment_of(options))) as runtime:
        for problem in runtime.problems:
            print(f"fanout: {problem}", file=sys.stderr)
        if not runtime.store.kept:
            raise SettingsError(
                "Runs are kept only until Fanout ends, so a batch can't be carried out. Mend "
                "FANOUT_HOME or the database first."
            )
        if asked:
            return _go_on(runtime, found_batch(runtime.store, which), asked, options)
        return _begin(runtime, options)


def _begin(runtime: Runtime, options: argparse.Namespace) -> int:
    if not options.workflow:
        raise InputError("Say which workflow with --workflow. `python -m fanout workflows` lists.")
    workflow = chosen_workflow(options.workflow)
    prepared = _prepared(_table(options, runtime.settings.bounds), workflow, options, runtime)
    model = runtime.chosen_model()
    _check_way(runtime, model, options.via)
    foreseen = estimate_batch(
        prepared.rows,
        workflow,
        model,
        runtime.engine.endpoints,
        runtime.store,
        concurrency=options.concurrency or CONCURRENCY,
        rows_per_minute=options.per_minute,
        via=options.via,
    )
    if not options.json:
        _show(prepared, workflow, model, runtime, foreseen, options)
    if not _agreed(options, "Try the first rows now?" if options.trial else "Start now?"):
        print("Nothing was started.", file=sys.stderr)
        return NOT_STARTED
    new = new_batch(
        prepared,
        workflow,
        model,
        title=options.title or _name(options),
        concurrency=options.concurrency or CONCURRENCY,
        rows_per_minute=options.per_minute,
        budget=Budget(usd=options.budget, tokens=options.budget_tokens),
        via=options.via,
        estimate=foreseen.record(),
    )
    rows = held_back(prepared.rows) if options.trial else prepared.rows
    made = runtime.store.batches.create(new, rows)
    runtime.store.batches.resume(made)
    if not options.trial:
        return _carried(runtime, made, options)
    return _tried(runtime, made, foreseen, options)


def _check_way(runtime: Runtime, model: ModelRef, via: Via) -> None:
    book = runtime.engine.endpoints
    if via is Via.PROVIDER and not batch_api_at(runtime.engine, book, model.endpoint):
        raise InputError(
            f"{book.get(model.endpoint).name} has no Batch API, or doesn't answer now. Leave out "
            "--via, or choose another endpoint."
        )


def _tried(
    runtime: Runtime, made: BatchId, foreseen: BatchEstimate, options: argparse.Namespace
) -> int:
    """The rows of a trial, then the others where that is wanted."""
    if options.detach:
        return _carried(runtime, made, options)
    over = carry_out(runtime, made, options)
    held = runtime.store.batches.held(made)
    if not over.finished or not held:
        return print_result(runtime.store, made, options)
    tried = [row for row in runtime.store.batches.each(made) if row.result is not None]
    if not options.json:
        print("After the trial:", file=sys.stderr)
        print_estimate(after_trial(foreseen, tried), over.batch)
    may_ask = options.yes or _can_ask(options)
    if may_ask and _agreed(options, f"Go on with the other {held:,} rows?"):
        runtime.store.batches.release(made)
        return _carried(runtime, made, options)
    status = print_result(runtime.store, made, options)
    print(
        f"{held:,} rows are held back. `python -m fanout batch --resume {made}` carries them out.",
        file=sys.stderr,
    )
    return status


def _go_on(runtime: Runtime, batch: Batch, asked: str, options: argparse.Namespace) -> int:
    """Resume it, retry what failed, or add rows."""
    batches = runtime.store.batches
    budget = batch.budget
    if options.budget is not None or options.budget_tokens is not None:
        budget = Budget(
            usd=budget.usd if options.budget is None else options.budget,
            tokens=budget.tokens if options.budget_tokens is None else options.budget_tokens,
        )
    batches.change(
        batch.id,
        concurrency=options.concurrency,
        rows_per_minute=options.per_minute,
        budget=None if budget == batch.budget else budget,
        title=options.title or None,
    )
    if asked == "add":
        _add(runtime, batch, options)
    elif asked == "retry_failed":
        again = batches.retry(batch.id, AGAIN)
        print(f"{again:,} rows are asked again, for what they lack.", file=sys.stderr)
    elif held := batches.held(batch.id):
        batches.release(batch.id)
        print(f"{held:,} rows that were held back are carried out now.", file=sys.stderr)
    batches.resume(batch.id)
    return _carried(runtime, batch.id, options)


def _add(runtime: Runtime, batch: Batch, options: argparse.Namespace) -> None:
    workflow = parse(batch.definition, name=batch.workflow)
    options.column = options.column or batch.topic_column
    table = _table(options, runtime.settings.bounds)
    if options.column not in table.columns and len(table.columns) == 1:
        options.column = table.columns[0]
    prepared = _prepared(table, workflow, options, runtime, batch)
    if not options.json:
        print_prepared(prepared, workflow, _name(options))
    if prepared.problems:
        raise InputError(prepared.problems[0])
    runtime.store.batches.add(batch.id, prepared.rows)
    print(f"{len(prepared.wanted):,} rows are added to {batch.title}.", file=sys.stderr)


def _prepared(
    table: Table,
    workflow: Workflow,
    options: argparse.Namespace,
    runtime: Runtime,
    batch: Batch | None = None,
) -> Prepared:
    earlier = () if batch is None else (one.row for one in runtime.store.batches.each(batch.id))
    return prepare(
        table,
        workflow,
        options.column,
        fills=dict(options.var),
        keep_duplicates=options.keep_duplicates,
        limits=runtime.settings.bounds,
        earlier=earlier,
    )


def _table(options: argparse.Namespace, limits: Bounds) -> Table:
    if options.file == "-":
        # One byte more than may be, so that too much is noticed and never held.
        data = sys.stdin.buffer.read(limits.upload_bytes + 1)
        return read_table(
            data, "standard input", limits, sheet=options.sheet, header=options.header
        )
    return read_table(Path(options.file), "", limits, sheet=options.sheet, header=options.header)


def _show(
    prepared: Prepared,
    workflow: Workflow,
    model: ModelRef,
    runtime: Runtime,
    foreseen: BatchEstimate,
    options: argparse.Namespace,
) -> None:
    book = runtime.engine.endpoints
    print_prepared(prepared, workflow, _name(options))
    print_previews(previews(prepared.rows, workflow, lambda name: book.resolve(name, model)))
    at = book.get(model.endpoint).name
    print(f"{workflow.title} with {model.model or 'its default model'} at {at}:", file=sys.stderr)
    print_estimate(foreseen)
    if options.budget is not None and foreseen.high_usd is None:
        print(
            "fanout: a model's price is unknown, so a budget in dollars can't be kept for its "
            "calls. Set its price on the Models page, or cap tokens.",
            file=sys.stderr,
        )


def _name(options: argparse.Namespace) -> str:
    return "Standard input" if options.file == "-" else Path(options.file).name


def _can_ask(options: argparse.Namespace) -> bool:
    return options.file != "-" and sys.stdin.isatty() and sys.stderr.isatty()


def _agreed(options: argparse.Namespace, question: str) -> bool:
    """What the person says; nobody there to be asked has said it by starting the command."""
    if options.yes or not _can_ask(options):
        return True
    print(f"{question} [Y/n] ", end="", file=sys.stderr, flush=True)
    try:
        return sys.stdin.readline().strip().lower() in ("", "y", "yes")
    except KeyboardInterrupt:
        return False


def _carried(runtime: Runtime, made: BatchId, options: argparse.Namespace) -> int:
    if options.detach:
        if options.json:
            return print_result(runtime.store, made, options, status=STARTED)
        print(made)
        print(
            "The app or a worker carries it out. `python -m fanout worker` starts one, "
            f"`python -m fanout batch --status {made}` says how far it is.",
            file=sys.stderr,
        )
        return STARTED
    carry_out(runtime, made, options)
    return print_result(runtime.store, made, options)
