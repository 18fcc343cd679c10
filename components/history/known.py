"""What a session looked up a moment ago: page after page need not ask for it again."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

import streamlit as st

BELIEVED_S = 5.0
"""How long it is believed; a change of one's own is seen at once."""
_MOST = 8
_KEY = "history_known"
Known = TypeVar("Known")


def known(about: object, look: Callable[[], Known]) -> Known:
    """What `look` told about it, at most BELIEVED_S ago."""
    kept = st.session_state.setdefault(_KEY, {})
    now = time.monotonic()
    if about in kept and now - kept[about][0] < BELIEVED_S:
        told: Known = kept[about][1]
        return told
    if len(kept) >= _MOST:
        kept.clear()
    value = look()
    kept[about] = (now, value)
    return value


def forget() -> None:
    """After a change everything is looked up anew."""
    st.session_state.pop(_KEY, None)
