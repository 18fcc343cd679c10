"""The list of documents: what each is, and Open, Remove and Undo."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import streamlit as st

from components.documents.reader import open_document
from components.plain import label
from fanout.errors import FanoutError
from fanout.retrieval.documents import Document
from fanout.retrieval.library import SHIPPED, Library

ON_A_PAGE = 7
REMOVED = "documents_removed"


def shelf(library: Library, documents: Sequence[Document]) -> None:
    """Draw the list, a page at a time, and what can be brought back."""
    _undo(library)
    if not documents:
        st.markdown("There are no documents yet. Drop some here, or bring the samples back.")
    pages = max(1, -(-len(documents) // ON_A_PAGE))
    # A page that emptied meanwhile is left for the last one.
    if st.session_state.get("documents_page", 1) > pages:
        st.session_state.pop("documents_page")
    page = st.session_state.get("documents_page", 1)
    for document in _sorted(documents)[(page - 1) * ON_A_PAGE : page * ON_A_PAGE]:
        _row(library, document)
    if pages > 1:
        st.pagination(pages, key="documents_page", width="stretch")
    with st.container(horizontal=True):
        if sum(document.sample for document in documents) < len(_shipped()):
            st.button(
                "Bring the sample documents back",
                key="documents_samples",
                type="tertiary",
                icon=":material/undo:",
                on_click=_bring_samples,
                args=(library,),
            )


def facts(document: Document) -> str:
    """Kind and size in one line: "pdf · 12 pages · 40 passages · 9,210 words"."""
    parts: list[str] = [document.kind]
    if document.pages is not None:
        parts.append(_count(document.pages, "page"))
    parts += [_count(document.passages, "passage"), _count(document.words, "word")]
    if document.sample:
        parts.append("sample")
    return " · ".join(parts)


def _sorted(documents: Sequence[Document]) -> list[Document]:
    """A person's own first, the newest of them on top, then the samples."""
    own = [document for document in documents if not document.sample]
    return [*reversed(own), *(document for document in documents if document.sample)]


def _row(library: Library, document: Document) -> None:
    name = label(document.name, 60)
    with st.container(
        key=f"document-{document.id}", horizontal=True, vertical_alignment="center", gap="small"
    ):
        with st.container(width="stretch", gap=None):
            st.markdown(f"**{name}**")
            st.caption(label(facts(document), 200))
            if document.note:
                st.markdown(f":small[:orange[:material/info: {label(document.note, 300)}]]")
        with st.container(horizontal=True, width="content", gap="small", wrap=False):
            st.button(
                "Open",
                key=f"open-{document.id}",
                type="tertiary",
                icon=":material/menu_book:",
                help=f"Read the text of {name}",
                on_click=open_document,
                args=(document.id, document.name),
            )
            st.button(
                "Remove",
                key=f"remove-{document.id}",
                type="tertiary",
                icon=":material/delete:",
                help=f"Remove {name}; it can be brought back",
                on_click=_remove,
                args=(library, document),
            )


def _undo(library: Library) -> None:
    removed: list[Document] = st.session_state.get(REMOVED, [])
    if not removed:
        return
    names = ", ".join(label(document.name, 40) for document in removed)
    with st.container(horizontal=True, vertical_alignment="center", key="documents_undo_row"):
        st.markdown(f":material/delete: Removed {names}.")
        st.button(
            "Undo",
            key="documents_undo",
            type="tertiary",
            icon=":material/undo:",
            on_click=_restore,
            args=(library,),
        )


def _remove(library: Library, document: Document) -> None:
    if library.remove(document.id):
        st.session_state[REMOVED] = [*st.session_state.get(REMOVED, []), document]


def _restore(library: Library) -> None:
    for document in st.session_state.pop(REMOVED, []):
        library.restore(document.id)


def _bring_samples(library: Library) -> None:
    st.session_state.pop(REMOVED, None)
    for path in _shipped():
        try:
            library.add(path.name, path.read_bytes())
        except (FanoutError, OSError) as error:
            st.session_state["notice"] = f"{path.name} did not come back: {error}"


def _shipped() -> list[Path]:
    return sorted(SHIPPED.glob("*.*"))


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
