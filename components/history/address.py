"""The page's address read and written, and the page that is shown remembered for a way back."""

from __future__ import annotations

import streamlit as st

from components.history.asked import Asked, asked

_LAST = "history_asked"


def asked_now() -> Asked:
    """What the address asks for; coming from a run by the navigation, what was asked before.

    Navigation drops the query string, and a person who looks at run after run of a search would
    have to type it anew each time.
    """
    address = {name: st.query_params.get_all(name) for name in st.query_params}
    now = asked(address)
    if not address and st.session_state.get("came_from") == "run":
        last = st.session_state.get(_LAST)
        if isinstance(last, Asked) and last != now:
            ask(last)
            return last
    st.session_state[_LAST] = now
    return now


def ask(now: Asked) -> None:
    """Make the address say that."""
    st.query_params.from_dict(now.address())
    st.session_state[_LAST] = now
