"""From prepared rows to a batch in the database: whole, as a trial, or as more rows of one."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress

from components.batch.address import show
from components.batch.said import say, tried
from components.batch.setup import Pace, forget_pace
from components.batch.source import forget_source
from components.batch.words import count
from components.session import wake_worker
from fanout.batch.places import places_of
from fanout.batch.preparing import Prepared, held_back
from fanout.batch.preparing import new_batch as made
from fanout.batches import Batch
from fanout.engine.own import OwnRuntime
from fanout.engine.runtime import Runtime
from fanout.errors import FanoutError
from fanout.people import NOBODY, PersonId
from fanout.types import BatchId, ModelRef
from fanout.workflows.definition import Workflow


def begin(
    runtime: Runtime,
    prepared: Prepared,
    workflow: Workflow,
    model: ModelRef,
    pace: Pace,
    title: str,
    estimate: Mapping[str, object] | None = None,
    *,
    trial: bool,
) -> BatchId | None:
    """Keep the batch and start it; None where that could not be done, which the page says then. A
    trial holds back all but the first rows. See `once`: nothing is asked of Streamlit here."""
    batches = runtime.store.batches
    rows = tuple(held_back(prepared.rows)) if trial else prepared.rows
    ids: list[BatchId] = []

    def create() -> None:
        new = made(
            prepared,
            workflow,
            model,
            title=title,
            concurrency=pace.concurrency,
            rows_per_minute=pace.rows_per_minute,
            budget=pace.budget,
            via=pace.via,
            person=_person(runtime),
            estimate=estimate,
            places=places_of(workflow, model, runtime.engine.endpoints),
        )
        ids.append(batches.create(new, rows))

    if not tried(create):
        return None
    # Where that can't be done now, its page shows it as not started.
    with suppress(FanoutError):
        batches.resume(ids[0])
    wake_worker()
    return ids[0]


def show_begun(batch: BatchId) -> None:
    """The next one begins with nothing."""
    forget_source()
    forget_pace()
    show(batch)


def add_rows(runtime: Runtime, batch: Batch, prepared: Prepared) -> BatchId | None:
    """Append them; None where that could not be done, which the page says then."""
    if not tried(lambda: runtime.store.batches.add(batch.id, prepared.rows)):
        return None
    wake_worker()
    return batch.id


def show_added(rows: int, batch: BatchId) -> None:
    """So many rows have come to it."""
    say(f"{count(rows, 'row')} added.")
    forget_source()
    show(batch)


def _person(runtime: Runtime) -> PersonId:
    return runtime.person.id if isinstance(runtime, OwnRuntime) else NOBODY
