"""`python -m fanout batch`: a workflow on every row of a table, from the file to the exit status.

The batch belongs to the database: what is started here goes on in any other process as well, and
can be looked at, paused and gone on with from anywhere.
"""

from __future__ import annotations

import argparse
import sys

from fanout.batch.estimate import BatchEstimate, after_trial, estimate_batch
from fanout.batch.places import places_of
from fanout.batch.preparing import CONCURRENCY, Prepared, held_back, new_batch
from fanout.batch.previewing import previews
from fanout.cli.agreeing import agreed, can_ask
from fanout.cli.batch_acts import act_on, asked_of, found_batch
from fanout.cli.batch_again import go_on
from fanout.cli.batch_carrying import carried, carry_out
from fanout.cli.batch_fitting import budget_said, check_options
from fanout.cli.batch_looks import (
    print_estimate,
    print_prepared,
    print_previews,
    print_result,
)
from fanout.cli.batch_table import name_of, prepared_of, table_of
from fanout.cli.run import chosen_workflow, environment_of
from fanout.engine.parking import batch_api_at
from fanout.engine.runtime import Runtime
from fanout.errors import InputError, SettingsError
from fanout.policies import Budget
from fanout.settings import Settings
from fanout.types import BatchId, ModelRef, Via
from fanout.workflows.definition import Workflow

NOT_STARTED = 130


def batch_command(options: argparse.Namespace) -> int:
    """Carry out a new batch, or do with an older one what the options ask for."""
    asked, which = asked_of(options)
    if asked:
        check_options(asked, options)
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
            return go_on(runtime, found_batch(runtime.store, which), asked, options)
        return _begin(runtime, options)


def _begin(runtime: Runtime, options: argparse.Namespace) -> int:
    if not options.workflow:
        raise InputError("Say which workflow with --workflow. `python -m fanout workflows` lists.")
    workflow = chosen_workflow(options.workflow)
    prepared = prepared_of(table_of(options, runtime.settings.bounds), workflow, options, runtime)
    model = runtime.chosen_model()
    via = options.via or Via.CALLS
    _check_way(runtime, model, via)
    budget = budget_said(options, Budget())
    foreseen = estimate_batch(
        prepared.rows,
        workflow,
        model,
        runtime.engine.endpoints,
        runtime.store,
        concurrency=options.concurrency or CONCURRENCY,
        rows_per_minute=options.per_minute or None,
        via=via,
    )
    if not options.json:
        _show(prepared, workflow, model, runtime, foreseen, options)
    new = new_batch(
        prepared,
        workflow,
        model,
        title=options.title or name_of(options),
        concurrency=options.concurrency or CONCURRENCY,
        rows_per_minute=options.per_minute or None,
        budget=budget,
        via=via,
        estimate=foreseen.record(),
        places=places_of(workflow, model, runtime.engine.endpoints),
    )
    if not agreed(options, "Try the first rows now?" if options.trial else "Start now?"):
        print("Nothing was started.", file=sys.stderr)
        return NOT_STARTED
    rows = held_back(prepared.rows) if options.trial else prepared.rows
    made = runtime.store.batches.create(new, rows)
    runtime.store.batches.resume(made)
    if not options.trial:
        return carried(runtime, made, options)
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
        return carried(runtime, made, options)
    over = carry_out(runtime, made, options)
    held = runtime.store.batches.held(made)
    if not over.finished or not held:
        return print_result(runtime.store, made, options)
    tried = [row for row in runtime.store.batches.each(made) if row.result is not None]
    if not options.json:
        print("After the trial:", file=sys.stderr)
        print_estimate(after_trial(foreseen, tried), over.batch)
    may_ask = options.yes or can_ask(options)
    if may_ask and agreed(options, f"Go on with the other {held:,} row{'' if held == 1 else 's'}?"):
        runtime.store.batches.release(made)
        return carried(runtime, made, options)
    status = print_result(runtime.store, made, options)
    rows, them = ("row is", "it") if held == 1 else ("rows are", "them")
    print(
        f"{held:,} {rows} held back. `python -m fanout batch --resume {made}` carries {them} out.",
        file=sys.stderr,
    )
    return status


def _show(
    prepared: Prepared,
    workflow: Workflow,
    model: ModelRef,
    runtime: Runtime,
    foreseen: BatchEstimate,
    options: argparse.Namespace,
) -> None:
    book = runtime.engine.endpoints
    print_prepared(prepared, workflow, name_of(options))
    print_previews(previews(prepared.rows, workflow, lambda name: book.resolve(name, model)))
    at = book.get(model.endpoint).name
    print(f"{workflow.title} with {model.model or 'its default model'} at {at}:", file=sys.stderr)
    print_estimate(foreseen)
