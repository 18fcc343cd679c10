"""The run in one number, and under it what it does and does not mean."""

from __future__ import annotations

import streamlit as st

from components.plain import label
from fanout.insight.speed import speed
from fanout.render.headline import headline as headline_of
from fanout.render.headline import remarks
from fanout.snapshot import Snapshot


def headline(snapshot: Snapshot) -> None:
    """Draw it; nothing while the run is going on."""
    said = headline_of(snapshot)
    if said is None:
        return
    st.header(said["number"], anchor=False)
    parts = [said["gain"]] if said["gain"] else []
    overhead_s = speed(snapshot, snapshot.at).overhead_s
    parts += [label(said["money"]), f"overhead {overhead_s:.2f} s"]
    parts += remarks(snapshot)
    st.caption(" · ".join(filter(None, parts)))
    if snapshot.failure is not None:
        st.error(label(snapshot.failure.message, 600), icon=":material/error:")
    if said["honest"]:
        st.markdown(
            f"**{said['honest']}** The branches "
            "shared its processors and slowed each other down, so the sum of their times "
            "flatters. At the speed the combining call had to itself, this is what they would "
            "have taken. An endpoint with hardware for each call brings the full gain."
        )
