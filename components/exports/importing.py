"""A place to drop exported runs, and what became of each file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import streamlit as st

from components.plain import label
from components.session import RUN_PARAM
from fanout.engine.runtime import Runtime
from fanout.errors import FanoutError, InputError
from fanout.export.importing import import_run
from fanout.export.importing_files import exported_files
from fanout.export.importing_limits import MOST_BYTES
from fanout.store.values import Label

RESULTS = "import_results"
DROPS = "import_drops"
LARGEST_MB = 200
MOST_SHOWN = 50
# Streamlit's own hint names the size that it lets in, not the one that a run may have.
_NO_HINT = (
    "<style>.st-key-import_drop [data-testid='stFileUploaderDropzoneInstructions']"
    "{display:none}</style>"
)
_RUN_PAGE = Path(__file__).resolve().parents[2] / "pages" / "run.py"


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What became of one file."""

    file: str
    state: Literal["new", "there", "refused"]
    message: str
    run_id: str = ""


def import_area(runtime: Runtime) -> None:
    """Draw it: a field for JSON exports and zips of them, and below it a line for each file."""
    with st.expander("Import runs", icon=":material/upload:", key="import_area"):
        # A new key after each drop empties the field, so that no rerun imports its files again.
        drops = st.session_state.get(DROPS, 0)
        largest_mb = _largest_mb(runtime)
        st.html(_NO_HINT)
        with st.container(key="import_drop", gap=None):
            files = st.file_uploader(
                "Drop JSON exports here, or a zip of them",
                accept_multiple_files=True,
                key=f"import_drop-{drops}",
                max_upload_size=largest_mb,
                help="Made by Export, JSON, here or on another machine.",
            )
        st.caption(
            f"JSON up to {min(MOST_BYTES // 1_000_000, largest_mb)} MB a run · "
            f"zip up to {largest_mb} MB · several at once"
        )
        if files:
            with st.spinner("Reading the runs"):
                st.session_state[RESULTS] = [
                    result
                    for file in files
                    for result in imported(runtime, file.name, file.getvalue())
                ]
            st.session_state[DROPS] = drops + 1
            st.rerun()
        _results()


def imported(runtime: Runtime, name: str, data: bytes) -> list[Result]:
    """Keep every run of one file."""
    bounds = runtime.settings.bounds if runtime.settings.shared else None
    try:
        if bounds is not None:
            bounds.check_upload(name, len(data))
    except InputError as error:
        return [_refused(name, error)]
    results = []
    for each, found in exported_files(name, data):
        try:
            if isinstance(found, InputError):
                raise found
            # A small zip may hold files that are large.
            if bounds is not None:
                bounds.check_upload(each, len(found))
        except InputError as error:
            results.append(_refused(each, error))
        else:
            results.append(_kept(runtime, each, found))
    return results


def _largest_mb(runtime: Runtime) -> int:
    """Of a zip, which may hold many runs; among strangers it is bound like any other file."""
    shared = max(1, runtime.settings.bounds.upload_bytes // 1024**2)
    return shared if runtime.settings.shared else LARGEST_MB


def _kept(runtime: Runtime, name: str, data: bytes) -> Result:
    try:
        done = import_run(runtime.store, data, runtime.store.person)
        history = runtime.store.history
        topic = done.run.label.name or done.run.snapshot.topic
        if done.how == "there":
            if done.run.deleted_at is not None:
                history.restore([done.id])
                return _there(name, done.id, f"“{topic}” was among the deleted runs and is back.")
            return _there(name, done.id, f"“{topic}” was here already; nothing was changed.")
        if done.run.label != Label():
            history.label(done.id, done.run.label)
    except FanoutError as error:
        return _refused(name, error)
    taken = " Its id was taken by another run, so it has a new one." * (done.how == "renamed")
    return Result(file=name, state="new", message=f"Imported “{topic}”.{taken}", run_id=done.id)


def _there(name: str, run_id: str, message: str) -> Result:
    return Result(file=name, state="there", message=message, run_id=run_id)


def _refused(name: str, error: FanoutError) -> Result:
    return Result(file=name, state="refused", message=str(error))


def _results() -> None:
    results: list[Result] = st.session_state.get(RESULTS, [])
    if not results:
        return
    with st.container(key="import_results", gap="small"):
        st.markdown(f"**{_summary(results)}**")
        for number, result in enumerate(results[:MOST_SHOWN]):
            _line(result, number)
        if len(results) > MOST_SHOWN:
            st.caption(f"and {len(results) - MOST_SHOWN} more files")
        if st.button("Dismiss", key="import_dismiss", type="tertiary", icon=":material/close:"):
            del st.session_state[RESULTS]
            st.rerun()


def _summary(results: list[Result]) -> str:
    states = [result.state for result in results]
    told = (("new", "imported"), ("there", "here already"), ("refused", "not imported"))
    return ", ".join(f"{states.count(state)} {word}" for state, word in told if state in states)


def _line(result: Result, number: int) -> None:
    marks = {
        "new": ":green[:material/check_circle:]",
        "there": ":gray[:material/info:]",
        "refused": ":red[:material/error:]",
    }
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(
            f"{marks[result.state]} {label(result.file, 60)}: {label(result.message, 500)}",
            width="stretch",
        )
        if result.run_id and st.button(
            "Open", key=f"import_open-{number}", type="tertiary", icon=":material/open_in_new:",
            help=f"Open the run of {label(result.file, 60)}",
        ):  # fmt: skip
            st.session_state["shown_run"] = result.run_id
            st.switch_page(_RUN_PAGE, query_params={RUN_PARAM: result.run_id})
