"""The one place that knows where a browser session keeps its things, and the process its engine."""

from __future__ import annotations

import threading

import streamlit as st
from streamlit.runtime import exists, get_instance
from streamlit.runtime.scriptrunner import get_script_run_ctx

from components.sign_in.gate import person_here
from components.tabs import Tabs, Tidying
from fanout.batch.worker import Worker
from fanout.engine.runtime import Runtime
from fanout.people import NOBODY, PersonId

_lock = threading.Lock()
_runtime: Runtime | None = None
_worker: Worker | None = None
_tidying: Tidying | None = None
_tabs = Tabs(lambda session: exists() and get_instance().is_active_session(session))

RUN_PARAM = "run"


def process() -> Runtime:
    """The engine of this process with everybody's runs, which no page may hold in shared mode.

    Opened on first use; SettingsError where what keeps people apart can't be read.
    """
    global _runtime, _worker, _tidying
    with _lock:
        if _runtime is None:
            _runtime = Runtime.from_environment(secrets=_secrets())
            _tidying = Tidying(_tabs, _runtime.browser_closed)
            if _runtime.settings.app_works:
                _worker = Worker(_runtime)
                _worker.start()
        return _runtime


def wake_worker() -> None:
    """Somebody has started a batch: look at once, if this process carries rows out."""
    if _worker is not None:
        _worker.wake()


def worker_notes() -> tuple[str, ...]:
    """What keeps this process from carrying rows out, for people."""
    return _worker.notes if _worker is not None else ()


def trouble() -> str:
    """What keeps runs from being written down now; "" where nothing does."""
    scribe = _runtime.engine.scribe if _runtime is not None else None
    return scribe.problem if scribe is not None else ""


def runtime() -> Runtime:
    """Fanout as whoever is at this screen has it; ends the script where they have to sign in."""
    whole = process()
    if whole.visitors is None:
        _note_tab(NOBODY)
        return whole
    person = person_here(whole)
    if person is None:
        # In a tab that was left open: the whole page is drawn again, and shows the sign-in.
        st.rerun()
        # A callback can't do that, so it ends here.
        st.stop()
    _note_tab(person.id)
    return whole.visitors.of(person)


def check_sign_in() -> None:
    """For fragments that draw by themselves: ends one whose person isn't signed in any more."""
    if _runtime is not None and _runtime.visitors is not None:
        runtime()


def _note_tab(person: PersonId) -> None:
    context = get_script_run_ctx(suppress_warning=True)
    if context is not None:
        _tabs.here(person, context.session_id)


def close_runtime() -> None:
    """End every run and the bundled model; rows of batches under way go on elsewhere or later."""
    global _runtime, _worker, _tidying
    with _lock:
        if _tidying is not None:
            _tidying.close()
            _tidying = None
        if _worker is not None:
            _worker.close()
            _worker = None
        if _runtime is not None:
            _runtime.close()
            _runtime = None


def _secrets() -> dict[str, object]:
    return dict(st.secrets) if st.secrets.load_if_toml_exists() else {}


def run_id_shown() -> str | None:
    """The run that the address names; coming from another page, the one looked at before.

    Navigation drops the query string, so the permalink is put back then. On the run page itself an
    address without a run is where Back, or a click on Run, leads: the empty page.
    """
    named = st.query_params.get(RUN_PARAM)
    if not named and st.session_state.get("came_from") == "other":
        named = st.session_state.get("shown_run")
        if named:
            st.query_params[RUN_PARAM] = named
    st.session_state["shown_run"] = named
    return named


def note_page(title: str) -> None:
    """Remember, after a page was drawn, whether it was the run page."""
    st.session_state["came_from"] = "run" if title == "Run" else "other"


def show_run(run_id: str | None) -> None:
    """Make the page show that run from the next script run on; None shows the empty page."""
    st.session_state["shown_run"] = run_id
    if run_id is None:
        st.query_params.pop(RUN_PARAM, None)
    else:
        st.query_params[RUN_PARAM] = run_id
