"""The rows that a command was given: read, mapped and checked."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from fanout.batch.preparing import Prepared, prepare
from fanout.batch.reading.reading import read_table
from fanout.batch.reading.table import Table
from fanout.batches import Batch
from fanout.bounds import Bounds
from fanout.engine.runtime import Runtime
from fanout.workflows.definition import Workflow


def table_of(options: argparse.Namespace, limits: Bounds) -> Table:
    """FILE as a table, or standard input; InputError where it is none."""
    if options.file == "-":
        # One byte more than may be, so that too much is noticed and never held.
        data = sys.stdin.buffer.read(limits.upload_bytes + 1)
        return read_table(
            data, "standard input", limits, sheet=options.sheet, header=options.header
        )
    return read_table(Path(options.file), "", limits, sheet=options.sheet, header=options.header)


def prepared_of(
    table: Table,
    workflow: Workflow,
    options: argparse.Namespace,
    runtime: Runtime,
    batch: Batch | None = None,
) -> Prepared:
    """Its rows as that workflow takes them; those that `batch` has already are left out."""
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


def name_of(options: argparse.Namespace) -> str:
    """What people know FILE by."""
    return "Standard input" if options.file == "-" else Path(options.file).name
