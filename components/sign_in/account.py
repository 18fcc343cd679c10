"""Who is signed in, and the way out: a small menu above every page."""

from __future__ import annotations

import streamlit as st

from components.plain import label
from fanout.engine.visitors import Visitors
from fanout.errors import StoreError
from fanout.people import Person

_PROBLEM = "sign_out_problem"
# In the corner of the page, level with its title, so that no page has to make room.
_STYLE = """<style>
.st-key-account { position: absolute; right: 0; top: 0; z-index: 2; width: auto; }
.st-key-account [data-testid="stPopover"] button { max-width: 15rem; }
.st-key-account [data-testid="stPopover"] button p { overflow: hidden; text-overflow: ellipsis; }
</style>"""


def account_menu(visitors: Visitors, person: Person) -> None:
    """Draw it before the page."""
    st.html(_STYLE)
    with (
        st.container(key="account", horizontal=True, horizontal_alignment="right"),
        st.popover(
            label(person.name, 24),
            icon=":material/account_circle:",
            type="tertiary",
            key="account_menu",
            help="Your account",
        ),
    ):
        st.markdown(f"Signed in as **{label(person.name, 60)}**")
        st.caption(
            "Your runs are private until you share their links. Endpoints and keys that you "
            "add are forgotten when you sign out."
        )
        if person.admin:
            st.caption(":material/shield_person: You look after this Fanout.")
        if st.button("Sign out", key="sign_out", icon=":material/logout:", width="stretch"):
            _sign_out(visitors, person)
        if problem := st.session_state.pop(_PROBLEM, ""):
            st.error(label(problem, 300), icon=":material/error:")


def _sign_out(visitors: Visitors, person: Person) -> None:
    try:
        visitors.sign_out(person)
    except StoreError as error:
        # Out of this browser at least; a copy of its cookie would still count.
        st.session_state[_PROBLEM] = str(error)
    st.logout()
