"""What the command line does with a batch that is there: found, paused, stopped, looked at."""

from __future__ import annotations

import argparse
import json
import shlex
import sys

from fanout.batches import Batch, BatchState
from fanout.cli.batch_looks import batch_record, print_rows, status_lines
from fanout.cli.records import LAST, opened
from fanout.errors import InputError
from fanout.store.store import Store

DONE = 0
ACTS = ("resume", "pause", "stop", "retry_failed", "add", "status", "rows")


def asked_of(options: argparse.Namespace) -> tuple[str, str]:
    """Which act and which batch the options name; ("", "") for a new batch."""
    for act in ACTS:
        if (which := getattr(options, act)) is not None:
            return act, which.strip()
    return "", ""


def found_batch(store: Store, which: str) -> Batch:
    """The batch of that id, or the newest as "last"; InputError if there is none."""
    if which == LAST:
        newest = store.batches.all(limit=1)
        if not newest:
            raise InputError("There are no batches yet. `python -m fanout batch FILE` makes one.")
        return newest[0]
    found = store.batches.get(which)
    if found is None:
        raise InputError(f"There is no batch {which[:64]}. `python -m fanout batches` lists them.")
    return found


def act_on(act: str, which: str, options: argparse.Namespace) -> int:
    """Pause or stop it, or say how it stands."""
    if options.file:
        raise InputError(f"--{act} takes no FILE.")
    with opened() as store:
        batch = found_batch(store, which)
        if act == "pause":
            store.batches.pause(batch.id)
        elif act == "stop":
            store.batches.stop(batch.id)
        if act == "rows":
            print_rows(store, batch.id, in_json=options.json)
            return DONE
        now = store.batches.get(batch.id) or batch
        if options.json:
            print(json.dumps(batch_record(store, now), ensure_ascii=False))
            return DONE
        for line in status_lines(store, now):
            print(line)
        if act in ("pause", "stop") and now.state in (BatchState.PAUSED, BatchState.STOPPED):
            print(f"To go on: python -m fanout batch --resume {id_said(batch.id)}", file=sys.stderr)
    return DONE


def id_said(batch: str) -> str:
    """As a shell takes it."""
    return shlex.quote(batch)
