"""Who is signed in, and the way out: a small menu in the header of every page."""

from __future__ import annotations

import logging
from time import sleep

import streamlit as st

from components.plain import label
from components.sign_in.way_back import take_way_back
from fanout.engine.visitors import Visitors
from fanout.errors import StoreError
from fanout.people import Person

log = logging.getLogger(__name__)

TOLD_S = 0.25
"""By then the browser has been told to leave for the provider's own sign-out."""

# In the app's own header, left of Streamlit's menu, so that no page has to make room.
_STYLE = """<style>
.st-key-account { position: fixed; right: 3.25rem; top: .6rem; z-index: 999991; width: auto;
  height: 2.5rem; flex-wrap: nowrap; }
.st-key-account > :not(.st-key-account_menu) { position: absolute; width: 0; height: 0; }
.st-key-account_menu button p { max-width: 12rem; overflow: hidden; text-overflow: ellipsis; }
@media (max-width: 640px) { .st-key-account_menu button p { max-width: 5.5rem; } }
</style>"""


def account_menu(visitors: Visitors, person: Person) -> None:
    """Draw it before the page."""
    with st.container(key="account", horizontal=True, horizontal_alignment="right"):
        st.html(_STYLE)
        take_way_back()
        with st.popover(
            label(person.name, 24),
            icon=":material/account_circle:",
            type="tertiary",
            key="account_menu",
        ):
            _menu(visitors, person)


def _menu(visitors: Visitors, person: Person) -> None:
    st.markdown(f"Signed in as **{label(person.name, 60)}**")
    st.caption(
        "Your runs are private until you share their links. Endpoints and keys that you add are "
        "forgotten when you sign out."
    )
    if person.admin:
        st.caption(":material/shield_person: You look after this Fanout.")
    if st.button("Sign out", key="sign_out", icon=":material/logout:", width="stretch"):
        # First, since a board that is cut off draws the page anew, and that would cancel this.
        st.logout()
        try:
            visitors.sign_out(person)
        except StoreError as error:
            # Out of this browser at least; a copy of its cookie still counts.
            log.warning("a sign-out was not written down: %s", error)
        # Another drawing of the page drops what the browser was not told yet.
        sleep(TOLD_S)
        st.stop()
