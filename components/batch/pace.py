"""The fields for how fast a batch goes and what it may spend, new or there already."""

from __future__ import annotations

from typing import Literal

import streamlit as st

from components.policies import words as policy_words

MOST_AT_ONCE = 200
MOST_A_MINUTE = 100_000
Kept = Literal["session"] | None


def pace_fields(
    form: str, concurrency: int, rows_per_minute: int | None, *, persist_state: Kept = None
) -> None:
    """Draw two of them side by side. Who set more than is offered here, by the command line, keeps
    it."""
    with st.grid(2, min_column_width=150, gap="small"):
        st.number_input(
            "Rows at once",
            1,
            max(MOST_AT_ONCE, concurrency),
            concurrency,
            key=f"{form}-concurrency",
            help="Over all workers. Each row asks all of its branches at once; the endpoint's own "
            "limits hold besides.",
            persist_state=persist_state,
        )
        st.number_input(
            "Rows a minute, at most",
            1,
            max(MOST_A_MINUTE, rows_per_minute or 0),
            rows_per_minute,
            key=f"{form}-minute",
            placeholder="no limit",
            persist_state=persist_state,
        )


def budget_fields(
    form: str, usd: float | None, tokens: int | None, *, persist_state: Kept = None
) -> None:
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
            persist_state=persist_state,
        )
        st.number_input(
            "Budget, tokens",
            0,
            10**12,
            tokens,
            10_000,
            key=f"{form}-tokens",
            placeholder=policy_words.NO_CAP,
            persist_state=persist_state,
        )
