"""Search, order and filters. They show what the address says, and every change goes there."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from decimal import Decimal

import streamlit as st

from components.history.address import ask
from components.history.asked import (
    FIRST_DAY,
    LAST_DAY,
    MOST_USD,
    MOST_VALUES,
    SORTS,
    Asked,
    clean,
)
from components.plain import label, shortened
from fanout.render.words import run_word
from fanout.store.values import Facets
from fanout.types import RunStatus

_KEYS = {
    "text": "history_q",
    "sort": "history_sort",
    "favourites": "history_fav",
    "rows": "history_rows",
    "deleted": "history_deleted_only",
    "workflows": "history_workflow",
    "models": "history_model",
    "states": "history_state",
    "tags": "history_tag",
    "first_day": "history_from",
    "last_day": "history_to",
    "least_usd": "history_least",
    "most_usd": "history_most",
}


def filters(now: Asked, facets: Facets, titles: dict[str, str]) -> None:
    """Draw them; `titles` are the workflows' by name."""
    changed = _follow(now)
    with st.container(
        horizontal=True, vertical_alignment="bottom", key="history_search", gap="small"
    ):
        st.text_input(
            "Search topics and texts",
            key=_KEYS["text"],
            type="search",
            live="300ms",
            icon=":material/search:",
            placeholder="Words of topics, answers, titles, notes",
            width="stretch",
            on_change=changed,
        )
        st.selectbox(
            "Order",
            list(SORTS),
            key=_KEYS["sort"],
            format_func=lambda sort: SORTS[sort],
            width=230,
            on_change=changed,
        )
    said = narrowed_to(now, titles)
    with st.expander(
        f"Filters: {said}" if said else "Filters",
        icon=":material/filter_list:",
        key="history_filters",
        expanded=False,
    ):
        _fields(now, facets, titles, changed)


def clear_button(now: Asked, *, key: str) -> None:
    """One click to the list with nothing left out."""
    st.button(
        "Clear search and filters",
        key=key,
        icon=":material/filter_list_off:",
        on_click=ask,
        args=(now.everything,),
    )


def _fields(
    now: Asked, facets: Facets, titles: dict[str, str], changed: Callable[[], None]
) -> None:
    with st.grid(min_column_width=250, gap="small"):
        _choice("Workflow", "workflows", _names(facets.workflows, now.workflows), changed, titles)
        _choice("Model", "models", _names(facets.models, now.models), changed)
        states = [str(state) for state in RunStatus]
        words = {str(state): run_word(state) for state in RunStatus}
        _choice("State", "states", states, changed, words)
        _choice("Tag", "tags", _names(facets.tags, now.tags), changed)
        for name, title in (("first_day", "From day"), ("last_day", "To day, included")):
            st.date_input(
                title,
                value=None,
                key=_KEYS[name],
                min_value=FIRST_DAY,
                max_value=LAST_DAY,
                format="YYYY-MM-DD",
                on_change=changed,
            )
        for name, title in (("least_usd", "Costs at least"), ("most_usd", "Costs at most")):
            st.number_input(
                f"{title}, US dollars",
                value=None,
                key=_KEYS[name],
                min_value=0.0,
                max_value=float(MOST_USD),
                step=0.01,
                format="%0.4f",
                placeholder="any; free runs cost 0",
                on_change=changed,
            )
    with st.container(horizontal=True, vertical_alignment="center", key="history_switches"):
        st.toggle("Favourites only", key=_KEYS["favourites"], on_change=changed)
        st.toggle(
            "Rows of batches",
            key=_KEYS["rows"],
            help="Runs that a batch started, which are left out otherwise: each is on its batch's "
            "page",
            on_change=changed,
        )
        st.toggle(
            "Deleted runs",
            key=_KEYS["deleted"],
            help="What was deleted, to be restored or removed for good",
            on_change=changed,
        )
        if now.narrows:
            clear_button(now, key="history_clear")


def _choice(
    title: str,
    name: str,
    options: list[str],
    changed: Callable[[], None],
    words: dict[str, str] | None = None,
) -> None:
    st.multiselect(
        title,
        options,
        key=_KEYS[name],
        format_func=lambda one: shortened((words or {}).get(str(one), str(one)), 60),
        placeholder="Any",
        max_selections=MOST_VALUES,
        on_change=changed,
    )


def _names(counted: Iterable[tuple[str, int]], asked_for: Iterable[str]) -> list[str]:
    """What there is, and what is asked for though there is none of it."""
    return list(dict.fromkeys([*(name for name, _ in counted), *asked_for]))


def _follow(now: Asked) -> Callable[[], None]:
    """Let the widgets show the address; the function to call when one of them is changed."""
    shown: dict[str, object] = {
        "text": now.text,
        "sort": now.sort,
        "favourites": now.favourites,
        "rows": now.rows,
        "deleted": now.deleted,
        "workflows": list(now.workflows),
        "models": list(now.models),
        "states": [str(state) for state in now.states],
        "tags": list(now.tags),
        "first_day": now.first_day,
        "last_day": now.last_day,
        "least_usd": float(now.least_usd) if now.least_usd is not None else None,
        "most_usd": float(now.most_usd) if now.most_usd is not None else None,
    }
    state = st.session_state
    for name, value in shown.items():
        if _KEYS[name] not in state or state[_KEYS[name]] != value:
            state[_KEYS[name]] = value

    def changed() -> None:
        typed = {name: state.get(key, shown[name]) for name, key in _KEYS.items()}
        ask(
            Asked(
                text=clean(typed["text"] or ""),
                workflows=tuple(typed["workflows"]),
                models=tuple(typed["models"]),
                states=tuple(RunStatus(one) for one in typed["states"]),
                tags=tuple(typed["tags"]),
                first_day=typed["first_day"],
                last_day=typed["last_day"],
                least_usd=_usd(typed["least_usd"]),
                most_usd=_usd(typed["most_usd"]),
                favourites=bool(typed["favourites"]),
                rows=bool(typed["rows"]),
                batch=now.batch,
                deleted=bool(typed["deleted"]),
                sort=typed["sort"],
            )
        )

    return changed


def _usd(typed: float | None) -> Decimal | None:
    return Decimal(f"{typed:.6f}").normalize() if typed is not None else None


def narrowed_to(now: Asked, titles: dict[str, str]) -> str:
    """The filters that are set, as one safe line of Markdown."""
    parts = ["deleted"] if now.deleted else []
    parts += [titles.get(name, name) for name in now.workflows]
    parts += [*now.models, *(run_word(state) for state in now.states)]
    parts += [f"#{tag}" for tag in now.tags]
    if now.first_day:
        parts.append(f"from {now.first_day.isoformat()}")
    if now.last_day:
        parts.append(f"to {now.last_day.isoformat()}")
    if now.least_usd is not None:
        parts.append(f"at least ${now.least_usd:f}")
    if now.most_usd is not None:
        parts.append(f"at most ${now.most_usd:f}")
    if now.favourites:
        parts.append("favourites")
    if now.batch:
        parts.append(f"batch {now.batch}")
    elif now.rows:
        parts.append("with rows of batches")
    return " · ".join(label(part, 40) for part in parts)
