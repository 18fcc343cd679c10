"""Rows that failed, grouped by why, with buttons that show just those or try them again."""

from __future__ import annotations

import streamlit as st

from components.batch import words
from components.batch.said import say, tried
from components.plain import label
from components.session import wake_worker
from fanout.batches import Batch, BatchState, FailureGroup, Progress, RowState
from fanout.engine.runtime import Runtime
from fanout.types import FailureKind

NO_CAUSE = "unknown"
AGAIN = (RowState.FAILED, RowState.PARTIAL)
_HALTED = (BatchState.PAUSED, BatchState.STOPPED)


def failures(runtime: Runtime, batch: Batch, progress: Progress) -> None:
    """Draw them; nothing where every row that has ended was answered."""
    failed, partial = (progress.counts.get(state, 0) for state in AGAIN)
    if not failed + partial:
        st.session_state.pop(_key(batch), None)
        return
    parts = [f"{words.count(failed, 'row')} failed"] if failed else []
    parts += [f"{words.count(partial, 'row')} answered in part"] if partial else []
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(f"**{', '.join(parts)}**", width="content")
        st.button(
            f"Retry {words.count(failed + partial, 'row')}",
            key="batch_retry",
            icon=":material/refresh:",
            help=_help(batch, progress),
            on_click=_again,
            args=(runtime, batch),
        )
    for group in progress.failures:
        _group(batch, group)


def cause_shown(batch: Batch) -> FailureKind | None:
    """The cause whose rows are to be shown; None: whatever it is."""
    name = st.session_state.get(_key(batch))
    return FailureKind(name) if name in set(FailureKind) else None


def _group(batch: Batch, group: FailureGroup) -> None:
    name = group.cause.value if group.cause is not None else NO_CAUSE
    shown = st.session_state.get(_key(batch)) == name
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.button(
            f"{words.cause_text(group)} · {words.count(group.count, 'row')}",
            key=f"cause-{batch.id}-{name}",
            icon=":material/filter_alt_off:" if shown else ":material/filter_alt:",
            help="Show all rows again" if shown else "Show these rows in the table",
            disabled=group.cause is None,
            on_click=_toggle,
            args=(batch, name),
        )
        st.caption(label(group.message, 220))


def _toggle(batch: Batch, name: str) -> None:
    key = _key(batch)
    st.session_state[key] = None if st.session_state.get(key) == name else name


def _help(batch: Batch, progress: Progress) -> str:
    told = "What these rows have is kept and not paid again."
    if batch.state in _HALTED and progress.halted_left:
        return f"{told} They wait until the batch is resumed, like the other rows that wait."
    return told


def _again(runtime: Runtime, batch: Batch) -> None:
    batches, asked = runtime.store.batches, [0]

    def again() -> None:
        asked[0] = batches.retry(batch.id, AGAIN)

    if tried(again):
        now = batches.get(batch.id)
        if asked[0] and now is not None and now.state in _HALTED:
            say(words.waiting_again(asked[0], batches.progress(batch.id)))
        wake_worker()


def _key(batch: Batch) -> str:
    return f"batch_cause-{batch.id}"
