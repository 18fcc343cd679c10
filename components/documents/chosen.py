"""Which documents a research run searches, as this session chose; none chosen: all of them."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from components.plain import shortened
from fanout.retrieval.documents import Document
from fanout.workflows.definition import Research, Workflow


def with_documents(workflow: Workflow) -> Workflow:
    """The workflow with this session's choice; any other kind as it is."""
    if not isinstance(workflow, Research):
        return workflow
    chosen = tuple(st.session_state.get(_key(workflow), workflow.documents))
    return workflow.model_copy(update={"documents": chosen})


def load_documents(workflow: Workflow) -> None:
    """Take over the choice of a run that was opened."""
    if isinstance(workflow, Research):
        st.session_state[_key(workflow)] = list(workflow.documents)


def choose_documents(workflow: Research, documents: Sequence[Document]) -> None:
    """Draw the field. Documents that are gone leave the choice."""
    names = {document.id: document.name for document in documents}
    key = _key(workflow)
    before = st.session_state.get(key, list(workflow.documents))
    known = [id for id in before if id in names]
    st.session_state[key] = known
    if before and not known:
        st.warning(
            "The documents that were chosen are not here any more, so all are searched.",
            icon=":material/info:",
        )
    st.multiselect(
        "Search in",
        list(names),
        key=key,
        format_func=lambda id: shortened(names[id], 60),
        placeholder=f"All {len(names)} documents",
        help="Choose some to search only those. None chosen: all are searched.",
        persist_state="session",
    )


def searched_words(workflow: Research, documents: Sequence[Document]) -> str:
    """How many will be searched, in words: "all 7 are searched"."""
    chosen = {document.id for document in documents}.intersection(workflow.documents)
    if not documents:
        return "none yet"
    if chosen and len(chosen) < len(documents):
        verb = "is" if len(chosen) == 1 else "are"
        return f"{len(chosen)} of {len(documents)} {verb} searched"
    return "1, searched" if len(documents) == 1 else f"all {len(documents)} are searched"


def _key(workflow: Workflow) -> str:
    return f"documents-{workflow.name}"
