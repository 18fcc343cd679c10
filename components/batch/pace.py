"""The fields for how fast a batch goes and what it may spend, new or there already."""

from __future__ import annotations

import streamlit as st

from components.policies import words as policy_words

MOST_AT_ONCE = 200
MOST_A_MINUTE = 100_000


def pace_fields(form: str, concurrency: int, rows_per_minute: int | None) -> None:
    """Draw two of them side by side."""
    with st.grid(2, min_column_width=150, gap="small"):
        st.number_input(
            "Rows at once",
            1,
            MOST_AT_ONCE,
            min(concurrency, MOST_AT_ONCE),
            key=f"{form}-concurrency",
            help="Over all workers. Each row asks all of its branches at once; the endpoint's own "
            "limits hold besides.",
        )
        st.number_input(
            "Rows a minute, at most",
            1,
            MOST_A_MINUTE,
            rows_per_minute,
            key=f"{form}-minute",
            placeholder="no limit",
        )


def budget_fields(form: str, usd: float | None, tokens: int | None) -> None:
    """Draw two of them side by side."""
    with st.grid(2, min_column_width=150, gap="small"):
        st.number_input(
            "Budget, US dollars",
            policy_words.LEAST_USD,
            policy_words.MOST_USD,
            usd,
            1.0,
            key=f"{form}-usd",
            format="%g",
            placeholder=policy_words.NO_CAP,
            help="Once it is used up, the batch pauses and says so; what is there stays.",
        )
        st.number_input(
            "Budget, tokens",
            0,
            10**12,
            tokens,
            10_000,
            key=f"{form}-tokens",
            placeholder=policy_words.NO_CAP,
        )
