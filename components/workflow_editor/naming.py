"""A field for a workflow's name: what is typed, and beside it the name that it becomes."""

from __future__ import annotations

from collections.abc import Collection

import streamlit as st

from fanout.workflows.names import LONGEST, free_name, name_of, slug


def name_field(key: str, proposal: str, taken: Collection[str]) -> None:
    """Draw it. Left empty, the name is the proposal."""
    typed = st.text_input(
        "Name",
        key=f"{key}-name",
        placeholder=free_name(proposal, taken) if proposal else "trip-planner",
        help="For files and the command line: small letters, digits and hyphens, "
        f"at most {LONGEST}.",
    )
    name = slug(typed)
    if typed and not name:
        st.markdown(":red[:material/error: A name needs a letter from a to z, or a digit.]")
    elif name in taken:
        st.markdown(f":red[:material/error: There is a workflow **{name}** already.]")
    elif name and name != typed:
        st.caption(f"It will be called **{name}**.")


def typed_name(key: str, proposal: str, taken: Collection[str] = ()) -> str:
    """What the field means; InputError if it means nothing."""
    typed: str = st.session_state.get(f"{key}-name") or ""
    return name_of(typed) if typed.strip() else name_of(free_name(proposal, taken))
