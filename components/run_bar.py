"""What can be done with a run that is open: resume it, label it, show it again, hand it over."""

from __future__ import annotations

import streamlit as st

from components.batch import row_place
from components.copy_link import copy_link
from components.exports import export_menu
from components.history.run_label import label_editor
from components.plain import label
from components.sharing import share_switch, viewed
from fanout.engine.handle import RunHandle
from fanout.engine.runtime import Runtime
from fanout.errors import InputError
from fanout.snapshot import Branch
from fanout.types import BranchState, RunStatus

REPLAYED = "replayed_run"
"""The run whose replay this session looks at, instead of the run itself."""


def run_bar(runtime: Runtime, handle: RunHandle) -> bool:
    """Draw it above the board; whether the run is to be shown as a replay."""
    snapshot = handle.snapshot
    if not snapshot.status.finished:
        # Who saw it go on live is not thrown back into its replay when it is done.
        st.session_state[REPLAYED] = None
    replayed = st.session_state.get(REPLAYED) == handle.id
    row_place(runtime, handle)
    if viewed(handle):
        st.info(label(handle.fixed, 400), icon=":material/group:")
    elif snapshot.status.finished and not replayed:
        _to_resume(runtime, handle)
    elif handle.fixed and not snapshot.status.finished:
        st.warning(label(handle.fixed, 400), icon=":material/sync_problem:")
    if handle.notice:
        st.warning(label(handle.notice, 400), icon=":material/sync_problem:")
    with st.container(horizontal=True, key="run_tools", vertical_alignment="center", gap="small"):
        if not viewed(handle):
            label_editor(runtime, handle.id, key="run")
        note = share_switch(runtime, handle, key="share")
        copy_link(handle.id, key="copy_link", note=note)
        st.button(
            "Back to the run" if replayed else "Replay",
            key="replay",
            icon=":material/close:" if replayed else ":material/replay:",
            disabled=not snapshot.status.finished,
            help=None if replayed else "Play it again as if live, without asking any model",
            on_click=_look_at_replay,
            args=(None if replayed else handle.id,),
        )
        st.link_button(
            "Present",
            f"present/{handle.id}",
            key="present",
            icon=":material/present_to_all:",
            help="Full screen in large type, for a projector; the right arrow key reveals",
        )
        export_menu(runtime, handle.id, key="export")
    return replayed


def _to_resume(runtime: Runtime, handle: RunHandle) -> None:
    """Where something is missing: what, and the one button that asks for it again."""
    snapshot = handle.snapshot
    missing = [b.title for b in snapshot.branches if _missing(b)]
    interrupted = snapshot.status is RunStatus.INTERRUPTED
    failed = any(b.state in (BranchState.FAILED, BranchState.TIMED_OUT) for b in snapshot.branches)
    if handle.fixed:
        st.info(label(handle.fixed, 400), icon=":material/lock:")
        return
    if not interrupted and len(missing) < 2:
        # One branch has its own button, in its column.
        return
    names = ", ".join(missing[:5]) + (f" and {len(missing) - 5} more" if len(missing) > 5 else "")
    lacks = f"Missing: {names}." if missing else "Only the combined answer is missing."
    why = "Interrupted: Fanout ended before this run did." if interrupted else ""
    if handle.imported:
        lacks += " The run was imported: its prompts, which would be sent, come from elsewhere."
    gone = _endpoints_gone(runtime, handle)
    if gone:
        lacks += f" It was asked at {gone}, which is not set up here: see the Models page."
    with st.container(border=True, horizontal=True, vertical_alignment="center", key="to_resume"):
        st.markdown(
            f"{label(f'{why} {lacks}', 600)} What is there stays; only what is missing is asked "
            "again."
        )
        st.button(
            "Retry all that failed" if failed and not interrupted else "Resume",
            key="resume",
            type="primary",
            icon=":material/resume:",
            disabled=bool(gone),
            on_click=_resume,
            args=(handle,),
        )


def _endpoints_gone(runtime: Runtime, handle: RunHandle) -> str:
    """The endpoints that would be asked and are not there, by the names that the run knows."""
    made = handle.snapshot.made_with
    facts = made.endpoints if made is not None else {}
    asked = (b.plan.model.endpoint for b in handle.snapshot.branches if _missing(b))
    gone = dict.fromkeys(one for one in asked if one not in runtime.engine.endpoints)
    return ", ".join(facts[one].host or facts[one].name if one in facts else one for one in gone)


def _missing(branch: Branch) -> bool:
    return not branch.state.succeeded and not branch.not_needed


def _resume(handle: RunHandle) -> None:
    try:
        begun = handle.resume()
    except InputError as error:
        st.session_state["notice"] = str(error)
        return
    if not begun:
        st.session_state["notice"] = (
            "There was nothing to ask again: the run is complete by now, or another process of "
            "Fanout has taken it over. The page shows how it stands."
        )


def _look_at_replay(run_id: str | None) -> None:
    st.session_state[REPLAYED] = run_id
