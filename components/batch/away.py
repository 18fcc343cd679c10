"""A database that doesn't answer: the page says so, keeps its place, and looks again by itself."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec

import streamlit as st

from components.plain import label
from fanout.errors import FanoutError, StoreError

AGAIN_S = 5.0
Parameters = ParamSpec("Parameters")


def patiently(draw: Callable[Parameters, None]) -> Callable[Parameters, None]:
    """The same part of a page that goes on by itself, with what went wrong in its place."""

    @wraps(draw)
    def drawn(*args: Parameters.args, **kwargs: Parameters.kwargs) -> None:
        try:
            draw(*args, **kwargs)
        except FanoutError as error:
            _say(error, "The page tries again by itself.")

    return drawn


def could_not(error: FanoutError) -> None:
    """Say why the page can't be drawn; where the database is away, draw it anew before long."""
    if not isinstance(error, StoreError):
        _say(error, "")
        return
    _say(error, "The page tries again by itself.")
    drawn_before = False

    def again() -> None:
        nonlocal drawn_before
        if drawn_before:
            st.rerun()
        drawn_before = True

    st.fragment(again, run_every=AGAIN_S)()


def _say(error: FanoutError, more: str) -> None:
    said = str(error).removesuffix(" It is tried again.")
    st.error(f"{label(said, 600)} {more}".strip(), icon=":material/error:")
