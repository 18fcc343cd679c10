"""Whether others may open a run's link: a switch for its owner, in shared mode only."""

from __future__ import annotations

import streamlit as st

from components.plain import label
from fanout.engine.handle import RunHandle
from fanout.engine.runtime import Runtime
from fanout.engine.viewed import ViewedRun
from fanout.errors import FanoutError

_PROBLEM = "share_problem"
PRIVATE = "only you can open it"
SHARED = "everyone who signs in can open it"


def viewed(handle: RunHandle) -> bool:
    """Whether it is another person's run, shared with the one at this screen."""
    return isinstance(handle, ViewedRun)


def share_switch(runtime: Runtime, handle: RunHandle, *, key: str) -> str:
    """Draw it; what to say of the link, "" where everybody at this Fanout is one person."""
    if not runtime.settings.shared or viewed(handle):
        return ""
    try:
        access = runtime.store.access(handle.id)
    except FanoutError as error:
        st.caption(label(str(error), 300))
        return PRIVATE
    shared = access is not None and access.shared
    st.session_state[key] = shared
    st.toggle(
        "Shared: everyone who signs in can see this" if shared else "Private",
        key=key,
        help="Everyone who signs in and has the link can read, replay and export this run; they "
        "can't stop it, ask again or change anything. Switched off, only you can see it."
        if shared
        else "Only you can see this run. Switched on, everyone who signs in and has the link can "
        "read it, with the passages of your documents that it quotes.",
        on_change=_share,
        args=(runtime, handle.id, not shared),
    )
    if problem := st.session_state.pop(_PROBLEM, ""):
        st.markdown(f":red[:material/error: {label(problem, 300)}]")
    return SHARED if shared else PRIVATE


def _share(runtime: Runtime, run_id: str, shared: bool) -> None:
    try:
        runtime.store.share(run_id, shared)
    except FanoutError as error:
        st.session_state[_PROBLEM] = f"Nothing was changed. {error}"
