"""Which part of the Batch page the address names, so that a refresh and a second person see it."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

import streamlit as st

PAGE = Path(__file__).resolve().parents[2] / "pages" / "batch.py"
ID, NEW, ADD = "id", "new", "add"
_LONGEST = 64


def batch_shown() -> str:
    """The id of the batch that is looked at; "" where it is none."""
    return (st.query_params.get(ID) or "")[:_LONGEST]


def new_asked() -> bool:
    return bool(st.query_params.get(NEW))


def adding() -> bool:
    """Whether rows are to be added to the batch that is shown."""
    return bool(st.query_params.get(ADD))


def show_adding(batch_id: str) -> None:
    st.query_params.from_dict({ID: batch_id, ADD: "1"})


def show(batch_id: str) -> None:
    st.query_params.from_dict({ID: batch_id})


def show_new() -> None:
    st.query_params.from_dict({NEW: "1"})


def show_all() -> None:
    st.query_params.clear()


def link(batch_id: str) -> str:
    """Relative to any page of the app."""
    return f"./batch?{ID}={quote(batch_id, safe='')}"
