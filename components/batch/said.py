"""What the last click did or could not do, said once above the page; and whether batches last."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from components.plain import label
from fanout.engine.runtime import Runtime
from fanout.errors import FanoutError

_SAID = "batch_said"


def say(text: str, *, wrong: bool = False) -> None:
    st.session_state[_SAID] = (text, wrong)


def tried(act: Callable[[], object]) -> bool:
    """Whether it worked; the page says what went wrong."""
    try:
        act()
    except FanoutError as error:
        say(str(error), wrong=True)
        return False
    return True


def notices(runtime: Runtime) -> None:
    """Draw them; nothing where all is well."""
    text, wrong = st.session_state.pop(_SAID, ("", False))
    if text:
        told = st.error if wrong else st.success
        told(label(text, 600), icon=":material/error:" if wrong else ":material/check:")
    if not runtime.store.kept:
        st.warning(
            "Batches are in memory only and are gone when Fanout ends, because nothing can be "
            "written where they would be kept. Let FANOUT_HOME name a folder that can be written "
            "to, and start Fanout again.",
            icon=":material/warning:",
        )
