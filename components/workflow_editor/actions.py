"""What can be done with the open workflow: save, discard, duplicate, rename, export, delete."""

from __future__ import annotations

import streamlit as st

from components.plain import label
from components.workflow_editor.desk import Desk, drafts, open_workflow, say
from components.workflow_editor.draft import Draft, draft_of
from components.workflow_editor.naming import name_field, typed_name
from components.workflow_editor.shelf import delete
from fanout.errors import DefinitionError, FanoutError
from fanout.workflows.definition import Workflow
from fanout.workflows.names import slug
from fanout.workflows.written import written


def actions(desk: Desk, draft: Draft, *, own: bool) -> None:
    """One row of buttons; a shipped workflow offers what leaves it as it is."""
    changed = own and (draft.changed or not draft.seen)
    with st.container(horizontal=True, key="workflow_actions"):
        if own:
            st.button(
                "Save",
                key="save_workflow",
                type="primary",
                icon=":material/save:",
                disabled=not changed,
                on_click=save,
                args=(desk, draft),
            )
            if draft.changed:
                st.button(
                    "Discard changes",
                    key="discard_workflow",
                    icon=":material/undo:",
                    on_click=_discard,
                    args=(draft,),
                )
        _duplicate(desk, draft, own=own)
        if own:
            _rename(desk, draft)
        _export(draft)
        if own:
            st.button(
                "Delete",
                key="delete_workflow",
                icon=":material/delete:",
                help="It can be brought back.",
                on_click=delete,
                args=(desk, draft.name),
            )


def changed_elsewhere(desk: Desk, draft: Draft) -> None:
    """Shown where the file is another than the one that was opened: nobody's work is dropped."""
    stored = desk.stored.get(draft.name)
    if stored is None:
        words = "Its file is gone: it was renamed or deleted elsewhere. Save writes it again."
    elif stored.version != draft.seen:
        words = "Its file was changed elsewhere since you opened it. Your changes are still here."
    else:
        return
    st.warning(words, icon=":material/sync_problem:")
    if stored is None:
        return
    with st.container(horizontal=True, key="conflict"):
        st.button(
            "Save mine over it",
            key="save_over",
            icon=":material/save:",
            on_click=save,
            args=(desk, draft, True),
        )
        st.button(
            "Save mine as a copy",
            key="save_copy",
            icon=":material/content_copy:",
            on_click=_copy_beside,
            args=(desk, draft),
        )
        if stored.workflow is not None:
            st.button(
                "Take the file's, drop mine",
                key="take_theirs",
                icon=":material/undo:",
                on_click=draft.begin_from,
                args=(stored.workflow, stored.version),
            )


def save(desk: Desk, draft: Draft, over: bool = False) -> None:
    """Write the draft to its file, unless somebody else did since."""
    workflow = _workflow(draft)
    if workflow is None:
        return
    now = desk.store.version(draft.name)
    if now and now != draft.seen and not over:
        return
    try:
        draft.saved(workflow, desk.store.save(workflow))
    except FanoutError as error:
        say(str(error), wrong=True)
        return
    # The Run page keeps edits of its own, of what the workflow was before.
    st.session_state.pop(f"rows-{draft.name}", None)
    say(f"{workflow.title} is saved.")


def _discard(draft: Draft) -> None:
    draft.begin_from(draft.opened, draft.seen)


def _workflow(draft: Draft) -> Workflow | None:
    """The draft with what was typed last; told, and None, if it can't be a workflow."""
    draft.collect()
    try:
        return draft.workflow()
    except DefinitionError:
        count = len(draft.complaints())
        thing = "one thing has" if count == 1 else f"{count} things have"
        say(f"Not saved: {thing} to be mended first. What you typed is kept.", wrong=True)
        return None


def _duplicate(desk: Desk, draft: Draft, *, own: bool) -> None:
    with st.popover(
        "Save as" if own and draft.changed else "Duplicate",
        icon=":material/content_copy:",
        key="duplicate_workflow",
        type="secondary" if own else "primary",
        on_change="rerun",
    ):
        st.text_input(
            "Title of the copy",
            key="copy_title",
            max_chars=80,
            placeholder=f"{draft.title} copy",
        )
        proposal = slug(st.session_state["copy_title"] or f"{draft.name} copy")
        name_field("copy", proposal, desk.taken)
        st.button(
            "Make the copy",
            key="make_copy",
            type="primary",
            icon=":material/content_copy:",
            on_click=_copy,
            args=(desk, draft, own),
        )


def _copy(desk: Desk, draft: Draft, own: bool) -> None:
    title = " ".join((st.session_state["copy_title"] or f"{draft.title} copy").split())[:80]
    proposal = slug(st.session_state["copy_title"] or f"{draft.name} copy")
    workflow = _workflow(draft)
    if workflow is None:
        return
    try:
        name = typed_name("copy", proposal, desk.taken)
        copy = workflow.model_copy(update={"name": name, "title": title})
        version = desk.store.add(copy)
    except FanoutError as error:
        say(str(error), wrong=True)
        return
    if own:
        # As everywhere: what is saved under another name is not changed under the old one.
        _discard(draft)
    drafts()[name] = draft_of(copy, version)
    st.session_state["copy_title"] = st.session_state["copy-name"] = ""
    st.session_state["duplicate_workflow"] = False
    open_workflow(name)
    say(f"{title} is made. You are editing the copy.")


def _copy_beside(desk: Desk, draft: Draft) -> None:
    workflow = _workflow(draft)
    if workflow is None:
        return
    try:
        name = typed_name("no-field", f"{draft.name}-copy", desk.taken)
        copy = workflow.model_copy(update={"name": name, "title": f"{workflow.title[:75]} copy"})
        version = desk.store.add(copy)
    except FanoutError as error:
        say(str(error), wrong=True)
        return
    drafts().pop(draft.name).forget_fields()
    drafts()[name] = draft_of(copy, version)
    open_workflow(name)
    say(f"Yours is saved as {copy.title}; the other one is as its file says.")


def _rename(desk: Desk, draft: Draft) -> None:
    with st.popover("Rename", icon=":material/edit:", key="rename_workflow", on_change="rerun"):
        st.caption(f"Now **{label(draft.name)}**. People read its title, under About.")
        name_field("rename", "", desk.taken)
        st.button(
            "Rename it",
            key="rename_now",
            type="primary",
            icon=":material/check:",
            on_click=_rename_now,
            args=(desk, draft),
        )


def _rename_now(desk: Desk, draft: Draft) -> None:
    draft.collect()
    old = draft.name
    try:
        name = typed_name("rename", "")
        desk.store.rename(old, name)
    except FanoutError as error:
        say(str(error), wrong=True)
        return
    draft.forget_fields()
    draft.name = name
    draft.opened = draft.opened.model_copy(update={"name": name})
    drafts()[name] = drafts().pop(old, draft)
    st.session_state["rename-name"] = ""
    st.session_state["rename_workflow"] = False
    open_workflow(name)
    say(f"{old} is called {name} now.")


def _export(draft: Draft) -> None:
    try:
        text = written(draft.workflow())
    except DefinitionError:
        text = ""
    st.download_button(
        "Export",
        text,
        f"{draft.name}.toml",
        "application/toml",
        key="export_workflow",
        icon=":material/download:",
        on_click="ignore",
        disabled=not text,
        help=f"Download {label(draft.name)}.toml" if text else "Mend it first",
    )
