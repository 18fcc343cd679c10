"""The Batch page, put together: all batches, a new one, or one that the address names."""

from __future__ import annotations

from components.batch.address import adding, batch_shown, new_asked
from components.batch.away import could_not
from components.batch.listing import all_batches
from components.batch.making import more_rows, new_batch
from components.batch.one import one_batch, unknown_batch
from components.batch.said import notices
from fanout.engine.runtime import Runtime
from fanout.errors import FanoutError


def batch_page(runtime: Runtime) -> None:
    """Draw what the address names. Whatever it says, the page comes up."""
    notices(runtime)
    try:
        if shown := batch_shown():
            batch = runtime.store.batches.get(shown)
            if batch is None:
                unknown_batch()
            elif adding():
                more_rows(runtime, batch)
            else:
                one_batch(runtime, batch)
        elif new_asked():
            new_batch(runtime)
        else:
            all_batches(runtime)
    except FanoutError as error:
        could_not(error)
