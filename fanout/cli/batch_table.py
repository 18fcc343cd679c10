"""The rows that a command was given: read, mapped and checked."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path

from fanout.batch.preparing import Prepared, filling, prepare
from fanout.batch.reading.reading import read_table
from fanout.batch.reading.table import Table
from fanout.batches import Batch
from fanout.bounds import Bounds
from fanout.cli.agreeing import can_ask
from fanout.engine.runtime import Runtime
from fanout.errors import InputError
from fanout.workflows.definition import Workflow

LOOKED_AT = 500
"""Rows of a batch from which it is told what filled its variables."""


def table_of(options: argparse.Namespace, limits: Bounds) -> Table:
    """FILE as a table, or standard input; InputError where it is none.

    Nor is it one where its letters are a guess and nobody is there to look at them.
    """
    # One byte more than may be, so that too much is noticed and never held.
    piped = options.file == "-"
    table = read_table(
        sys.stdin.buffer.read(limits.upload_bytes + 1) if piped else Path(options.file),
        "standard input" if piped else "",
        limits,
        sheet=options.sheet,
        header=options.header,
        encoding=options.encoding,
    )
    if table.doubt and (options.yes or not can_ask(options)):
        raise InputError(f"{table.doubt} Nothing was asked.")
    return table


def prepared_of(
    table: Table,
    workflow: Workflow,
    options: argparse.Namespace,
    runtime: Runtime,
    batch: Batch | None = None,
) -> Prepared:
    """Its rows as that workflow takes them; those that `batch` has already are left out."""
    earlier = () if batch is None else (one.row for one in runtime.store.batches.each(batch.id))
    fills = dict(options.var)
    if batch is not None:
        fills = _filled_before(runtime, batch, table, workflow, fills) | fills
    return prepare(
        table,
        workflow,
        options.column,
        fills=fills,
        keep_duplicates=options.keep_duplicates,
        limits=runtime.settings.bounds,
        earlier=earlier,
    )


def _filled_before(
    runtime: Runtime, batch: Batch, table: Table, workflow: Workflow, fills: Mapping[str, str]
) -> dict[str, str]:
    """Column to variable, as the batch's own rows show it: the mapping itself isn't kept.

    InputError where two columns that are here have held the same in all of those rows.
    """
    rows = [one.row.values for one in runtime.store.batches.rows(batch.id, limit=LOOKED_AT)]
    named = {*batch.columns, *table.columns, *filling(table.columns, workflow, fills)}
    found: dict[str, str] = {}
    for variable in workflow.variables:
        told = [values for values in rows if variable in values]
        if variable in named or not any(values[variable] for values in told):
            continue
        like = [
            column
            for column in table.columns
            if column not in fills
            and all(values.get(column) == values[variable] for values in told)
        ]
        if len(like) > 1:
            raise InputError(
                f"{{{variable}}} was filled from another column in this batch: "
                f"{' or '.join(like[:5])}. Say which with --var COLUMN={variable}."
            )
        found |= dict.fromkeys(like, variable)
    return found


def name_of(options: argparse.Namespace) -> str:
    """What people know FILE by."""
    return "Standard input" if options.file == "-" else Path(options.file).name
