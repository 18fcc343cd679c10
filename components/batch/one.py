"""One batch at its own address: what it is, what can be done, how it goes, what came out."""

from __future__ import annotations

import streamlit as st

from components.batch import words
from components.batch.acts import acts
from components.batch.address import show_all
from components.batch.crew import gone_endpoint
from components.batch.exporting import export_batch_menu
from components.batch.outcome import outcome
from components.batch.trial import trial_over
from components.batch.watching import watching
from components.copy_link import copy_link
from components.plain import label
from fanout.batches import Batch, BatchState
from fanout.endpoint import BUNDLED
from fanout.engine.runtime import Runtime


def one_batch(runtime: Runtime, batch: Batch) -> None:
    """Draw it as it stands; while it runs, its middle part goes on by itself."""
    held = runtime.store.batches.held(batch.id)
    _way_back()
    st.header(label(batch.title, 120) or "Without a title", anchor=False)
    st.markdown(
        f"{words.BATCH_ICONS[batch.state]} **{words.state_word(batch, held)}** · "
        + label(
            " · ".join(
                filter(
                    None,
                    (
                        _workflow_title(batch),
                        _model(runtime, batch),
                        words.pace_text(batch),
                        words.VIA[batch.via],
                    ),
                )
            ),
            400,
        )
    )
    if batch.why and batch.state is BatchState.PAUSED:
        st.warning(label(batch.why, 600), icon=":material/pause_circle:")
    gone_endpoint(runtime, batch)
    with st.container(horizontal=True, vertical_alignment="center", key="batch_tools", gap="small"):
        acts(runtime, batch)
        copy_link(batch.id, key="batch_copy", page="batch", name="id")
        export_batch_menu(runtime, batch)
    trial_over(runtime, batch, held)
    watching(runtime, batch, held)
    outcome(runtime, batch)


def unknown_batch() -> None:
    """The address names a batch that is deleted, or that is somebody else's."""
    with st.container(border=True, key="batch_unknown"):
        st.markdown(":material/search_off: **There is no batch at this address.**")
        st.markdown("It may have been deleted, or belong to somebody else.")
        st.button("All batches", key="batch_all", icon=":material/arrow_back:", on_click=show_all)


def _way_back() -> None:
    st.button(
        "All batches",
        key="batch_all",
        type="tertiary",
        icon=":material/arrow_back:",
        on_click=show_all,
    )


def _workflow_title(batch: Batch) -> str:
    return str(batch.definition.get("title") or batch.workflow)


def _model(runtime: Runtime, batch: Batch) -> str:
    book = runtime.engine.endpoints
    if batch.model.endpoint not in book:
        return batch.model.model
    endpoint = book.get(batch.model.endpoint)
    named = batch.model.model and endpoint.id != BUNDLED
    return f"{batch.model.model} at {endpoint.name}" if named else endpoint.name
