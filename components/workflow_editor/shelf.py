"""Above the editor: which workflow is open, and ways to a new one: make, import, bring back."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from components.plain import label
from components.workflow_editor.desk import (
    OPENED,
    Desk,
    drafts,
    open_workflow,
    said,
    say,
    show_choice,
)
from components.workflow_editor.naming import name_field, typed_name
from fanout.errors import FanoutError
from fanout.workflows.names import free_name, slug
from fanout.workflows.parsing import KINDS
from fanout.workflows.skeletons import PURPOSE, skeleton
from fanout.workflows.user_workflows import Deleted

_DELETED = "deleted_workflow"


def shelf(desk: Desk) -> str:
    """Draw it; the name of the workflow that is open."""
    name, words = desk.open, desk.words()
    show_choice(OPENED, name, words[name])
    with st.container(horizontal=True, vertical_alignment="bottom", key="workflow_shelf"):
        st.selectbox(
            "Open a workflow",
            list(words),
            key=OPENED,
            format_func=lambda one: words.get(one, one),
            help="Type to search. Yours come first; shipped ones can be read and duplicated.",
            on_change=_opened,
            width=420,
        )
        _new(desk)
        _import(desk)
        _bin(desk)
        _told()
    _undo(desk)
    others = [d.title for d in drafts().values() if d.name != name and d.changed]
    if others:
        st.caption(f"Unsaved changes wait in {', '.join(label(title) for title in others)}.")
    return name


def _opened() -> None:
    open_workflow(st.session_state[OPENED])


def delete(desk: Desk, name: str) -> None:
    """Take a workflow away; the page offers to undo it."""
    try:
        deleted = desk.store.delete(name)
    except FanoutError as error:
        say(str(error), wrong=True)
        return
    kept = st.session_state.setdefault("deleted_drafts", {})
    kept[deleted.file] = drafts().pop(name, None)
    st.session_state[_DELETED] = deleted


def _told() -> None:
    """What the last click did, in the row itself: a box would push the page down and up again."""
    text, wrong = said()
    if text:
        look = "red[:material/error:" if wrong else "green[:material/check:"
        st.markdown(f":{look} {label(text, 600)}]", width="stretch")


def _undo(desk: Desk) -> None:
    deleted: Deleted | None = st.session_state.get(_DELETED)
    if deleted in desk.store.deleted() and deleted is not None:
        with st.container(horizontal=True, vertical_alignment="center", border=True, key="undo"):
            st.markdown(f"**{label(deleted.name)}** is deleted.", width="stretch")
            st.button(
                "Undo",
                key="undo_delete",
                icon=":material/undo:",
                on_click=_restore,
                args=(desk, deleted),
            )


def _new(desk: Desk) -> None:
    with st.popover("New", icon=":material/add:", key="new_workflow", on_change="rerun"):
        title = st.text_input("Title", key="new_title", placeholder="Trip planner", max_chars=80)
        name_field("new", slug(title), desk.taken)
        st.radio(
            "Kind",
            list(KINDS),
            key="new_kind",
            format_func=str.capitalize,
            captions=[PURPOSE[kind] for kind in KINDS],
        )
        st.button(
            "Create",
            key="create_workflow",
            type="primary",
            icon=":material/add:",
            on_click=_create,
            args=(desk,),
        )


def _create(desk: Desk) -> None:
    kind = st.session_state["new_kind"]
    title = " ".join((st.session_state["new_title"] or "").split())
    try:
        name = typed_name("new", slug(title))
        desk.store.add(skeleton(kind, name=name, title=title or name))
    except FanoutError as error:
        say(str(error), wrong=True)
        return
    st.session_state["new_title"] = st.session_state["new-name"] = ""
    st.session_state["new_workflow"] = False
    open_workflow(name)
    say(f"{title or name} is made, and can be run as it is. Change what it asks.")


def _import(desk: Desk) -> None:
    with st.popover(
        "Import", icon=":material/upload_file:", key="import_workflow", on_change="rerun"
    ):
        number = st.session_state.get("imports", 0)
        st.file_uploader(
            "A workflow's .toml file",
            type="toml",
            key=f"import_file_{number}",
            max_upload_size=2,
            on_change=_take_in,
            args=(desk, number),
        )
        st.caption("It is checked first, and never replaces one that is here.")


def _take_in(desk: Desk, number: int) -> None:
    upload = st.session_state[f"import_file_{number}"]
    if upload is None:
        return
    st.session_state["import_workflow"] = False
    # The next one gets an empty field of its own.
    st.session_state["imports"] = number + 1
    wanted = slug(Path(upload.name).stem) or "imported"
    name = free_name(wanted, desk.taken)
    try:
        desk.store.import_toml(upload.getvalue(), name)
    except FanoutError as error:
        say(f"{upload.name} was not imported. {error}", wrong=True)
        return
    open_workflow(name)
    renamed = f' Its name was taken, so it is called "{name}".' if name != wanted else ""
    say(f"{upload.name} is imported.{renamed}")


def _bin(desk: Desk) -> None:
    deleted = desk.store.deleted()
    if not deleted:
        return
    with st.popover(
        "Deleted", icon=":material/delete_history:", key="deleted_workflows", on_change="rerun"
    ):
        st.caption(f"The last {len(deleted)}, newest first.")
        for one in deleted:
            st.button(
                f"Restore {label(one.name)}",
                key=f"restore-{one.file}",
                icon=":material/undo:",
                type="tertiary",
                on_click=_restore,
                args=(desk, one),
            )


def _restore(desk: Desk, deleted: Deleted) -> None:
    try:
        name = desk.store.restore(deleted)
    except FanoutError as error:
        say(str(error), wrong=True)
        return
    draft = st.session_state.get("deleted_drafts", {}).pop(deleted.file, None)
    if draft is not None:
        drafts()[name] = draft
    st.session_state.pop(_DELETED, None)
    st.session_state["deleted_workflows"] = False
    open_workflow(name)
    say(f"{name} is back.")
