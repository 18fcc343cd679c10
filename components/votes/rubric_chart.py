"""Dots and ranges: every judge's score for every criterion on the rubric's scale."""

from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go

from components.figure import bars
from components.plain import figure_text
from components.votes.cast import Cast, Voter
from fanout.voting.plans import Rubric
from fanout.voting.scores import CriterionScore, Scores
from fanout.voting.words import score_text

ROW_PX = 26
"""Height that each judge needs in each row, so that equal scores don't hide each other."""
_INK = {False: "#ffffff", True: "#16181d"}
_LINE = {False: "#9a958b", True: "#6b7280"}


def rubric_chart(cast: Cast, plan: Rubric, result: Scores, *, dark: bool) -> go.Figure:
    """A row per criterion; within it a lane for each judge."""
    judges = [voter for voter in cast.voters if voter.valid]
    labels = [_label(row) for row in result.criteria]
    figure = bars(labels, "score")
    lane = 0.7 / max(1, len(judges))
    figure.update_layout(height=70 + len(labels) * max(48, ROW_PX * len(judges)))
    rows = list(range(len(labels)))
    figure.update_yaxes(
        type="linear",
        autorange=False,
        range=[len(labels) - 0.5, -0.5],
        tickvals=rows,
        ticktext=labels,
        zeroline=False,
        showgrid=False,
    )
    low, high = plan.scale.low, plan.scale.high
    room = (high - low) * 0.06
    figure.update_xaxes(range=[low - room, high + room], zeroline=False)
    if high - low <= 10:
        figure.update_xaxes(dtick=1)
    for y, row in zip(rows, result.criteria, strict=True):
        _range(figure, y, row, dark=dark)
    for i, judge in enumerate(judges):
        _dots(figure, judge, (i - (len(judges) - 1) / 2) * lane, result, dark=dark)
    return figure


def rubric_frame(result: Scores) -> pd.DataFrame:
    """A row per criterion, then the weighted overall score."""
    rows = result.criteria
    frame = pd.DataFrame(
        {
            "Criterion": [row.criterion.title for row in rows] + ["Overall"],
            "Weight": [f"{row.criterion.weight:g}" for row in rows] + [""],
            "Mean": [score_text(row.mean) for row in rows] + [score_text(result.overall)],
            "Median": [score_text(row.median) for row in rows] + [""],
            "Range": [_span(row) for row in rows] + [""],
            "Spread (SD)": [score_text(row.std) for row in rows] + [""],
            "Judges": [str(row.n) for row in rows] + [str(result.valid)],
            "Note": ["disputed" if row.disagreement else "" for row in rows] + [""],
        }
    )
    weightless = len({row.criterion.weight for row in rows}) == 1
    quiet = [] if any(frame["Note"]) else ["Note"]
    return frame.drop(columns=[*(["Weight"] if weightless else []), *quiet])


def _label(row: CriterionScore) -> str:
    title = figure_text(row.criterion.title, 18)
    return f"{title}<br>disputed" if row.disagreement else title


def _range(figure: go.Figure, y: int, row: CriterionScore, *, dark: bool) -> None:
    if row.low is None or row.high is None or row.mean is None:
        return
    line = {"color": _LINE[dark], "width": 3}
    figure.add_scatter(x=[row.low, row.high], y=[y, y], mode="lines", line=line, hoverinfo="skip")
    figure.add_scatter(
        x=[row.mean, row.mean],
        y=[y - 0.38, y + 0.38],
        mode="lines",
        line={**line, "width": 2},
        hovertemplate=f"mean {row.mean:.1f}<extra></extra>",
    )


def _dots(figure: go.Figure, judge: Voter, shift: float, result: Scores, *, dark: bool) -> None:
    scores = judge.ballot.scores if judge.ballot else {}
    given = [
        (scores[row.criterion.id], y + shift)
        for y, row in enumerate(result.criteria)
        if row.criterion.id in scores
    ]
    figure.add_scatter(
        x=[score for score, _ in given],
        y=[y for _, y in given],
        mode="markers+text",
        text=[judge.mark] * len(given),
        textfont={"color": _INK[dark], "size": 11},
        marker={"color": judge.colour, "size": 19},
        hovertemplate=f"{figure_text(judge.name)}: %{{x}}<extra></extra>",
    )


def _span(row: CriterionScore) -> str:
    if row.low is None or row.high is None:
        return "–"
    return f"{row.low:g}" if row.low == row.high else f"{row.low:g} to {row.high:g}"
