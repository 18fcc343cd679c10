"""The count of a poll: a row for each answer, a block in it for each voter."""

from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go

from components.figure import add_bars, bars, faded
from components.plain import figure_text, shortened
from components.votes.cast import Cast, Voter
from fanout.voting.tally import Tally

ABSTAINED, NOT_NEEDED, MISSING = "abstained", "not needed", "did not vote"
"""Where those stand who don't count."""
_INK = {False: "#ffffff", True: "#16181d"}


def groups(cast: Cast, result: Tally) -> dict[str, list[Voter]]:
    """Each answer with its voters, the most votes first; then those whose votes don't count.

    The latter have a leading blank, so that an answer may be called as they are.
    """
    order = sorted(result.counts, key=lambda option: -result.counts[option])
    found: dict[str, list[Voter]] = {option: [] for option in order}
    for voter in cast.voters:
        found.setdefault(_group(voter), []).append(voter)
    return found


def tally_chart(cast: Cast, result: Tally, *, dark: bool) -> go.Figure:
    """Votes, or weights where the rule counts those."""
    rows = groups(cast, result)
    keys = [str(i) for i in range(len(rows))]
    weighted = result.decided_by.startswith("most weight")
    figure = bars(keys, "weight of the votes" if weighted else "votes")
    labels = [figure_text(_label(name, result), 28) for name in rows]
    figure.update_yaxes(type="category", tickvals=keys, ticktext=labels)
    # A row without a vote has no bar, and would be left out.
    figure.update_yaxes(autorange=False, range=[len(rows) - 0.5, -0.5])
    figure.update_layout(barmode="stack", bargap=0.3)
    for key, (name, voters) in zip(keys, rows.items(), strict=True):
        for voter in voters:
            _block(figure, key, voter, _length(voter, weighted=weighted), name, dark=dark)
    most = max(
        (sum(_length(v, weighted=weighted) for v in row) for row in rows.values()), default=0
    )
    figure.update_xaxes(range=[0, max(1.0, most) * 1.02], tickformat="d" if not weighted else "")
    if not weighted and most < 12:
        figure.update_xaxes(dtick=1)
    return figure


def tally_frame(cast: Cast, result: Tally) -> pd.DataFrame:
    """A row per answer; "Written as" only where answers were written in another way."""
    rows = groups(cast, result)
    total = sum(result.counts.values())
    frame = pd.DataFrame(
        {
            "Answer": [name.strip() for name in rows],
            "Votes": [f"{result.counts.get(name, len(who)):g}" for name, who in rows.items()],
            "Share": [
                f"{result.counts[name] / total:.0%}" if total and name in result.counts else ""
                for name in rows
            ],
            "Who": [", ".join(voter.name for voter in voters) for voters in rows.values()],
            "Written as": [_written(name, voters) for name, voters in rows.items()],
        }
    )
    return frame if any(frame["Written as"]) else frame.drop(columns="Written as")


def _group(voter: Voter) -> str:
    if voter.valid and voter.ballot is not None:
        return voter.ballot.choice or ""
    if voter.not_needed:
        return f" {NOT_NEEDED}"
    return f" {ABSTAINED}" if voter.ballot is not None else f" {MISSING}"


def _label(name: str, result: Tally) -> str:
    shown = shortened(name, 20)
    return f"{shown}: {result.counts[name]:g}" if name in result.counts else shown


def _length(voter: Voter, *, weighted: bool) -> float:
    if not weighted or voter.ballot is None or not voter.valid:
        return 1.0
    return max(0.0, voter.ballot.weight)


def _block(
    figure: go.Figure, key: str, voter: Voter, length: float, name: str, *, dark: bool
) -> None:
    counts = voter.valid
    add_bars(
        figure,
        y=[key],
        x=[length],
        text=[voter.mark],
        textposition="inside",
        insidetextanchor="middle",
        textangle=0,
        textfont={"color": _INK[dark] if counts else voter.colour},
        marker={
            "color": voter.colour if counts else "rgba(0,0,0,0)",
            "line": {"width": 2, "color": "rgba(0,0,0,0)" if counts else voter.colour},
            "pattern": {
                "shape": "" if counts else "/",
                "fgcolor": faded(voter.colour, 0.35),
                "size": 9,
                "solidity": 0.12,
            },
        },
        hovertemplate=f"{figure_text(voter.name)}: {figure_text(name)}<extra></extra>",
    )


def _written(name: str, voters: list[Voter]) -> str:
    """The ways in which an answer was written, where they differ from how it is counted."""
    said = dict.fromkeys(v.ballot.said.strip() for v in voters if v.ballot and v.valid)
    ways = [shortened(way, 40) for way in said if way]
    return ", ".join(ways) if any(way.casefold() != name.casefold() for way in ways) else ""
