"""`python -m fanout batches`: every batch, newest first."""

from __future__ import annotations

import argparse
import json
import sys
from datetime import datetime

from fanout.batches import Batch, RowState
from fanout.cli.batch_looks import batch_record, state_word
from fanout.cli.batch_progress import spent_words
from fanout.cli.records import opened
from fanout.store.store import Store


def batches_command(options: argparse.Namespace) -> int:
    """One line per batch; with --json an array of objects."""
    with opened() as store:
        found = store.batches.all(limit=None)
        if options.json:
            print(json.dumps([batch_record(store, one) for one in found], ensure_ascii=False))
            return 0
        for one in found:
            print(_line(store, one))
    if not found:
        print("No batches yet. `python -m fanout batch FILE` makes one.", file=sys.stderr)
    return 0


def _line(store: Store, batch: Batch) -> str:
    progress = store.batches.progress(batch.id)
    when = datetime.fromtimestamp(batch.created_at).astimezone().strftime("%Y-%m-%d %H:%M")
    wanted = progress.total - progress.counts.get(RowState.SKIPPED, 0)
    facts = f"{progress.ended:,} of {wanted:,} rows, {spent_words(batch, progress)}"
    title = " ".join(batch.title.split())[:60]
    return (
        f"{batch.id}  {when}  {state_word(batch):<11}  {batch.workflow:<16}  {facts:<40}  {title}"
    )
