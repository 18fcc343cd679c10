"""Variables of a branch, or of the whole workflow: each a name and its text."""

from __future__ import annotations

import streamlit as st

from components.plain import label
from components.workflow_editor.draft import Draft, Path
from components.workflow_editor.fields import Form


def variables(form: Form, *path: str, name: str = "Variable {{{}}}") -> None:
    """Draw those that lie there, each called by `name` with its own in it, and a way to more."""
    held = form.draft.get(path)
    names = list(held) if isinstance(held, dict) else []
    # A branch's uid, or "variables" for those of all.
    here = path[1] if len(path) > 1 else path[0]
    for one in names:
        with st.container(horizontal=True, vertical_alignment="bottom"):
            form.text(name.format(one), *path, one)
            if not form.read_only:
                st.button(
                    "Remove",
                    key=f"drop-{here}-{one}",
                    icon=":material/close:",
                    type="tertiary",
                    help=f"Remove the variable {label(one)}",
                    on_click=_drop,
                    args=(form.draft, path, one),
                )
    if not form.read_only:
        _more(form.draft, path, f"variable-{here}")


def _more(draft: Draft, path: Path, key: str) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        typed = st.text_input(
            "New variable",
            key=key,
            placeholder="role" if len(path) > 1 else "audience",
            width=220,
            help="A name for {name} in the prompt: letters, digits and _ only.",
        )
        st.button(
            "Add variable",
            key=f"add-{key}",
            icon=":material/data_object:",
            type="tertiary",
            on_click=_define,
            args=(draft, path, key),
        )
    if typed and not typed.strip("{} ").isidentifier():
        st.markdown(":red[:material/error: A name is letters, digits and _ only.]")


def _define(draft: Draft, path: Path, key: str) -> None:
    draft.collect()
    name = (st.session_state.get(key) or "").strip("{} ")
    held = draft.get(path)
    if name.isidentifier() and isinstance(held, dict) and name not in held:
        held[name] = ""
        st.session_state[key] = ""


def _drop(draft: Draft, path: Path, name: str) -> None:
    draft.collect()
    held = draft.get(path)
    if isinstance(held, dict):
        # Its field would bring it back.
        draft.forget_fields((*path, name))
        held.pop(name, None)
