"""Where each cited passage stood: a column per strategy, the fused list first."""

from __future__ import annotations

from typing import TypeAlias

import plotly.graph_objects as go

from components.found_passages import Findings
from components.palette import AGGREGATE_COLOUR, branch_colour, letter
from components.plain import figure_text
from fanout.retrieval.passages import Fused

ROW_PX = 34
MARKER_PX = 24
LINE = {False: "rgba(92,99,112,0.28)", True: "rgba(163,170,184,0.30)"}
PALE = {False: "#d9d5cd", True: "#3a404b"}
MISSING = "not found"
Trace: TypeAlias = dict[str, object]
"""In the words of Plotly's reference for `scatter`."""


def research_chart(found: Findings, *, dark: bool) -> go.Figure:
    """Rank downwards; the number in a dot is the citation, a small dot a passage not cited."""
    columns = ["Fused", *(letter(one.column) for one in found.strategies)]
    deepest = max(
        [len(found.cited), *(hit.rank for one in found.strategies for hit in one.branch.hits)],
        default=1,
    )
    floor = deepest + 1
    figure = go.Figure(layout=_layout(columns, deepest))
    for number, one in enumerate(found.cited, 1):
        figure.add_trace(_line(number, one, found, columns, floor, dark=dark))
    figure.add_trace(_uncited(found, dark=dark))
    for i, name in enumerate(columns):
        figure.add_trace(_dots(i, name, found, floor, dark=dark))
    return figure


def _ranks(one: Fused, number: int, found: Findings, floor: int) -> list[int]:
    ranks = [one.found_by.get(each.branch.id, floor) for each in found.strategies]
    return [number, *ranks]


def _line(
    number: int, one: Fused, found: Findings, columns: list[str], floor: int, *, dark: bool
) -> Trace:
    return {
        "type": "scatter",
        "x": columns,
        "y": _ranks(one, number, found, floor),
        "mode": "lines",
        "line": {"color": LINE[dark], "width": 2},
        "hoverinfo": "skip",
    }


def _dots(i: int, name: str, found: Findings, floor: int, *, dark: bool) -> Trace:
    """The cited passages of one column; those it did not find stand nowhere but in the lines."""
    places = [
        (number, _ranks(one, number, found, floor)[i], one)
        for number, one in enumerate(found.cited, 1)
    ]
    shown = [place for place in places if place[1] < floor]
    colour = (
        AGGREGATE_COLOUR[dark]
        if i == 0
        else branch_colour(found.strategies[i - 1].column, dark=dark)
    )
    title = "Fused" if i == 0 else found.strategies[i - 1].name
    return {
        "type": "scatter",
        "x": [name] * len(shown),
        "y": [rank for _, rank, _ in shown],
        "mode": "markers+text",
        "marker": {"size": MARKER_PX, "color": colour, "line": {"width": 0}},
        "text": [str(number) for number, _, _ in shown],
        "textfont": {"color": "#14161b" if dark else "#ffffff", "size": 12},
        "customdata": [figure_text(one.passage.title, 50) for _, _, one in shown],
        "hovertemplate": f"[%{{text}}] %{{customdata}}<br>{figure_text(title)}: rank %{{y}}"
        "<extra></extra>",
    }


def _uncited(found: Findings, *, dark: bool) -> Trace:
    cited = {one.passage.id for one in found.cited}
    rest = [
        (letter(one.column), hit)
        for one in found.strategies
        for hit in one.branch.hits
        if hit.passage.id not in cited
    ]
    return {
        "type": "scatter",
        "x": [column for column, _ in rest],
        "y": [hit.rank for _, hit in rest],
        "mode": "markers",
        "marker": {"size": 9, "color": PALE[dark]},
        "customdata": [figure_text(hit.passage.title, 50) for _, hit in rest],
        "hovertemplate": "not cited: %{customdata}<br>rank %{y}<extra></extra>",
    }


def _layout(columns: list[str], deepest: int) -> dict[str, object]:
    ranks = list(range(1, deepest + 1))
    return {
        "showlegend": False,
        "height": 70 + ROW_PX * (deepest + 1),
        "margin": {"l": 4, "r": 8, "t": 36, "b": 8},
        "xaxis": {
            "type": "category",
            "categoryorder": "array",
            "categoryarray": columns,
            "side": "top",
            "fixedrange": True,
            "showgrid": False,
            "tickangle": 0,
            "title": {"text": ""},
        },
        "yaxis": {
            "range": [deepest + 1.6, 0.4],
            "tickvals": [*ranks, deepest + 1],
            "ticktext": [*map(str, ranks), MISSING],
            "fixedrange": True,
            "zeroline": False,
            "automargin": True,
            "title": {"text": ""},
        },
    }
