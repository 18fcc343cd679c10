"""The card of the model on this machine: what it is, how it is, and how to run a better one."""

from __future__ import annotations

import streamlit as st

from components.plain import label
from fanout.engine.runtime import Runtime

_ICONS = {
    "ready": ":material/check_circle:",
    "starting": ":material/hourglass_top:",
    "stopped": ":material/bedtime:",
    "absent": ":material/error:",
    "failed": ":material/error:",
}


def local_model(runtime: Runtime) -> None:
    """Draw the card; it refreshes itself while a model is being fetched or loaded."""
    st.subheader("On this machine", anchor=False)
    with st.container(border=True, key="local_model"):
        starting = runtime.local.state.phase == "starting"

        @st.fragment(run_every=1.0 if starting else None)
        def state() -> None:
            now = runtime.local.state
            st.markdown(f"**{label(now.title)}**: real, small, free")
            st.markdown(f"{_ICONS[now.phase]} {label(now.message, 600)}")
            if now.progress is not None:
                st.progress(min(1.0, now.progress), text=f"{now.progress:.0%} downloaded")
            if starting and now.phase != "starting":
                st.rerun()

        state()
        _other_model(runtime)


def _other_model(runtime: Runtime) -> None:
    with st.form("other_model", border=False):
        st.text_input(
            "Run another model here",
            key="local_setting",
            placeholder="/models/qwen3-4b.gguf, or owner/name of a GGUF repository",
            help="A .gguf file by its path, or a repository by its Hub name: the file is "
            "downloaded into FANOUT_HOME. Empty: the bundled model.",
        )
        st.form_submit_button(
            "Load", icon=":material/download:", key="load_local", on_click=_load, args=(runtime,)
        )


def _load(runtime: Runtime) -> None:
    runtime.use_local_model(st.session_state["local_setting"].strip())
    st.session_state.pop("model", None)
