"""The two fields of an endpoint's own price, in dollars per million tokens."""

from __future__ import annotations

from decimal import Decimal

import streamlit as st

from fanout.errors import SettingsError
from fanout.types import Price

LABELS = ("Input, $ per million", "Output, $ per million")
PARTS = ("input", "output")


def price_fields(form: str) -> None:
    """Draw them; their keys begin with the form's name. Empty is a value of its own: no price."""
    for column, text, part in zip(st.columns(2), LABELS, PARTS, strict=True):
        column.number_input(
            text,
            0.0,
            1_000_000.0,
            None,
            step=0.05,
            format="%0.4g",
            key=f"{form}-{part}",
            placeholder="Looked up",
            help="Your own price of a million tokens. Empty: taken from the price list, and "
            "unknown where that has none. 0: free.",
        )


def fill_price(form: str, price: Price | None) -> None:
    """Put a price into the fields, before they are drawn."""
    given = (None, None) if price is None else (float(price.input), float(price.output))
    for part, number in zip(PARTS, given, strict=True):
        st.session_state[f"{form}-{part}"] = number


def typed_price(form: str) -> Price | None:
    """What they hold; None where both are empty. SettingsError where only one is."""
    given = [st.session_state.get(f"{form}-{part}") for part in PARTS]
    if given == [None, None]:
        return None
    if None in given:
        raise SettingsError("A price needs both numbers: dollars per million tokens in and out.")
    cost_in, cost_out = (Decimal(str(number)) for number in given)
    return Price(input=cost_in, output=cost_out, source="your own price")
