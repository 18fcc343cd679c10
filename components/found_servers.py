"""Servers that run models on this machine already, found on their usual ports."""

from __future__ import annotations

import streamlit as st

from components.plain import label
from fanout.engine.runtime import Runtime
from fanout.errors import FanoutError
from fanout.providers.discovery import FoundServer, find_local_servers
from fanout.settings import described


def found_servers(runtime: Runtime) -> None:
    """Draw them with their models; nothing running is said in one line."""
    st.subheader("Running here already", anchor=False)
    st.button("Look again", key="look_again", icon=":material/refresh:", type="tertiary")
    known = {endpoint.base_url for endpoint in runtime.engine.endpoints.all()}
    servers = [s for s in runtime.engine.call(find_local_servers) if s.base_url not in known]
    if not servers:
        st.caption(
            "No other model server answers. Ollama, LM Studio, vLLM, llama.cpp and Jan are found "
            "on their usual ports."
        )
    for server in servers:
        with st.container(border=True, horizontal=True, vertical_alignment="center"):
            st.markdown(
                f"**{label(server.name)}** at {label(server.base_url)}: "
                f"{len(server.models)} model{'s' if len(server.models) != 1 else ''}, "
                f"{label(', '.join(server.models), 120)}"
            )
            st.button(
                "Use",
                key=f"use-{server.base_url}",
                icon=":material/add:",
                help=f"Offer the models of {label(server.name)}",
                on_click=_use,
                args=(runtime, server),
            )


def _use(runtime: Runtime, server: FoundServer) -> None:
    endpoint = described(
        server.base_url,
        id=server.name.lower().replace(" ", "-").replace(".", "-"),
        name=server.name,
        default_model=server.models[0] if server.models else "",
        on_this_machine=True,
    )
    try:
        runtime.engine.endpoints.add(endpoint)
    except FanoutError as error:
        st.session_state["endpoint_notice"] = str(error)
