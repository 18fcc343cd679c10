"""The list itself: a line per run with a link, its numbers and what can be done with it.

A component draws it, because a hundred Streamlit widgets a page would be slower and less of a list
to people who listen to the screen. Topics and texts reach the page as text nodes only.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import streamlit as st

from components.history import words
from components.plain import shortened
from fanout.render.words import run_word
from fanout.store.values import RunRow

KEY = "history_list"
_HERE = Path(__file__).parent
_mount = st.components.v2.component(
    "fanout_history",
    html='<div\n class="history"></div>',
    css=(_HERE / "list.css").read_text("utf-8"),
    js=(_HERE / "list.js").read_text("utf-8"),
)

Act = dict[str, Any]
"""What a person did: {"do": "star", "id": ...}; see `acts`."""


def listing(
    rows: Sequence[RunRow],
    chosen: Sequence[str],
    *,
    deleted: bool,
    on_act: Callable[[Act], None],
    on_choice: Callable[[list[str]], None],
) -> None:
    """Draw the rows; `chosen` are the ids that are ticked, on this page and on others."""

    def acted() -> None:
        act = (st.session_state.get(KEY) or {}).get("act")
        if isinstance(act, dict):
            on_act(act)

    def ticked() -> None:
        ids = (st.session_state.get(KEY) or {}).get("chosen")
        if isinstance(ids, list):
            on_choice([one for one in ids if isinstance(one, str)])

    _mount(
        key=KEY,
        data={
            "rows": [line(row) for row in rows],
            "chosen": list(chosen),
            "deleted": deleted,
        },
        on_act_change=acted,
        on_chosen_change=ticked,
    )


def line(row: RunRow) -> dict[str, object]:
    """A row as the component takes it: words and numbers, nothing to be interpreted."""
    return {
        "id": row.id,
        "name": words.name(row),
        "topic": shortened(row.topic, 400) if row.label.name else "",
        "workflow": shortened(row.title or row.workflow, 60),
        "models": words.models(row),
        "allModels": ", ".join(row.models),
        "state": str(row.status),
        "word": run_word(row.status),
        "at": row.started_at,
        "exact": _exact(row.started_at),
        "wall": words.wall(row),
        "instead": words.instead(row),
        "cost": words.cost(row),
        "branches": words.branches(row),
        "failed": row.failed,
        "tags": list(row.label.tags),
        "notes": shortened(row.label.notes, 160),
        "favourite": row.label.favourite,
        "imported": row.imported,
        "batch": row.batch,
        "excerpt": words.marked(row.excerpt),
    }


def _exact(at: float) -> str:
    try:
        return f"{datetime.fromtimestamp(at, words.zone()):%Y-%m-%d %H:%M:%S %Z}"
    except (OverflowError, OSError, ValueError):
        return "at an unknown time"
