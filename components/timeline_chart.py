"""The timeline: on one clock, when each call was queued, waited, wrote and backed off."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd
import plotly.graph_objects as go

from components.calls import colours, figure_names, names
from components.figure import add_bars, bars, faded
from fanout.render.words import state_word
from fanout.snapshot import Branch, Snapshot
from fanout.types import BranchState

SHOWN = (BranchState.QUEUED, BranchState.WAITING, BranchState.WRITING, BranchState.RETRYING)


def timeline_chart(snapshot: Snapshot, *, dark: bool) -> go.Figure:
    """Seconds since the run began, a row per call."""
    labels, shades = figure_names(snapshot), colours(snapshot, dark=dark)
    figure = bars(labels, "seconds since the run began")
    for state in SHOWN:
        rows = [
            (i, start, end - start)
            for i, branch in enumerate(snapshot.calls)
            for go in branch.goes
            for phase_state, start, end in _spans(go)
            if phase_state is state and end > start
        ]
        if rows:
            _add(figure, state, rows, labels, shades)
    return figure


def timeline_frame(snapshot: Snapshot) -> pd.DataFrame:
    """One row per call, in seconds."""
    end = snapshot.at
    return pd.DataFrame(
        {
            "Call": names(snapshot),
            "State": [state_word(call.state) for call in snapshot.calls],
            **{
                title: [
                    round(sum(go.spent_s(state, end) for go in call.goes), 2)
                    for call in snapshot.calls
                ]
                for title, state in (
                    ("Queued s", BranchState.QUEUED),
                    ("Waiting s", BranchState.WAITING),
                    ("Writing s", BranchState.WRITING),
                    ("Backing off s", BranchState.RETRYING),
                )
            },
            "Tries": [sum(go.attempts for go in call.goes) for call in snapshot.calls],
        }
    )


def _spans(branch: Branch) -> Iterator[tuple[BranchState, float, float]]:
    ends = [phase.since_s for phase in branch.phases[1:]]
    for phase, end in zip(branch.phases, ends, strict=False):
        yield phase.state, phase.since_s, end


def _add(
    figure: go.Figure,
    state: BranchState,
    rows: list[tuple[int, float, float]],
    labels: list[str],
    shades: list[str],
) -> None:
    idle = state in (BranchState.QUEUED, BranchState.RETRYING)
    colour = [
        "rgba(0,0,0,0)" if idle else faded(shades[i], 1.0 if state is BranchState.WRITING else 0.35)
        for i, _, _ in rows
    ]
    add_bars(
        figure,
        name=state_word(state),
        y=[labels[i] for i, _, _ in rows],
        base=[start for _, start, _ in rows],
        x=[seconds for _, _, seconds in rows],
        marker={
            "color": colour,
            "line": {"width": 1 if idle else 0, "color": [shades[i] for i, _, _ in rows]},
            "pattern": {
                "shape": "/" if idle else "",
                "fgcolor": [shades[i] for i, _, _ in rows],
                "size": 6,
                "solidity": 0.25,
            },
        },
        hovertemplate=f"%{{y}}: {state_word(state).lower()} %{{x:.2f}} s<extra></extra>",
    )
