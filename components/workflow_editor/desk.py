"""What lies on the desk: every workflow there is, the drafts of this session, and which is open."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from components.plain import shortened
from components.workflow_editor.draft import Draft, draft_of
from fanout.workflows.definition import Workflow
from fanout.workflows.library import shipped
from fanout.workflows.user_workflows import StoredWorkflow, UserWorkflows

OPENED = "opened_workflow"
"""The key of the list; what is open is remembered apart from it."""
_OPEN = "workflow_open"
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

    @property
    def open(self) -> str:
        """The name of the workflow that is shown."""
        names = self.names
        name: str = st.session_state.get(_OPEN, "")
        return name if name in names else names[0]

    def words(self) -> dict[str, str]:
        """How the list names each: by its title, and by its name too where titles are the same."""
        words = {name: self._words(name) for name in self.names}
        every = list(words.values())
        return {
            name: f"{said} · {name}" if every.count(said) > 1 else said
            for name, said in words.items()
        }

    def _words(self, name: str) -> str:
        stored = self.stored.get(name)
        if stored is not None and stored.workflow is not None:
            return f"{shortened(stored.workflow.title, 60)} · yours"
        if name in drafts():
            return f"{name} · unsaved"
        if stored is not None:
            return f"{name} · can't be read"
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
    st.session_state[_OPEN] = name


def show_choice(key: str, value: str, words: str) -> None:
    """Let a widget show this option. An option travels to the page by its words, so words that
    changed have to be told to it."""
    told = f"{key}-words"
    if st.session_state.get(key) != value or st.session_state.get(told) != words:
        st.session_state[key] = value
        st.session_state[told] = words


def say(text: str, *, wrong: bool = False) -> None:
    """Tell it on the next page that is drawn, once."""
    st.session_state[_NOTICE] = (text, wrong)


def said() -> tuple[str, bool]:
    notice: tuple[str, bool] = st.session_state.pop(_NOTICE, ("", False))
    return notice
