"""The timeline: on one clock, when each call was queued, waited, wrote and backed off."""

from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go

from components.calls import colours, figure_names, names
from components.figure import add_bars, bars, faded
from fanout.insight.stretches import Part, spent, stretches
from fanout.render.live_words import ALWAYS_TOLD, PART_HEADS, PART_WORDS, hedge_text
from fanout.render.words import branch_word
from fanout.snapshot import Snapshot

_PATTERNS = {
    Part.SLOT: "/", Part.RATE: "x", Part.PAUSE: "\\", Part.PREFIX: ".",
    Part.BUDGET: "+", Part.BACKING_OFF: "-",
}  # fmt: skip
"""What stands still is hatched, each reason in its own way."""
_LOOKS = {
    Part.SLOT: "striped",
    Part.RATE: "crossed",
    Part.PAUSE: "striped the other way",
    Part.PREFIX: "dotted",
    Part.BUDGET: "checked",
    Part.BACKING_OFF: "lined",
}


def timeline_chart(snapshot: Snapshot, *, dark: bool) -> go.Figure:
    """Seconds since the run began, a row per call; a diamond where a second request was sent."""
    labels, shades = figure_names(snapshot), colours(snapshot, dark=dark)
    figure = bars(labels, "seconds since the run began")
    drawn: dict[Part, list[tuple[int, float, float]]] = {part: [] for part in Part}
    for i, call in enumerate(snapshot.calls):
        for again in call.goes:
            for one in stretches(again, snapshot.at):
                drawn[one.part].append((i, one.start_s, one.length_s))
    for part, rows in drawn.items():
        if rows:
            _add(figure, part, rows, labels, shades)
    _add_hedges(figure, snapshot, labels, dark=dark)
    return figure


def timeline_note(snapshot: Snapshot) -> str:
    """How to read the chart, for what there is in it."""
    goes = [again for call in snapshot.calls for again in call.goes]
    parts = spent(goes, snapshot.at)
    told = [f"{_LOOKS[part]}: {PART_WORDS[part]}" for part in _LOOKS if parts[part] > 0]
    told += ["pale: waiting for the first token", "full: writing"]
    if any(again.hedges for again in goes):
        told.append("diamond: second request sent")
    line = " · ".join(told)
    return f"{line[:1].upper()}{line[1:]}"


def timeline_frame(snapshot: Snapshot) -> pd.DataFrame:
    """One row per call, in seconds; what nobody waited for has no column."""
    by_call = [spent(call.goes, snapshot.at) for call in snapshot.calls]
    shown = [part for part in Part if part in ALWAYS_TOLD or any(one[part] for one in by_call)]
    return pd.DataFrame(
        {
            "Call": names(snapshot),
            "State": [branch_word(call) for call in snapshot.calls],
            **{PART_HEADS[part]: [round(one[part], 2) for one in by_call] for part in shown},
            "Tries": [sum(again.attempts for again in call.goes) for call in snapshot.calls],
        }
    )


def _add(
    figure: go.Figure,
    part: Part,
    rows: list[tuple[int, float, float]],
    labels: list[str],
    shades: list[str],
) -> None:
    idle = part in _PATTERNS
    colour = [
        shades[i] if idle else faded(shades[i], 1.0 if part is Part.WRITING else 0.35)
        for i, _, _ in rows
    ]
    add_bars(
        figure,
        name=PART_WORDS[part],
        y=[labels[i] for i, _, _ in rows],
        base=[start for _, start, _ in rows],
        x=[seconds for _, _, seconds in rows],
        marker={
            "color": colour,
            "line": {"width": 1 if idle else 0, "color": [shades[i] for i, _, _ in rows]},
            "pattern": {
                # Plotly draws no pattern where the colour under it is transparent.
                "shape": _PATTERNS.get(part, ""),
                "fillmode": "replace",
                "bgcolor": "rgba(0,0,0,0)",
                "size": 6,
                "solidity": 0.25,
            },
        },
        hovertemplate=f"%{{y}}: {PART_WORDS[part]} %{{x:.2f}} s<extra></extra>",
    )


def _add_hedges(figure: go.Figure, snapshot: Snapshot, labels: list[str], *, dark: bool) -> None:
    marks = [
        (labels[i], hedge.sent_s, hedge_text(hedge))
        for i, call in enumerate(snapshot.calls)
        for again in call.goes
        for hedge in again.hedges
    ]
    if not marks:
        return
    ink, ground = ("#eceef2", "#14161b") if dark else ("#16181d", "#ffffff")
    figure.add_trace(
        {
            "type": "scatter",
            "mode": "markers",
            "name": "second request",
            "y": [label for label, _, _ in marks],
            "x": [at for _, at, _ in marks],
            "text": [text for _, _, text in marks],
            "marker": {
                "symbol": "diamond",
                "size": 10,
                "color": ground,
                "line": {"width": 2, "color": ink},
            },
            "hovertemplate": "%{y}: %{text}, %{x:.2f} s<extra></extra>",
        }
    )
