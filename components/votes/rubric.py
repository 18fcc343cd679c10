"""Scores by a rubric: each judge's dot on each criterion, the middle, and how far they agree."""

from __future__ import annotations

import streamlit as st

from components.figure_row import figure_row
from components.plain import label
from components.votes.cast import Cast
from components.votes.rubric_chart import rubric_chart, rubric_frame
from fanout.voting.plans import Rubric
from fanout.voting.scores import Scores
from fanout.voting.words import alpha_words


def rubric(cast: Cast, plan: Rubric, *, dark: bool) -> None:
    """Draw the scores; the overall one stands above them."""
    result = cast.outcome
    assert isinstance(result, Scores)
    st.caption(
        f"{result.valid} of {result.asked} judges · scale {plan.scale.low:g} to {plan.scale.high:g}"
    )
    if not result.valid:
        return
    figure_row(
        rubric_chart(cast, plan, result, dark=dark),
        rubric_frame(result),
        key=f"{cast.key}_rubric",
        alt="Each judge's score for each criterion, with the mean and the range",
        note="A dot for each judge, with its letter · line: from the lowest score to the highest "
        "· bar across it: mean",
    )
    st.caption(label(alpha_words(result), 300))
    if result.disagree:
        st.caption(
            ":material/balance: The scores lie half of the scale apart or more, so the overall "
            "number hides a dispute. Read the reasons before you rely on it."
        )
