"""A new batch, or more rows for one that is there: read, mapped, checked, estimated, started."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from functools import partial

import streamlit as st

from components.batch import words
from components.batch.address import show, show_all
from components.batch.begin import add_rows, begin, show_added, show_begun
from components.batch.columns import landing, preview, topic_column, variable_columns
from components.batch.doubtful import doubtful, keeps_duplicates
from components.batch.foreseen import estimate_line
from components.batch.once import once
from components.batch.prompts import first_prompts
from components.batch.said import say
from components.batch.setup import FORM, pace, pace_of, typed_pace, workflow_and_model
from components.batch.source import Source, source, unchanged
from components.plain import label
from fanout.batch.conditions import keeps_budget
from fanout.batch.preparing import Prepared, prepare
from fanout.batch.previewing import FIRST
from fanout.batches import Batch, Row
from fanout.engine.runtime import Runtime
from fanout.errors import FanoutError
from fanout.types import BatchId, ModelRef
from fanout.workflows.definition import Workflow
from fanout.workflows.parsing import parse

LONGEST_TITLE = 120
_KNOWN = "batch_prepared"


def new_batch(runtime: Runtime) -> None:
    """Draw the way from a file to a batch that runs, in the order in which it is decided."""
    st.button(
        "All batches",
        key="batch_all",
        type="tertiary",
        icon=":material/arrow_back:",
        on_click=show_all,
    )
    st.header("New batch", anchor=False)
    workflow, model = workflow_and_model(runtime)
    found = source(runtime)
    if found is None:
        st.caption("The rows are shown here before anything is asked.")
        return
    prepared = _prepared(runtime, found, workflow)
    if prepared is None:
        return
    preview(found.table, prepared)
    landing(prepared, workflow)
    doubtful(found, prepared)
    first_prompts(runtime, workflow, prepared.rows, model)
    st.subheader("Pace and budget", anchor=False)
    chosen = pace(runtime, model)
    foreseen = estimate_line(runtime, prepared, workflow, model, chosen)
    kept = keeps_budget(chosen.budget, foreseen)
    _start(runtime, found, prepared, workflow, model, foreseen, kept=kept)


def more_rows(runtime: Runtime, batch: Batch) -> None:
    """Draw the same for rows that come to a batch; workflow, model and pace are as they are."""
    st.button(
        "Back to the batch",
        key="batch_back",
        type="tertiary",
        icon=":material/arrow_back:",
        on_click=show,
        args=(batch.id,),
    )
    st.header(f"Add rows to {label(batch.title, 80)}", anchor=False)
    found = source(runtime)
    if found is None:
        return
    workflow = parse(batch.definition, name=batch.workflow)
    earlier = tuple(record.row for record in runtime.store.batches.each(batch.id))
    prepared = _prepared(runtime, found, workflow, earlier, batch.topic_column)
    if prepared is None:
        return
    preview(found.table, prepared)
    landing(prepared, workflow)
    doubtful(found, prepared)
    if prepared.wanted:
        st.subheader("What these rows take", anchor=False)
        progress = runtime.store.batches.progress(batch.id)
        spent = Decimal(progress.cost_under(batch.budget)) / words.NANO
        estimate_line(runtime, prepared, workflow, batch.model, pace_of(batch, spent), more=True)
    _problems(prepared)
    st.button(
        f"Add {words.count(len(prepared.wanted), 'row')}",
        key="batch_add",
        type="primary",
        icon=":material/playlist_add:",
        disabled=bool(prepared.problems),
        on_click=once(
            partial(add_rows, runtime, batch, prepared),
            partial(show_added, len(prepared.wanted)),
        ),
    )
    st.caption(words.added_text(batch))


def _prepared(
    runtime: Runtime,
    found: Source,
    workflow: Workflow,
    earlier: tuple[Row, ...] = (),
    before: str = "",
) -> Prepared | None:
    column = topic_column(found, before)
    if column is None:
        return None
    keep = keeps_duplicates(found)
    try:
        fills = variable_columns(found, workflow)
        about = (found.about, workflow, column, fills, keep, len(earlier), earlier[-1:])
        known = st.session_state.get(_KNOWN)
        if known is None or known[0] != about:
            made = prepare(
                found.table,
                workflow,
                column,
                fills=fills,
                keep_duplicates=keep,
                limits=runtime.settings.bounds,
                earlier=earlier,
            )
            known = (about, made)
            # A long list is not gone through again at each click.
            st.session_state[_KNOWN] = known
    except FanoutError as error:
        st.error(label(str(error), 600), icon=":material/error:")
        return None
    prepared: Prepared = known[1]
    return prepared


def _problems(prepared: Prepared) -> None:
    for problem in prepared.problems:
        st.error(label(problem, 600), icon=":material/error:")


def _start(
    runtime: Runtime,
    found: Source,
    prepared: Prepared,
    workflow: Workflow,
    model: ModelRef,
    foreseen: Mapping[str, object],
    *,
    kept: bool,
) -> None:
    """`kept`: its budget can be; without, nothing starts."""
    wanted = len(prepared.wanted)
    pasted_title = words.count(wanted, "pasted line")
    key = f"{FORM}-title-{found.about}"
    st.text_input(
        "Title",
        key=key,
        placeholder=found.name or pasted_title,
        max_chars=LONGEST_TITLE,
        width=480,
    )
    _problems(prepared)

    def go(*, trial: bool) -> BatchId | None:
        # What was typed last arrives together with the click, so it is read here.
        if not unchanged(found):
            say("The lines have changed. Look at their rows below, then start.", wrong=True)
            return None
        title = (st.session_state[key] or "").strip() or found.name or pasted_title
        now = typed_pace(runtime, model)
        return begin(runtime, prepared, workflow, model, now, title, foreseen, trial=trial)

    begun = once(go, show_begun)
    with st.container(horizontal=True, vertical_alignment="center", key="batch_go", gap="small"):
        if wanted > FIRST:
            st.button(
                f"Try the first {FIRST} rows",
                key="batch_try",
                icon=":material/science:",
                disabled=not kept,
                help="Really asks them. They become part of the batch; the others are held back "
                "until you start them, and the estimate gets sharper.",
                on_click=partial(begun, trial=True),
            )
        st.button(
            f"Start {words.count(wanted, 'row')}",
            key="batch_start",
            type="primary",
            icon=":material/play_arrow:",
            disabled=bool(prepared.problems) or not kept,
            on_click=partial(begun, trial=False),
        )
