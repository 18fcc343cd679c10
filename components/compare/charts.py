"""Time, money and course of the sides as small charts on one scale; the table has the numbers."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go
import streamlit as st

from components.compare.measures import frame
from components.compare.sides import Side
from components.figure import add_bars, bars, faded, room_for_text
from components.figure_row import CHART_ONLY
from components.palette import branch_colour
from components.plain import cells, figure_text, label
from components.timeline_chart import timeline_chart
from fanout.insight.speed import speed, total_cost_usd
from fanout.render.words import money_text, seconds_text


def numbers(sides: Sequence[Side], *, dark: bool) -> None:
    """Draw the table, and charts where whole runs are compared."""
    st.subheader("Time, money and how they went", anchor=False)
    st.dataframe(
        cells(frame(sides)),
        key="compare_numbers",
        hide_index=True,
        height="content",
        alt="Time, money and other measures, a column per side",
    )
    st.caption(
        "The better value is named where runs came to their end and where one is better. "
        "Calls that share one machine slow each other down; their sum flatters then."
    )
    if any(one.call for one in sides):
        return
    money = cost_chart(sides, dark=dark)
    with st.grid(1 if money is None else 2, min_column_width=320, key="compare_charts"):
        st.plotly_chart(
            time_chart(sides, dark=dark),
            key="compare_time",
            config=CHART_ONLY,
            alt="Seconds that each run took, and those of its calls one after another",
        )
        if money is not None:
            st.plotly_chart(
                money, key="compare_cost", config=CHART_ONLY, alt="US dollars that each run cost"
            )
    st.caption("Full: the time it took · pale: its calls one after another")
    _timelines(sides, dark=dark)


def time_chart(sides: Sequence[Side], *, dark: bool) -> go.Figure:
    """A bar per run, before a paler one of its calls one after another."""
    names = [figure_text(one.name, 34) for one in sides]
    speeds = [speed(one.snapshot, one.now_s) for one in sides]
    shades = _shades(sides, dark=dark)
    figure = bars(names, "seconds")
    room_for_text(figure, [max(s.wall_s, s.sequential_s) for s in speeds])
    add_bars(
        figure,
        y=names,
        x=[s.sequential_s for s in speeds],
        marker={"color": [faded(shade, 0.3) for shade in shades]},
        hovertemplate="%{y}: %{x:.1f} s one after another<extra></extra>",
    )
    add_bars(
        figure,
        y=names,
        x=[s.wall_s for s in speeds],
        marker={"color": shades},
        hovertemplate="%{y}: %{x:.1f} s<extra></extra>",
    )
    add_bars(
        figure,
        y=names,
        x=[max(s.wall_s, s.sequential_s) for s in speeds],
        marker={"color": "rgba(0,0,0,0)"},
        text=[seconds_text(s.wall_s) for s in speeds],
        textposition="outside",
        hoverinfo="skip",
    )
    return figure


def cost_chart(sides: Sequence[Side], *, dark: bool) -> go.Figure | None:
    """A bar per run; None where nothing cost anything or a price isn't known."""
    costs = [total_cost_usd(one.snapshot) for one in sides]
    dollars = [float(cost or 0) for cost in costs]
    if not any(dollars):
        return None
    names = [figure_text(one.name, 34) for one in sides]
    figure = bars(names, "US dollars")
    figure.update_xaxes(exponentformat="none")
    room_for_text(figure, dollars)
    add_bars(
        figure,
        y=names,
        x=dollars,
        marker={"color": _shades(sides, dark=dark)},
        text=[money_text(cost) for cost in costs],
        textposition="outside",
        hovertemplate="%{y}: %{text}<extra></extra>",
    )
    return figure


def _timelines(sides: Sequence[Side], *, dark: bool) -> None:
    """Every run's calls on the same clock."""
    longest = max((one.snapshot.at for one in sides), default=0.0)
    with st.expander(
        "Timelines", icon=":material/view_timeline:", key="compare_timelines", on_change="rerun"
    ) as it:
        if not it.open:
            return
        st.caption(
            "Hatched: queued or backing off · pale: waiting for the first token · full: writing"
        )
        for one in sides:
            st.markdown(f"**{label(one.name)}**")
            figure = timeline_chart(one.snapshot, dark=dark)
            figure.update_xaxes(range=[0, longest or 1])
            st.plotly_chart(
                figure,
                key=f"compare-timeline-{one.number}",
                config=CHART_ONLY,
                alt=f"When each call of run {one.number} waited and wrote, in seconds",
            )


def _shades(sides: Sequence[Side], *, dark: bool) -> list[str]:
    return [branch_colour(one.number - 1, dark=dark) for one in sides]
