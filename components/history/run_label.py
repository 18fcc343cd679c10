"""What a person writes on a run: title, tags, notes, and whether it is a favourite."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import streamlit as st

from components.history.known import forget
from components.plain import label as plain
from fanout.engine.runtime import Runtime
from fanout.errors import FanoutError
from fanout.store import labels
from fanout.store.values import Label

_ASIDE = "label_told"


def label_editor(runtime: Runtime, run_id: str, *, key: str) -> None:
    """A star and a popover with the fields, for a page that shows the run."""
    history = runtime.store.history
    try:
        written = history.label_of(run_id)
    except FanoutError as error:
        st.caption(plain(str(error), 300))
        return
    with st.container(
        key=f"{key}_bar", horizontal=True, vertical_alignment="center", width="content"
    ):
        favourite = written.favourite
        st.button(
            ":orange[★] Favourite" if favourite else "☆ Favourite",
            key=f"{key}_star",
            type="tertiary",
            help="A favourite: click to make it an ordinary run" if favourite else "Make favourite",
            on_click=set_favourite,
            args=(runtime, run_id, not favourite),
        )
        with st.popover(
            plain(written.name, 40) if written.name else "Title and tags",
            icon=":material/label:",
            key=f"{key}_label",
            type="tertiary",
            on_change="rerun",
            help="Title, tags and notes of this run in the History",
        ) as popover:
            if popover.open:
                _form(runtime, run_id, written, key=key, closes=f"{key}_label")
        if problem := told():
            st.markdown(f":red[:material/error: {plain(problem, 300)}]")


@st.dialog("Title, tags and notes", width="medium")
def label_dialog(runtime: Runtime, run_id: str, topic: str) -> None:
    """The same fields in a dialog; saving closes it."""
    try:
        written = runtime.store.history.label_of(run_id)
    except FanoutError as error:
        st.error(plain(str(error), 300), icon=":material/error:")
        return
    saved = _form(runtime, run_id, written, key=f"label-{run_id}", topic=topic)
    if problem := told():
        st.error(plain(problem, 300), icon=":material/error:")
    elif saved:
        st.rerun()


def set_favourite(runtime: Runtime, run_id: str, favourite: bool) -> None:
    _change(runtime, run_id, lambda written: replace(written, favourite=favourite))


def told() -> str:
    """Why the last change was not kept; said once."""
    return str(st.session_state.pop(_ASIDE, ""))


def _form(
    runtime: Runtime, run_id: str, written: Label, *, key: str, topic: str = "", closes: str = ""
) -> bool:
    with st.form(key=f"{key}_form", border=False):
        st.text_input(
            "Title",
            value=written.name,
            key=f"{key}_name",
            max_chars=labels.NAME,
            placeholder=topic[: labels.NAME] or "Shown instead of the topic",
        )
        st.multiselect(
            "Tags",
            _known_tags(runtime, written),
            default=list(written.tags),
            key=f"{key}_tags",
            accept_new_options=True,
            max_selections=labels.TAGS,
            placeholder="Choose or type new ones",
        )
        st.text_area(
            "Notes", value=written.notes, key=f"{key}_notes", max_chars=labels.NOTES, height=140
        )
        return st.form_submit_button(
            "Save",
            key=f"{key}_save",
            type="primary",
            icon=":material/check:",
            on_click=_save,
            args=(runtime, run_id, key, closes),
        )


def _save(runtime: Runtime, run_id: str, key: str, closes: str) -> None:
    state = st.session_state
    typed = Label(
        name=state[f"{key}_name"] or "",
        notes=state[f"{key}_notes"] or "",
        tags=tuple(state[f"{key}_tags"]),
    )
    kept = _change(runtime, run_id, lambda was: replace(typed, favourite=was.favourite))
    if kept and closes:
        state[closes] = False


def _change(runtime: Runtime, run_id: str, made: Callable[[Label], Label]) -> bool:
    history = runtime.store.history
    try:
        history.label(run_id, made(history.label_of(run_id)))
    except FanoutError as error:
        st.session_state[_ASIDE] = f"Not saved. {error}"
        return False
    forget()
    return True


def _known_tags(runtime: Runtime, written: Label) -> list[str]:
    try:
        known = runtime.store.history.tags()
    except FanoutError:
        known = ()
    return list(dict.fromkeys([*written.tags, *known]))
