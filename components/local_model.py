"""The card of the model on this machine: what it is, how it is, and how to run a better one."""

from __future__ import annotations

import streamlit as st

from components.endpoint_edit import endpoint_edit
from components.model_in_use import use_button
from components.plain import label
from fanout.endpoint import BUNDLED
from fanout.engine.runtime import Runtime
from fanout.errors import LocalModelError
from fanout.types import ModelRef

ICONS = {
    "ready": ":green[:material/check_circle:]",
    "starting": ":material/hourglass_top:",
    "stopped": ":material/bedtime:",
    "absent": ":red[:material/error:]",
    "failed": ":red[:material/error:]",
}
PROBLEM = "local_problem"


def local_model(runtime: Runtime) -> None:
    """Draw the card; it refreshes itself while a model is being fetched or loaded."""
    st.subheader("On this machine", anchor=False)
    with st.container(border=True, key="local_model"):
        _title(runtime)
        busy = _busy(runtime)

        @st.fragment(run_every=1.0 if busy else None)
        def state() -> None:
            _state(runtime)
            if busy and not _busy(runtime):
                st.rerun()

        state()
        if not runtime.settings.shared:
            _other_model(runtime)
        endpoint_edit(runtime, runtime.engine.endpoints.get(BUNDLED))


def _busy(runtime: Runtime) -> bool:
    return runtime.machine.coming is not None or runtime.local.state.phase == "starting"


def _state(runtime: Runtime) -> None:
    now, coming = runtime.local.state, runtime.machine.coming
    st.markdown(f"{ICONS[now.phase]} {label(now.message, 600)}")
    if coming is None:
        return
    if coming.progress is None:
        st.markdown(f":material/hourglass_top: {label(coming.message, 300)}")
    else:
        st.progress(min(1.0, coming.progress), text=label(coming.message, 300))


def _title(runtime: Runtime) -> None:
    kind = "real, small, free" if runtime.machine.bundled else "real, free"
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"**{label(runtime.local.state.title)}** · {kind}", width="stretch")
        bundled = runtime.engine.endpoints.get(BUNDLED)
        use_button(runtime, ModelRef(endpoint=BUNDLED, model=bundled.default_model))


def _other_model(runtime: Runtime) -> None:
    with st.form("other_model", border=False):
        st.text_input(
            "Run another model here",
            key="local_setting",
            placeholder="/models/qwen3-4b.gguf or owner/name",
            help="A .gguf file by its full path, or a repository of GGUF files by its Hub name, "
            "such as owner/name or owner/name:file.gguf, which is downloaded into FANOUT_HOME.",
            persist_state="session",
        )
        problem = st.session_state.get(PROBLEM) or runtime.machine.problem
        if problem:
            st.error(label(problem, 600), icon=":material/error:")
        with st.container(horizontal=True):
            st.form_submit_button(
                "Load",
                icon=":material/download:",
                key="load_local",
                on_click=_load_typed,
                args=(runtime,),
            )
            if runtime.machine.coming is not None:
                st.form_submit_button(
                    "Cancel",
                    icon=":material/close:",
                    key="cancel_local",
                    on_click=runtime.keep_local_model,
                )
                return
            if runtime.local.state.phase in ("absent", "failed"):
                st.form_submit_button(
                    "Try again",
                    icon=":material/refresh:",
                    key="again_local",
                    on_click=_load,
                    args=(runtime, runtime.machine.setting),
                )
            if not runtime.machine.bundled:
                st.form_submit_button(
                    "Back to the bundled model",
                    icon=":material/undo:",
                    key="bundled_local",
                    on_click=_load,
                    args=(runtime, ""),
                )


def _load_typed(runtime: Runtime) -> None:
    setting = (st.session_state["local_setting"] or "").strip()
    if setting or not runtime.machine.bundled:
        _load(runtime, setting)
    else:
        st.session_state[PROBLEM] = "Type the path of a .gguf file or a Hub name first."


def _load(runtime: Runtime, setting: str) -> None:
    st.session_state.pop(PROBLEM, None)
    try:
        runtime.use_local_model(setting)
    except LocalModelError as error:
        st.session_state[PROBLEM] = str(error)
