"""A ranking of texts: the places, the points, and what each judge had before its eyes."""

from __future__ import annotations

from string import ascii_uppercase

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from components.figure import add_bars, bars, room_for_text
from components.figure_row import figure_row
from components.plain import cells, figure_text
from components.votes.cast import Cast
from fanout.voting.plans import Comparison
from fanout.voting.ranking import Ranking


def ranking(cast: Cast, plan: Comparison) -> None:
    """Draw the places; who won, if anyone did, stands above them."""
    result = cast.outcome
    assert isinstance(result, Ranking)
    parts = [f"{result.ballots} of {len(cast.voters)} judges ranked"]
    if result.tau is not None:
        parts.append(f"agreement in order {result.tau:.2f} (Kendall's tau: 1 same, 0 chance)")
    st.caption(" · ".join(parts))
    if result.places:
        figure_row(
            ranking_chart(cast, result),
            ranking_frame(cast, result),
            key=f"{cast.key}_ranking",
            alt="Points of each text in the judges' rankings",
            note=f"Points of a judge: {len(plan.candidates) - 1} for the first, 0 for the last "
            "· equal points share a place",
        )
    if plan.own:
        st.caption(":material/visibility_off: Nobody judged a text of its own model.")
    seen = st.expander("Who saw which order", icon=":material/shuffle:", key=f"{cast.key}_orders")
    with seen:
        st.caption(
            "Each judge saw the texts without names and in an order of its own. "
            "The letters in its reason are these, not those of the columns."
        )
        st.dataframe(
            cells(orders_frame(cast, plan)),
            key=f"{cast.key}_orders_table",
            hide_index=True,
            alt="Which text stood under which letter, for each judge",
        )


def ranking_chart(cast: Cast, result: Ranking) -> go.Figure:
    """Points per text, best on top; the text on a bar is its place."""
    labels = [figure_text(_name(place.candidate, cast), 24) for place in result.places]
    keys = [str(i) for i in range(len(labels))]
    figure = bars(keys, "mean points per judge")
    figure.update_yaxes(type="category", tickvals=keys, ticktext=labels)
    points = [place.points for place in result.places]
    room_for_text(figure, points)
    add_bars(
        figure,
        y=keys,
        x=points,
        text=[_place(place.place, tied=place.tied) for place in result.places],
        textposition="outside",
        marker={"color": [cast.shades[place.candidate] for place in result.places]},
        hovertemplate="%{text}: %{x:.2f} points<extra></extra>",
    )
    return figure


def ranking_frame(cast: Cast, result: Ranking) -> pd.DataFrame:
    """A row per text, best first; tied ones share their place."""
    places = result.places
    return pd.DataFrame(
        {
            "Place": [_place(place.place, tied=place.tied) for place in places],
            "Text": [_name(place.candidate, cast) for place in places],
            "Judges": [place.words.removesuffix(", tied") for place in places],
            "Points": [f"{place.points:.2f}" for place in places],
        }
    )


def orders_frame(cast: Cast, plan: Comparison) -> pd.DataFrame:
    """A row per judge, a column per letter."""
    orders = [plan.orders.get(voter.branch.id, ()) for voter in cast.voters]
    longest = max(map(len, orders), default=0)
    columns = {
        ascii_uppercase[i]: [
            cast.candidates.get(order[i], "") if i < len(order) else "" for order in orders
        ]
        for i in range(longest)
    }
    frame = pd.DataFrame({"Judge": [voter.name for voter in cast.voters], **columns})
    if plan.own:
        frame["Not shown"] = [
            cast.candidates.get(plan.own.get(voter.branch.id, ""), "") for voter in cast.voters
        ]
    return frame


def _place(place: int, *, tied: bool) -> str:
    return f"{place}, tied" if tied else str(place)


def _name(candidate: str, cast: Cast) -> str:
    return cast.candidates.get(candidate, candidate)
