"""Bins and spreads in words, for charts and for the tables beside them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal

import pandas as pd

from fanout.batch.figures import Bin, Spread
from fanout.render.words import seconds_text, usd_text

Words = Callable[[float], str]


def dollars(value: float) -> str:
    return usd_text(Decimal(f"{value:.9f}"))


def share(value: float) -> str:
    return f"{value:.0%}"


def verdict_name(verdict: str | None) -> str:
    return "no decision" if verdict is None else verdict


def bin_names(bins: Sequence[Bin], words: Words) -> list[str]:
    """ "0.0 s to 1.2 s"."""
    return [f"{words(one.low)} to {words(one.high)}" for one in bins]


def bin_frame(bins: Sequence[Bin], title: str, words: Words) -> pd.DataFrame:
    return pd.DataFrame({title: bin_names(bins, words), "Rows": [one.count for one in bins]})


def spread_frame(spread: Spread, title: str, words: Words) -> pd.DataFrame:
    """The percentiles of a figure, one a line."""
    said = {
        "Least": spread.least,
        "Half are below": spread.p50,
        "9 in 10 are below": spread.p90,
        "99 in 100 are below": spread.p99,
        "Most": spread.most,
        "On average": spread.mean,
    }
    return pd.DataFrame({"": list(said), title: [words(value) for value in said.values()]})


seconds: Words = seconds_text
