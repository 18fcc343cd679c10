"""The texts side by side: as they read, or with what sets each apart from the first one marked."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from components.compare.marked import (
    TELLING,
    compared,
    difference_html,
    difference_words,
    text_html,
)
from components.compare.sides import COMBINED, Side, Subject, said, subjects
from components.plain import label, shortened
from fanout.render.words import run_word, state_word
from fanout.types import BranchState

COLUMN_PX = 270
"""At least; four of them fit a desktop window."""
AS_TEXT, AS_DIFFERENCE = "As they read", "Differences"
ALL = 0


def texts(sides: Sequence[Side]) -> None:
    """Draw the choice of text, the switch, and a column per side."""
    subject = Subject(id=COMBINED, title="Combined answer")
    with st.container(horizontal=True, vertical_alignment="bottom", key="compare_controls"):
        if not all(one.call for one in sides):
            offered = {one.id: one for one in subjects(sides)}
            chosen = st.selectbox(
                "Text",
                list(offered),
                key="compare_text",
                format_func=lambda name: shortened(offered[name].title, 60),
                width=280,
            )
            subject = offered.get(chosen, subject)
        way = st.segmented_control(
            "Show texts",
            [AS_TEXT, AS_DIFFERENCE],
            key="compare_way",
            default=AS_TEXT,
            required=True,
        )
        only = st.segmented_control(
            "Side",
            [ALL, *(one.number for one in sides)],
            key="compare_side",
            default=ALL,
            required=True,
            format_func=lambda number: "All" if number == ALL else str(number),
        )
    held = [said(one, subject, sides) for one in sides]
    if way == AS_DIFFERENCE:
        st.caption(
            f"Each text against {label(sides[0].name)}. Underlined: only here. Struck through: "
            "only there. Dotted: the same words in another place."
        )
    with st.grid(len(sides), min_column_width=COLUMN_PX, key="compare_texts"):
        for one, text in zip(sides, held, strict=True):
            if only in (ALL, one.number):
                with st.container(border=True, key=f"compare-side-{one.number}"):
                    _column(one, text, held[0], subject, marked=way == AS_DIFFERENCE)


def _column(
    one: Side, text: str | None, first: str | None, subject: Subject, *, marked: bool
) -> None:
    st.markdown(f"**{label(one.name)}**")
    if text is None or not text.strip():
        st.caption(_why_empty(one, subject))
        return
    name = f"{subject.title} of {one.name}" if not one.call else one.name
    if one.live:
        st.caption(":material/hourglass_top: Still running: this is what there was a moment ago.")
    if not marked or one.number == 1 or not first:
        if marked and one.number > 1:
            st.caption("There is no first text to compare it with.")
        st.html(text_html(text, name))
        return
    found = compared(first, text)
    st.caption(label(difference_words(found), 200))
    if found.similarity < TELLING:
        st.caption("They share so little that word by word says next to nothing.")
    st.html(difference_html(found, name))


def _why_empty(one: Side, subject: Subject) -> str:
    if one.live:
        return ":material/hourglass_top: Still running: nothing of this is written yet."
    if one.call:
        return f"This call has no text: {state_word(_state(one)).lower()}."
    if subject.id == COMBINED:
        how = run_word(one.snapshot.status).lower()
        return f"This run has no combined answer: {how}."
    return f"This run has no {label(subject.title)}."


def _state(one: Side) -> BranchState:
    found = next((call for call in one.snapshot.calls if call.id == one.call), None)
    return found.state if found is not None else BranchState.READY
