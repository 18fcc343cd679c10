"""The two fields of an endpoint's own price, in dollars per million tokens."""

from __future__ import annotations

from decimal import Decimal

import streamlit as st

from fanout.errors import SettingsError
from fanout.types import Price

LABELS = ("Input, $ per million", "Output, $ per million")


def price_fields(form: str, now: Price | None = None) -> None:
    """Draw them; their keys begin with the form's name."""
    left, right = st.columns(2)
    for column, text, part in zip((left, right), LABELS, ("input", "output"), strict=True):
        column.number_input(
            text,
            0.0,
            1_000_000.0,
            float(getattr(now, part)) if now is not None else None,
            step=0.05,
            format="%0.4g",
            key=f"{form}-{part}",
            placeholder="Looked up",
            help="Your own price of a million tokens. Empty: taken from the price list, and "
            "unknown where that has none. 0: free.",
        )


def typed_price(form: str) -> Price | None:
    """What they hold; None where both are empty. SettingsError where only one is."""
    given = [st.session_state.get(f"{form}-{part}") for part in ("input", "output")]
    if given == [None, None]:
        return None
    if None in given:
        raise SettingsError("A price needs both numbers: dollars per million tokens in and out.")
    cost_in, cost_out = (Decimal(str(number)) for number in given)
    return Price(input=cost_in, output=cost_out, source="your own price")
