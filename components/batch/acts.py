"""What can be done with a batch: start, pause, stop, retry, add rows, duplicate, change, delete."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import streamlit as st

from components.batch.address import show, show_adding, show_all
from components.batch.changing import change_fields
from components.batch.once import once
from components.batch.said import say, tried
from components.session import wake_worker
from fanout.batches import Batch, BatchState, NewBatch, RowState
from fanout.engine.runtime import Runtime
from fanout.types import BatchId


def acts(runtime: Runtime, batch: Batch) -> None:
    """Draw the buttons that make sense now, the likeliest first."""
    progress = runtime.store.batches.progress(batch.id)
    if batch.state is BatchState.RUNNING:
        _button("Pause", "pause", partial(_pause, runtime, batch), primary=True)
    elif progress.left or progress.counts.get(RowState.STOPPED):
        begun = batch.started_at is not None
        name = "Resume" if begun else "Start"
        _button(name, "resume" if begun else "play_arrow", partial(_resume, runtime, batch), True)
    if batch.state is not BatchState.FINISHED and batch.started_at is not None and progress.left:
        _button(
            "Stop",
            "stop",
            partial(_stop, runtime, batch),
            disabled=batch.state is BatchState.STOPPED,
        )
    _button("Add rows", "playlist_add", partial(show_adding, batch.id))
    with st.popover(
        "More", icon=":material/more_horiz:", key="batch_more", on_change="rerun"
    ) as box:
        if box.open:
            _more(runtime, batch)


def _more(runtime: Runtime, batch: Batch) -> None:
    change_fields(runtime, batch)
    st.divider()
    _button("Duplicate", "content_copy", once(partial(_duplicate, runtime, batch), _show_copy))
    st.caption("The same rows and settings once more, to be changed and started.")
    running = batch.state is BatchState.RUNNING
    st.divider()
    sure = st.checkbox("Delete it, with the list of its rows", key="batch_sure", disabled=running)
    st.button(
        "Delete this batch",
        key="batch_delete",
        icon=":material/delete:",
        disabled=running or not sure,
        on_click=partial(_delete, runtime, batch),
    )
    st.caption(
        "Stop it first; then it can be deleted."
        if running
        else "That can't be undone. The runs of its rows stay in History."
    )


def _button(
    name: str,
    icon: str,
    act: Callable[[], None],
    primary: bool = False,
    *,
    disabled: bool = False,
) -> None:
    st.button(
        name,
        key=f"batch_{name.lower().replace(' ', '_')}",
        type="primary" if primary else "secondary",
        icon=f":material/{icon}:",
        disabled=disabled,
        on_click=act,
    )


def _pause(runtime: Runtime, batch: Batch) -> None:
    tried(lambda: runtime.store.batches.pause(batch.id))


def _resume(runtime: Runtime, batch: Batch) -> None:
    tried(lambda: runtime.store.batches.resume(batch.id))
    wake_worker()


def _stop(runtime: Runtime, batch: Batch) -> None:
    tried(lambda: runtime.store.batches.stop(batch.id))


def _duplicate(runtime: Runtime, batch: Batch) -> BatchId | None:
    batches = runtime.store.batches
    new = NewBatch(
        title=f"{batch.title} (again)",
        **{
            name: getattr(batch, name)
            for name in NewBatch.__dataclass_fields__
            if name not in ("title", "person")
        },
        person=batch.person,
    )
    made: list[BatchId] = []
    # Read whole before it is written: a transaction doesn't wait for itself.
    if not tried(lambda: made.append(batches.create(new, [r.row for r in batches.each(batch.id)]))):
        return None
    return made[0]


def _show_copy(batch: BatchId) -> None:
    say("Duplicated. Nothing is asked before you start it.")
    show(batch)


def _delete(runtime: Runtime, batch: Batch) -> None:
    if tried(lambda: runtime.store.batches.delete(batch.id)):
        say("The batch is deleted. Its runs are in History, under Rows of batches.")
        show_all()
