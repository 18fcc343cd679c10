"""While a run is live: say so, look every two seconds, and draw the page again when it is done."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from components.compare.sides import Side
from components.plain import label

LOOK_S = 2.0


def waiting(sides: Sequence[Side], *, named: bool = True) -> None:
    """Draw the notice; nothing where every run has ended. Unnamed, it doesn't tell which is."""
    live = [one for one in sides if one.live]
    if live:
        st.fragment(_look, run_every=LOOK_S)(live, named)


def _look(live: Sequence[Side], named: bool) -> None:
    if any(one.handle.snapshot.status.finished for one in live) and (
        named or all(one.handle.snapshot.status.finished for one in live)
    ):
        st.rerun()
    names = ", ".join(dict.fromkeys(one.name for one in live)) if named else "A run"
    st.info(
        f"{label(names, 200)}: still running. This page is drawn again as soon as it is done.",
        icon=":material/hourglass_top:",
    )
