"""The area "Documents" of the Run page: a place to drop files, what came of them, and the list."""

from __future__ import annotations

import time

import streamlit as st

from components.documents.chosen import choose_documents, searched_words
from components.documents.intake import Intake, Upload
from components.documents.reader import OPENED, opened_document
from components.documents.shelf import shelf
from components.plain import label
from fanout.engine.runtime import Runtime
from fanout.errors import FanoutError
from fanout.retrieval.reading import MOST_BYTES, READABLE
from fanout.workflows.definition import Research, Workflow

QUICK_S = 1.5
"""How long a page waits for dropped files: nearly all have been read by then."""
TICK_S = 0.5
# Larger ones are let in too, so that the reason stands beside the list and the others are kept.
LARGEST_MB = 2 * MOST_BYTES // 1_000_000
INTAKE = "documents_intake"
DROPS = "documents_drops"
# Streamlit's own hint names the size that it lets in, not the one that can be read.
_NO_HINT = (
    "<style>.st-key-documents_drop [data-testid='stFileUploaderDropzoneInstructions']"
    "{display:none}</style>"
)


def documents_area(runtime: Runtime, workflow: Workflow, *, opened: bool) -> None:
    """Draw it for a research workflow, nothing for another; `opened` is how it begins.

    A document that was opened, here or from a run's passages, is shown whatever the workflow.
    """
    if not isinstance(workflow, Research):
        if OPENED in st.session_state:
            opened_document(runtime.library)
        return
    try:
        with st.spinner("Opening the documents"):
            library = runtime.library
        intake = _intake()
        intake.wait(QUICK_S)
        documents = library.documents()
    except FanoutError as error:
        st.error(label(str(error), 400), icon=":material/error:")
        return
    title = f"Documents: {searched_words(workflow, documents)}"
    # Another key where a run is shown, so that it begins folded there and never hides the board.
    key = "documents" if opened else "documents_folded"
    with st.expander(title, icon=":material/library_books:", expanded=opened, key=key):
        left, right = st.columns([5, 7], gap="large")
        with left:
            _drop(runtime, intake)
            _messages(intake)
            if documents:
                choose_documents(workflow, documents)
        with right:
            shelf(library, documents)
    opened_document(library)


def _drop(runtime: Runtime, intake: Intake) -> None:
    # A new key after each drop empties the field, so that no rerun can add its files again.
    largest_mb = max(1, min(MOST_BYTES, runtime.settings.bounds.upload_bytes) // 1_000_000)
    key = f"documents_drop-{st.session_state.get(DROPS, 0)}"
    st.html(_NO_HINT)
    with st.container(key="documents_drop", gap=None):
        st.file_uploader(
            "Drop documents here, or choose them",
            accept_multiple_files=True,
            key=key,
            max_upload_size=largest_mb if runtime.settings.shared else LARGEST_MB,
            help="They stay on this machine; the passages that are found are sent to the model.",
            on_change=_take,
            args=(runtime, intake, key),
        )
    st.caption(f"{READABLE} · several at once · up to {largest_mb} MB each")


def _take(runtime: Runtime, intake: Intake, key: str) -> None:
    dropped = st.session_state.get(key) or []
    if dropped:
        intake.take(runtime, [(file.name, file.getvalue()) for file in dropped])
        st.session_state[DROPS] = st.session_state.get(DROPS, 0) + 1


def _messages(intake: Intake) -> None:
    if intake.reading:
        _watch(intake)
    done = [upload for upload in intake.uploads if upload.state != "reading"]
    if not done:
        return
    with st.container(key="documents_messages", gap="small"):
        kept = [label(upload.name, 40) for upload in done if upload.state == "kept"]
        if kept:
            more = f" and {len(kept) - 3} more" if len(kept) > 3 else ""
            st.markdown(f":green[:material/check_circle:] Added {', '.join(kept[:3])}{more}.")
        for upload in done:
            if upload.message:
                st.markdown(_said(upload))
        st.button(
            "Dismiss",
            key="documents_dismiss",
            type="tertiary",
            icon=":material/close:",
            on_click=intake.forget,
        )


def _said(upload: Upload) -> str:
    if upload.state == "refused":
        return f":red[:material/error: {label(upload.message, 400)}]"
    return f":material/info: {label(upload.name, 60)}: {label(upload.message, 400)}"


@st.fragment(run_every=TICK_S)
def _watch(intake: Intake) -> None:
    reading = intake.reading
    if not reading:
        st.rerun()
    for number, upload in enumerate(reading):
        _one(upload, number)


def _one(upload: Upload, number: int) -> None:
    seconds = time.monotonic() - upload.since
    with st.container(horizontal=True, vertical_alignment="center"):
        size = f"{upload.size / 1e6:.1f} MB"
        st.markdown(
            f":material/hourglass_top: Reading {label(upload.name, 60)} · {size} · {seconds:.0f} s"
        )
        st.button(
            "Stop",
            key=f"documents_stop-{number}",
            type="tertiary",
            icon=":material/stop:",
            help=f"Stop reading {label(upload.name, 60)}",
            on_click=upload.stop,
        )


def _intake() -> Intake:
    intake: Intake = st.session_state.setdefault(INTAKE, Intake())
    return intake
