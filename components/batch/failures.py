"""Rows that failed, grouped by why, with a button that shows just those in the table."""

from __future__ import annotations

import streamlit as st

from components.batch import words
from components.plain import label
from fanout.batches import Batch, FailureGroup, Progress
from fanout.types import FailureKind

NO_CAUSE = "unknown"


def cause_key(batch: Batch) -> str:
    return f"batch_cause-{batch.id}"


def failures(batch: Batch, progress: Progress) -> None:
    """Draw them; nothing where no row failed."""
    if not progress.failures:
        st.session_state.pop(cause_key(batch), None)
        return
    total = sum(group.count for group in progress.failures)
    st.markdown(f"**{words.count(total, 'row')} with a failure**, by cause")
    for group in progress.failures:
        _group(batch, group)


def _group(batch: Batch, group: FailureGroup) -> None:
    name = group.cause.value if group.cause is not None else NO_CAUSE
    shown = st.session_state.get(cause_key(batch)) == name
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.button(
            f"{words.cause_text(group)} · {words.count(group.count, 'row')}",
            key=f"cause-{batch.id}-{name}",
            icon=":material/filter_alt_off:" if shown else ":material/filter_alt:",
            help="Show all rows again" if shown else "Show these rows in the table",
            on_click=_toggle,
            args=(batch, name),
        )
        st.caption(label(group.message, 220))


def _toggle(batch: Batch, name: str) -> None:
    key = cause_key(batch)
    st.session_state[key] = None if st.session_state.get(key) == name else name


def cause_shown(batch: Batch) -> FailureKind | None:
    """The cause whose rows are to be shown; None: whatever it is."""
    name = st.session_state.get(cause_key(batch))
    return FailureKind(name) if name in set(FailureKind) else None
