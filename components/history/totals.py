"""What all the runs that fit come to, in one line; and over time, as charts with their numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from components.figure_row import figure_row
from components.history.words import count, long_text
from components.palette import DARK, LIGHT
from components.plain import label
from fanout.render.words import usd_text
from fanout.store.values import DayTotal

_DAYS, _WEEKS = 45, 240
"""Up to how many days each day has its bar, and each week."""
HONEST = (
    "Saved is the sum of the calls' own times minus the time the runs took. Calls that share one "
    "machine slow each other down, so that for models on this machine the sum flatters; an "
    "endpoint with hardware for each call brings the full gain."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """A day, a week or a month, and what its runs come to."""

    name: str
    runs: int
    wall_s: float
    sequential_s: float
    cost_usd: Decimal
    unknown_cost: int

    tick: str
    """Its name in a word, for the axis of a chart."""

    @property
    def saved_s(self) -> float:
        return max(0.0, self.sequential_s - self.wall_s)


def totals_line(days: Sequence[DayTotal], total: int) -> None:
    """Draw "312 runs · 4 h 10 min saved · $3.20 spent"; `total` is counted apart from the days."""
    whole = _sum(date.min, "", days)
    parts = [f"**{count(total, 'run')}**"]
    if whole.saved_s >= 0.05:
        parts.append(f"**{long_text(whole.saved_s)} saved** against one after another")
    parts.append(label(spent(whole)))
    st.markdown(" · ".join(parts), help=HONEST)


def spent(period: Period) -> str:
    """ "$3.20 spent, and 12 runs whose cost is unknown"."""
    known = f"{usd_text(period.cost_usd)} spent" if period.cost_usd else "nothing spent"
    if not period.unknown_cost:
        return known
    runs = count(period.unknown_cost, "run")
    if period.unknown_cost == period.runs:
        return "cost unknown"
    return f"{known}, and {runs} whose cost is unknown"


def over_time(days: Sequence[DayTotal]) -> None:
    """Two charts with their tables, drawn when they are asked for."""
    with st.expander(
        "Time and money over time",
        icon=":material/bar_chart:",
        key="history_over_time",
        on_change="rerun",
    ) as area:
        if not area.open:
            return
        rows, unit = periods(days)
        dark = st.context.theme.type == "dark"
        colours = DARK if dark else LIGHT
        figure_row(
            _times(rows, colours[0], colours[2]),
            _times_frame(rows, unit),
            key="history_times",
            alt=f"Time that runs took and that they saved, per {unit}",
            note=HONEST,
        )
        money = any(row.cost_usd for row in rows)
        figure_row(
            _money(rows, colours[1]) if money else None,
            _money_frame(rows, unit),
            key="history_money",
            alt=f"Money spent on runs with a known cost, per {unit}",
            note="Only runs whose cost is known are in the sum. Days begin at midnight UTC."
            if money
            else "These runs cost nothing that is known.",
        )


def periods(days: Sequence[DayTotal]) -> tuple[list[Period], str]:
    """The days, or weeks or months where there would be too many, oldest first; and which."""
    dated = sorted(((date.fromisoformat(day.day), day) for day in days), key=lambda pair: pair[0])
    span = (dated[-1][0] - dated[0][0]).days if dated else 0
    unit = "day" if span <= _DAYS else "week" if span <= _WEEKS else "month"
    groups: dict[date, list[DayTotal]] = {}
    for when, day in dated:
        groups.setdefault(_first(when, unit), []).append(day)
    return [_sum(first, unit, group) for first, group in groups.items()], unit


def _first(when: date, unit: str) -> date:
    if unit == "week":
        return when - timedelta(days=when.weekday())
    return when.replace(day=1) if unit == "month" else when


def _sum(first: date, unit: str, days: Sequence[DayTotal]) -> Period:
    day = f"{first:%Y-%m-%d}"
    names = {"week": f"week of {day}", "month": day[:7]}
    return Period(
        name=names.get(unit, day),
        tick=day[:7] if unit == "month" else f"{first.day} {first:%b}",
        runs=sum(day.runs for day in days),
        wall_s=sum(day.wall_s for day in days),
        sequential_s=sum(day.sequential_s for day in days),
        cost_usd=sum((day.cost_usd for day in days), Decimal(0)),
        unknown_cost=sum(day.unknown_cost for day in days),
    )


def _times(rows: Sequence[Period], took: str, saved: str) -> go.Figure:
    most = max((row.wall_s + row.saved_s for row in rows), default=0.0)
    per, unit = (
        (3600.0, "hours") if most >= 7200 else (60.0, "minutes") if most >= 120 else (1, "s")
    )
    figure = _columns(unit)
    for title, colour, pattern, values in (
        ("Took", took, "", [row.wall_s for row in rows]),
        ("Saved", saved, "/", [row.saved_s for row in rows]),
    ):
        figure.add_trace(
            {
                "type": "bar",
                "name": title,
                "x": [row.tick for row in rows],
                "y": [value / per for value in values],
                "customdata": [
                    f"{row.name}: {title.lower()} {long_text(value)}"
                    for row, value in zip(rows, values, strict=True)
                ],
                "marker": {"color": colour, "pattern": {"shape": pattern}},
                "hovertemplate": "%{customdata}<extra></extra>",
            }
        )
    return figure


def _money(rows: Sequence[Period], colour: str) -> go.Figure:
    figure = _columns("US dollars")
    figure.add_trace(
        {
            "type": "bar",
            "name": "Spent",
            "x": [row.tick for row in rows],
            "y": [float(row.cost_usd) for row in rows],
            "customdata": [f"{row.name}: {usd_text(row.cost_usd)}" for row in rows],
            "marker": {"color": colour},
            "hovertemplate": "%{customdata}<extra></extra>",
        }
    )
    return figure


def _columns(title: str) -> go.Figure:
    return go.Figure(
        layout={
            "barmode": "stack",
            "height": 280,
            "bargap": 0.3,
            "margin": {"l": 4, "r": 8, "t": 8, "b": 8},
            "legend": {"orientation": "h", "traceorder": "normal", "y": 1.14, "x": 0},
            "xaxis": {"type": "category", "automargin": True, "fixedrange": True, "nticks": 8},
            "yaxis": {
                "title": {"text": title},
                "automargin": True,
                "fixedrange": True,
                "rangemode": "tozero",
            },
        }
    )


def _times_frame(rows: Sequence[Period], unit: str) -> pd.DataFrame:
    newest = list(reversed(rows))
    return pd.DataFrame(
        {
            unit.capitalize(): [row.name for row in newest],
            "Runs": [row.runs for row in newest],
            "Took": [long_text(row.wall_s) for row in newest],
            "One after another": [long_text(row.sequential_s) for row in newest],
            "Saved": [long_text(row.saved_s) for row in newest],
        }
    )


def _money_frame(rows: Sequence[Period], unit: str) -> pd.DataFrame:
    newest = list(reversed(rows))
    return pd.DataFrame(
        {
            unit.capitalize(): [row.name for row in newest],
            "Runs": [row.runs for row in newest],
            "Spent": [usd_text(row.cost_usd) if row.cost_usd else "–" for row in newest],
            "Cost unknown": [
                count(row.unknown_cost, "run") if row.unknown_cost else "–" for row in newest
            ],
        }
    )
