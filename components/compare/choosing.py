"""Which runs stand side by side: search for them, add, take away, choose one call of a run."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import streamlit as st

from components.compare.picks import MOST, Pick, pick
from components.compare.sides import Side
from components.plain import label, shortened
from fanout.engine.runtime import Runtime
from fanout.errors import StoreError
from fanout.render.words import run_word
from fanout.store.values import Question, RunRow

OFFERED = 12
_WHOLE_RUN = ""


def choosing(runtime: Runtime, picks: Sequence[Pick], sides: Sequence[Side]) -> None:
    """Draw what is chosen, with ways to change it, and a search for more."""
    for one, chosen in zip(sides, _places(picks, sides), strict=True):
        _chosen(one, chosen, picks)
    if len(picks) >= MOST:
        st.caption(f"{MOST} are as many as fit side by side. Take one away to add another.")
        return
    text = st.text_input(
        "Find a run",
        key="compare_search",
        placeholder="Words of its topic, its texts, its name",
        icon=":material/search:",
        persist_state="session",
    )
    try:
        found = runtime.store.history.find(Question(text=text or "", limit=OFFERED))
    except StoreError as error:
        st.error(label(str(error), 400), icon=":material/error:")
        return
    if not found.rows:
        st.markdown(
            "No run has these words." if text else "There is no run yet. Start two, then come back."
        )
    for row in found.rows:
        _offer(row, picks)
    if found.total > len(found.rows):
        st.caption(f"{found.total - len(found.rows):,} more; type some words to find others.")


def _offer(row: RunRow, picks: Sequence[Pick]) -> None:
    """A run that was found, and the button that adds it."""
    with st.container(
        horizontal=True, vertical_alignment="center", key=f"compare-found-{row.id}", gap="small"
    ):
        already = Pick(run=row.id) in picks
        st.button(
            "Chosen" if already else "Add",
            key=f"compare-add-{row.id}",
            icon=":material/check:" if already else ":material/add:",
            disabled=already,
            on_click=pick,
            args=([*picks, Pick(run=row.id)],),
            help=f"Add the run about {label(row.topic, 60)}",
        )
        with st.container(gap=None):
            st.markdown(f"**{label(row.label.name or row.topic, 100)}**")
            models = shortened(", ".join(row.models), 60)
            parts = (row.title, models, run_word(row.status), _when(row.started_at))
            st.caption(label(" · ".join(filter(None, parts)), 200))


def _chosen(one: Side, chosen: int, picks: Sequence[Pick]) -> None:
    calls = {_WHOLE_RUN: "The whole run"}
    calls.update({call.id: call.title for call in one.snapshot.calls})
    key = f"compare-part-{one.number}"
    st.session_state[key] = one.call if one.call in calls else _WHOLE_RUN
    with st.container(
        horizontal=True, vertical_alignment="bottom", key=f"compare-pick-{one.number}"
    ):
        st.selectbox(
            label(f"{one.number}: {one.snapshot.title} · {one.snapshot.topic}", 90),
            list(calls),
            key=key,
            format_func=lambda name: shortened(calls[name], 60),
            on_change=_take_part,
            args=(key, chosen, picks),
            width=420,
        )
        st.button(
            "Take away",
            key=f"compare-away-{one.number}",
            icon=":material/close:",
            on_click=pick,
            args=([other for i, other in enumerate(picks) if i != chosen],),
        )


def _take_part(key: str, chosen: int, picks: Sequence[Pick]) -> None:
    part = st.session_state[key]
    pick(
        [Pick(run=p.run, call=part) if i == chosen else p for i, p in enumerate(picks)],
    )


def _places(picks: Sequence[Pick], sides: Sequence[Side]) -> list[int]:
    """Where in the address each side stands; unknown runs have no side."""
    named = list(picks)
    return [named.index(Pick(run=one.snapshot.run_id, call=one.call)) for one in sides]


def _when(started_at: float) -> str:
    return f"{datetime.fromtimestamp(started_at).astimezone():%d %b %Y, %H:%M}"
