"""Runs of earlier on the command line: opened by their id, or as "last"."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from fanout.errors import InputError, StoreError
from fanout.settings import Settings
from fanout.store.store import Store
from fanout.store.values import Question, StoredRun

LAST = "last"


@contextmanager
def opened() -> Iterator[Store]:
    """The record of this FANOUT_HOME; runs whose process is gone are ended first."""
    settings = Settings.usable()[0]
    store = Store.open(settings.home, settings.database)
    for problem in store.problems:
        print(f"fanout: {problem}", file=sys.stderr)
    try:
        try:
            store.interrupt()
        except StoreError as error:
            # Reading needs no writer's place: what is there can be shown all the same.
            print(f"fanout: {error}", file=sys.stderr)
        yield store
    finally:
        store.close()


def stored(store: Store, run: str) -> StoredRun:
    """The run of that id; InputError if there is none, or if it was deleted."""
    found = store.load(id_of(store, run))
    if found is None:
        raise InputError(unknown(run))
    if found.deleted_at is not None:
        raise InputError(
            f"The run {run[:64]} was deleted. It can be restored on the History page for now."
        )
    return found


def id_of(store: Store, run: str) -> str:
    """An id as it stands, or that of the newest run; InputError if there is none yet."""
    if run != LAST:
        return run
    rows = store.history.find(Question(limit=1)).rows
    if not rows:
        raise InputError("There are no runs yet. `python -m fanout run` makes one.")
    return rows[0].id


def unknown(run: str) -> str:
    """What to say about an id that no run has."""
    return f"There is no run {run[:64]}. `python -m fanout history` lists them."
