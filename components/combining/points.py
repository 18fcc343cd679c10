"""The points of a guided synthesis: proposed by the model, ticked by a person, or their own."""

from __future__ import annotations

import streamlit as st

from components.plain import label
from fanout.engine.handle import RunHandle
from fanout.snapshot import Aggregate, Snapshot
from fanout.workflows.combining.guided import proposed_points


def proposal(snapshot: Snapshot) -> tuple[Aggregate, tuple[str, ...]] | None:
    """The newest answer whose points were proposed, and these; None before there is one."""
    for made in reversed(snapshot.aggregates):
        if made.kind == "guided" and made.before and made.before[0].state.succeeded:
            points = proposed_points(made.before[0].text)
            if points:
                return made, points
    return None


def being_proposed(snapshot: Snapshot) -> bool:
    return any(
        made.kind == "guided" and any(not call.state.finished for call in made.before)
        for made in snapshot.aggregates
    )


def points_fields(handle: RunHandle) -> tuple[str, ...] | None:
    """What is ticked, then the person's own; None while nothing has been proposed."""
    found = proposal(handle.snapshot)
    if found is None:
        return None
    made, proposed = found
    st.markdown("**Points to write about**")
    ticked = [
        point
        for i, point in enumerate(proposed)
        if st.checkbox(
            label(point, 200),
            value=True,
            key=f"combine-{handle.id}-{made.id}-point-{i}",
            persist_state="session",
        )
    ]
    own = st.text_area(
        "Your own points, one per line",
        key=f"combine-{handle.id}-own_points",
        height=68,
        persist_state="session",
    )
    return tuple(dict.fromkeys([*ticked, *lines(own)]))


def lines(text: str | None) -> tuple[str, ...]:
    """One entry per line that says something."""
    stripped = (line.strip(" \t-*•") for line in (text or "").splitlines())
    return tuple(dict.fromkeys(line for line in stripped if line))
