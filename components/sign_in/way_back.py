"""Who follows the link of a run and has to sign in first gets to that run afterwards.

The way to the identity provider and back loses the address, so the browser's tab remembers it.
"""

from __future__ import annotations

import streamlit as st

_TAKEN = "way_back_taken"
# Only a run's own link: nothing that somebody else put into the tab can lead elsewhere.
_SCRIPT = """
const KEY = 'fanout-way-back';
const RUN = /^[?]run=[A-Za-z0-9_-]{8,64}$/;
export default function ({data}) {
  if (data.remember) {
    if (RUN.test(location.search)) sessionStorage.setItem(KEY, location.search);
    return;
  }
  const search = sessionStorage.getItem(KEY) ?? '';
  sessionStorage.removeItem(KEY);
  if (RUN.test(search) && !location.search) location.replace(location.pathname + search);
}
"""
_mount = st.components.v2.component("fanout_way_back", html="<span></span>", js=_SCRIPT)


def remember_way() -> None:
    """On the page before signing in."""
    _mount(key="way_back_remember", data={"remember": True}, height="content")


def take_way_back() -> None:
    """On the first page after it."""
    if st.session_state.get(_TAKEN):
        return
    st.session_state[_TAKEN] = True
    _mount(key="way_back_take", data={"remember": False}, height="content")
