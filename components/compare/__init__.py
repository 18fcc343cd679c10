"""Runs side by side: their set-up, what they say, what they took; or two texts judged blind."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from components.compare.blind import blind, seen
from components.compare.charts import numbers
from components.compare.choosing import choosing
from components.compare.marked import STYLE
from components.compare.picks import BLIND, MOST, VIEW, Pick, picked, show_comparison
from components.compare.setup import setup
from components.compare.sides import Side, sides_of
from components.compare.texts import texts
from components.compare.variants import variants
from components.compare.waiting import waiting
from components.plain import label
from fanout.engine.runtime import Runtime
from fanout.errors import StoreError

__all__ = ["comparison", "show_comparison", "variants"]

_SIDE_BY_SIDE = "Side by side"
_BLIND = "Blind vote"


def comparison(runtime: Runtime) -> None:
    """Draw the Compare page for what its address names."""
    picks = picked()
    try:
        sides = _sides(runtime, picks[:MOST])
    except StoreError as error:
        st.error(label(str(error), 400), icon=":material/error:")
        return
    _missing(picks, sides)
    if len(sides) < 2:
        st.markdown(
            "Put two to four runs side by side: their texts with every difference marked, their "
            "times, costs and votes. Or judge two texts without knowing whose they are."
        )
        choosing(runtime, picks, sides)
        return
    st.html(STYLE)
    if _view() == _BLIND:
        blind(runtime, sides)
        return
    seen(sides)
    with st.expander(
        "Choose what is compared",
        icon=":material/checklist:",
        key="compare_choice",
        on_change="rerun",
    ) as choice:
        if choice.open:
            choosing(runtime, picks, sides)
    _headline(sides)
    waiting(sides)
    texts(sides)
    numbers(sides, dark=st.context.theme.type == "dark")
    setup(sides)
    variants(runtime, sides[0].handle, key="compare")


def _sides(runtime: Runtime, picks: Sequence[Pick]) -> tuple[Side, ...]:
    """The picks that there are; a run that is named twice is opened once."""
    handles = {run: runtime.engine.get(run) for run in dict.fromkeys(pick.run for pick in picks)}
    known = [(pick, handle) for pick in picks if (handle := handles[pick.run]) is not None]
    return sides_of(known)


def _missing(picks: Sequence[Pick], sides: Sequence[Side]) -> None:
    """Say what of the address is not here, and what is left of it."""
    known = {one.snapshot.run_id for one in sides}
    for run in dict.fromkeys(pick.run for pick in picks[:MOST] if pick.run not in known):
        st.warning(
            f"Run {label(run)} is not known here: it was deleted, it belongs to another "
            "installation, or the address is incomplete. Ask whoever sent the link, or choose "
            "another run below.",
            icon=":material/search_off:",
        )
    for one in sides:
        if one.call and all(call.id != one.call for call in one.snapshot.calls):
            st.warning(
                f"Run {one.number} has no call named {label(one.call)}. It has: "
                f"{label(', '.join(call.id for call in one.snapshot.calls), 300)}.",
                icon=":material/search_off:",
            )
    if len(picks) > MOST:
        st.warning(
            f"The address names {len(picks)} columns; the first {MOST} are shown.",
            icon=":material/info:",
        )


def _view() -> str:
    """Which of the two views is shown: the address decides, so that both can be linked."""
    st.session_state["compare_view"] = (
        _BLIND if st.query_params.get(VIEW) == BLIND else _SIDE_BY_SIDE
    )
    st.segmented_control(
        "View",
        [_SIDE_BY_SIDE, _BLIND],
        key="compare_view",
        required=True,
        label_visibility="collapsed",
        on_change=_turn,
    )
    return str(st.session_state["compare_view"])


def _turn() -> None:
    if st.session_state["compare_view"] == _BLIND:
        st.query_params[VIEW] = BLIND
    else:
        st.query_params.pop(VIEW, None)


def _headline(sides: Sequence[Side]) -> None:
    topics = list(dict.fromkeys(one.snapshot.topic for one in sides))
    if len(topics) == 1:
        st.header(label(topics[0], 160), anchor=False)
    else:
        st.header(f"{len(sides)} runs, {len(topics)} topics", anchor=False)
