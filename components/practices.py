"""The best practices of going parallel as this run kept them: each a number, and what to do."""

from __future__ import annotations

from heapq import nlargest

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from components.palette import letter
from components.plain import cells, label
from fanout.insight.independence import Independence
from fanout.insight.practice import Level, Practice
from fanout.insight.practices import measured, run_independence
from fanout.snapshot import Snapshot

_MARKS: dict[Level, tuple[str, str]] = {
    "good": (":material/check_circle:", "Good"),
    "watch": (":material/visibility:", "Worth a look"),
    "bad": (":material/priority_high:", "Do something"),
    "unknown": (":material/remove:", "Not measured"),
}
ROW_PX = 34
MARGIN_PX = 96
MOST_SQUARE = 30
"""Of more branches the map shows those that are closest to another one."""
MOST_PAIRS = 1000


def practices_panel(snapshot: Snapshot, *, dark: bool) -> None:
    """Every measure with its reading and its advice; then which branches repeat each other."""
    st.subheader("How well it went parallel", anchor=False)
    found = run_independence(snapshot)
    with st.grid(min_column_width=300, key="practices"):
        for practice in measured(snapshot, snapshot.at, found):
            _card(practice)
    if found is not None:
        _repetition(found, snapshot, dark=dark)


def _card(practice: Practice) -> None:
    icon, word = _MARKS[practice.level]
    with st.container(border=True, key=f"practice-{practice.id}", height="stretch", gap="xsmall"):
        st.metric(label(practice.title), practice.value)
        st.markdown(f":gray[{icon} {word}]")
        st.markdown(label(practice.reading, 400))
        if practice.advice:
            st.caption(label(practice.advice, 400))


def _repetition(found: Independence, snapshot: Snapshot, *, dark: bool) -> None:
    chart, table = st.columns(2, gap="medium")
    with chart:
        st.plotly_chart(
            heat_map(found, snapshot, dark=dark),
            key="repetition",
            config={"displayModeBar": False},
            alt="How close each two branches are in wording, from 0 to 100 %",
        )
    with table:
        st.dataframe(
            cells(closeness_frame(found)),
            key="repetition_table",
            hide_index=True,
            alt="How close each two branches are in wording, as a table",
        )
        st.caption(_caption(found, snapshot))


def heat_map(found: Independence, snapshot: Snapshot, *, dark: bool) -> go.Figure:
    """Branches by branches, darker where they share more wording; every cell says its number."""
    shown = _closest(found)
    names = [_name(found.titles[i], snapshot) for i in shown]
    percent = [[round(100 * found.matrix[i][j]) for j in shown] for i in shown]
    scale = ["#14202b", "#5aa9e6"] if dark else ["#f4f7fa", "#2f6f9f"]
    trace = {
        "type": "heatmap",
        "z": percent,
        "x": names,
        "y": names,
        "zmin": 0,
        "zmax": 100,
        "text": percent,
        "texttemplate": "%{text} %" if len(names) <= 8 else "",
        "hovertemplate": "%{y} and %{x}: %{z} %<extra></extra>",
        "showscale": False,
        "colorscale": [[0, scale[0]], [1, scale[1]]],
        "xgap": 2,
        "ygap": 2,
    }
    axis = {"fixedrange": True, "automargin": True}
    # All at once: each change to a figure makes Plotly look at the whole of it again.
    return go.Figure(
        data=[trace],
        layout={
            "height": MARGIN_PX + ROW_PX * len(names),
            "margin": {"l": 4, "r": 8, "t": 8, "b": 40},
            "xaxis": axis,
            "yaxis": {**axis, "autorange": "reversed"},
        },
    )


def _closest(found: Independence) -> list[int]:
    """Places of the branches to draw, in their order."""
    closest = {
        i: max((value for j, value in enumerate(row) if j != i), default=0.0)
        for i, row in enumerate(found.matrix)
    }
    return sorted(nlargest(MOST_SQUARE, closest, key=closest.__getitem__))


def closeness_frame(found: Independence) -> pd.DataFrame:
    """Each two branches once, the closest first; of very many only those."""
    pairs = nlargest(
        MOST_PAIRS,
        (
            (one, other, found.matrix[i][j])
            for i, one in enumerate(found.titles)
            for j, other in enumerate(found.titles)
            if i < j
        ),
        key=lambda pair: pair[2],
    )
    return pd.DataFrame(
        [
            {"Branch": one, "And": other, "Shared wording": f"{value:.0%}"}
            for one, other, value in pairs
        ]
    )


def _name(title: str, snapshot: Snapshot) -> str:
    place = next(i for i, branch in enumerate(snapshot.branches) if branch.title == title)
    short = title if len(title) <= 16 else f"{title[:15]}…"
    return f"{letter(place)} {short}"


def _caption(found: Independence, snapshot: Snapshot) -> str:
    words = (
        "Wording only: two texts that say the same in other words look different here. "
        "An endpoint with an embedding model is measured by meaning too."
    )
    if snapshot.meaning is not None and found.meaning_effective is not None:
        words = (
            f"By meaning ({label(snapshot.meaning.model)}) they amount to "
            f"{found.meaning_effective:.1f} different answers of {found.of}, by wording to "
            f"{found.effective:.1f}. What the embeddings cost is not in the run's cost."
        )
    if len(found.titles) > MOST_SQUARE:
        words += f" The map shows the {MOST_SQUARE} branches that are closest to another one."
    if found.closest.phrase:
        words += f" Longest phrase that two share: “{label(found.closest.phrase, 120)}”."
    return words
