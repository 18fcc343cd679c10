"""What lies on the desk: every workflow there is, the drafts of this session, and which is open."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from components.workflow_editor.draft import Draft, draft_of
from fanout.workflows.definition import Workflow
from fanout.workflows.library import shipped
from fanout.workflows.user_workflows import StoredWorkflow, UserWorkflows

OPENED = "opened_workflow"
_NOTICE = "workflow_notice"


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """The workflows as they are at this moment."""

    store: UserWorkflows
    stored: dict[str, StoredWorkflow]

    @property
    def names(self) -> list[str]:
        """The user's own first, then the shipped ones."""
        own = dict.fromkeys([*self.stored, *drafts()])
        return [*own, *(w.name for w in shipped().workflows if w.name not in own)]

    @property
    def taken(self) -> set[str]:
        return {*self.names}

    def words(self, name: str) -> str:
        """How the list names it."""
        draft, stored = drafts().get(name), self.stored.get(name)
        if draft is not None:
            state = "unsaved changes" if draft.changed else "yours"
            return f"{draft.title} · {state}"
        if stored is not None:
            if stored.workflow is None:
                return f"{name} · can't be read"
            return f"{stored.workflow.title} · yours"
        return f"{shipped().get(name).title} · shipped"


def desk(store: UserWorkflows) -> Desk:
    """Look at the files, and take over what the fields say."""
    for draft in drafts().values():
        draft.collect()
    return Desk(store=store, stored={stored.name: stored for stored in store.all()})


def drafts() -> dict[str, Draft]:
    """The drafts of this session by name."""
    found: dict[str, Draft] = st.session_state.setdefault("workflow_drafts", {})
    return found


def draft_for(stored: StoredWorkflow, workflow: Workflow) -> Draft:
    """The draft of a file; one without edits follows the file."""
    draft = drafts().get(stored.name)
    if draft is None:
        draft = drafts()[stored.name] = draft_of(workflow, stored.version)
    elif draft.seen != stored.version and not draft.changed:
        draft.begin_from(workflow, stored.version)
    return draft


def open_workflow(name: str) -> None:
    """Show that one from now on."""
    st.session_state[OPENED] = name


def say(text: str, *, wrong: bool = False) -> None:
    """Tell it on the next page that is drawn, once."""
    st.session_state[_NOTICE] = (text, wrong)


def said() -> tuple[str, bool]:
    notice: tuple[str, bool] = st.session_state.pop(_NOTICE, ("", False))
    return notice
