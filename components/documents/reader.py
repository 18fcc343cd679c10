"""The text of a document as plain text: whatever it holds, nothing of it is marked up or run."""

from __future__ import annotations

from html import escape

import streamlit as st

from components.plain import label
from fanout.retrieval.library import Library

PAGE_CHARACTERS = 12_000
OPENED = "opened_document"
_BOX = (
    "white-space:pre-wrap;overflow-wrap:anywhere;line-height:1.6;font-size:0.95rem;max-width:44rem"
)
_MARK = (
    "background:rgba(86,102,224,0.18);color:inherit;padding:0.1rem 0;"
    "border-bottom:2px solid #5666e0"
)
_PALE = "opacity:0.8"


def plain_passage(before: str, passage: str, after: str) -> None:
    """The passage, marked, within its surroundings."""
    st.html(
        f'<div style="{_BOX}"><span style="{_PALE}">{escape(before)}</span>'
        f'<mark style="{_MARK}">{escape(passage)}</mark>'
        f'<span style="{_PALE}">{escape(after)}</span></div>'
    )


def open_document(id: str, name: str) -> None:
    """A callback: from the next script run on, the document's text stands in a dialog."""
    st.session_state[OPENED] = (id, name)


def opened_document(library: Library) -> None:
    """Draw the dialog while a document is open. It outlives reruns, whoever asked for them."""
    if OPENED in st.session_state:
        id, name = st.session_state[OPENED]
        dialog = st.dialog(
            label(name, 70), width="large", icon=":material/menu_book:", on_dismiss=_close
        )
        dialog(_document)(library, id)


def _close() -> None:
    st.session_state.pop(OPENED, None)


def _document(library: Library, id: str) -> None:
    text = library.document_text(id)
    if text is None:
        st.warning("This document is not here any more.", icon=":material/search_off:")
        return
    pages = text_pages(text)
    number = 1
    if len(pages) > 1:
        number = st.pagination(len(pages), key=f"text_page-{id}") or 1
        st.caption(f"Part {number} of {len(pages)}; the text has {len(text):,} characters.")
    with st.container(height=520, border=True, key="document_text"):
        st.html(f'<div style="{_BOX}">{escape(pages[number - 1])}</div>')


def text_pages(text: str, most: int = PAGE_CHARACTERS) -> list[str]:
    """The text in parts of at most that many characters, cut at line ends or blanks."""
    pages: list[str] = []
    while len(text) > most:
        cut = max(text.rfind("\n", most // 2, most), 0) or max(text.rfind(" ", 0, most), 0) or most
        pages.append(text[:cut])
        text = text[cut:].lstrip("\n ")
    return [*pages, text]
