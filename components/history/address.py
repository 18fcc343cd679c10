"""The page's address read and written, and what was asked for last remembered for a way back."""

from __future__ import annotations

import streamlit as st

from components.history.asked import NAMES, Asked, asked

_LAST = "history_asked"


def asked_now() -> Asked:
    """What the address asks for; where it lost its filters on the way, what was asked before.

    Navigation drops the query string, and a person who looks at run after run of a search would
    have to type it anew each time. And where a page was left for one with a query of its own,
    Streamlit notes that query under this page's path, so that Back leads there: such an address is
    left as it is, because writing it would take Back away.
    """
    address = {name: st.query_params.get_all(name) for name in st.query_params}
    last = st.session_state.get(_LAST)
    if isinstance(last, Asked) and not NAMES & address.keys():
        if address:
            return last
        if st.session_state.get("came_from") == "run" and last != Asked():
            ask(last)
            return last
    now = asked(address)
    st.session_state[_LAST] = now
    return now


def ask(now: Asked) -> None:
    """Make the address say that."""
    st.query_params.from_dict(now.address())
    st.session_state[_LAST] = now
