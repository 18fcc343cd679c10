"""What is done with runs on the History page: starred, edited, deleted, brought back."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace

import streamlit as st

from components.history.address import ask
from components.history.asked import Asked
from components.history.known import forget
from components.history.listing import Act
from components.history.run_label import label_dialog, set_favourite
from components.plain import label
from fanout.engine.runtime import Runtime
from fanout.errors import FanoutError
from fanout.store.values import RunRow
from fanout.types import RunId

CHOSEN = "history_chosen"
_EDIT = "history_edit"
_DELETED = "history_just_deleted"
_NOTICE = "history_notice"


def chosen() -> list[str]:
    """The ids that are ticked, on every page of the list."""
    ids: list[str] = st.session_state.setdefault(CHOSEN, [])
    return ids


def choose(ids: Sequence[str]) -> None:
    st.session_state[CHOSEN] = list(dict.fromkeys(ids))


def carry_out(runtime: Runtime, now: Asked, act: Act) -> None:
    """One thing that a person did in the list; what makes no sense is left alone."""
    run_id = act.get("id")
    if not isinstance(run_id, str):
        return
    what = str(act.get("do"))
    match what:
        case "edit":
            st.session_state[_EDIT] = run_id
        case "star":
            set_favourite(runtime, run_id, bool(act.get("on")))
        case "delete":
            delete(runtime, [run_id])
        case "restore":
            restore(runtime, [run_id])
        case "tag":
            tag = act.get("tag")
            if isinstance(tag, str) and tag not in now.tags:
                ask(replace(now, tags=(*now.tags, tag), page=1))
        case _:
            pass


def edit(runtime: Runtime, rows: Sequence[RunRow]) -> None:
    """Open the fields of the run that was chosen to be edited, if one was."""
    run_id = st.session_state.pop(_EDIT, None)
    if run_id:
        topics = {str(row.id): row.topic for row in rows}
        label_dialog(runtime, run_id, topics.get(run_id, ""))


def delete(runtime: Runtime, ids: Sequence[str]) -> None:
    """Take them out of the list; they can be brought back."""
    if _tried(lambda: runtime.store.history.delete([RunId(one) for one in ids])):
        runtime.engine.forget(ids)
        st.session_state[_DELETED] = list(ids)
        choose([one for one in chosen() if one not in ids])


def restore(runtime: Runtime, ids: Sequence[str]) -> None:
    if _tried(lambda: runtime.store.history.restore([RunId(one) for one in ids])):
        gone = st.session_state.get(_DELETED, [])
        st.session_state[_DELETED] = [one for one in gone if one not in ids]
        choose([one for one in chosen() if one not in ids])


def purge(runtime: Runtime) -> None:
    """Remove for good what was deleted until now."""
    if _tried(lambda: runtime.store.history.purge(time.time())):
        st.session_state.pop(_DELETED, None)
        choose([])


def undo_bar(runtime: Runtime) -> None:
    """Right after a deletion: what happened, and the way back."""
    notice = st.session_state.pop(_NOTICE, "")
    if notice:
        st.error(label(notice, 400), icon=":material/error:")
    ids: list[str] = st.session_state.get(_DELETED, [])
    if not ids:
        return
    count = "One run is" if len(ids) == 1 else f"{len(ids)} runs are"
    with st.container(
        horizontal=True, vertical_alignment="center", border=True, key="history_undo"
    ):
        st.markdown(f":material/delete: {count} deleted.", width="stretch")
        st.button(
            "Undo",
            key="history_undo_delete",
            icon=":material/undo:",
            on_click=restore,
            args=(runtime, ids),
        )
        st.button(
            "Dismiss",
            key="history_undo_dismiss",
            icon=":material/close:",
            type="tertiary",
            on_click=_forget,
        )


def _forget() -> None:
    st.session_state.pop(_DELETED, None)


def _tried(change: Callable[[], object]) -> bool:
    try:
        change()
    except FanoutError as error:
        st.session_state[_NOTICE] = f"Nothing was changed. {error}"
        return False
    forget()
    return True
