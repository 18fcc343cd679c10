"""Servers that run models on this machine already, found on their usual ports."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import urlsplit

import streamlit as st

from components.model_in_use import NOTICE
from components.plain import label
from fanout.engine.runtime import Runtime
from fanout.errors import SettingsError
from fanout.providers.discovery import FoundServer
from fanout.settings import described, same_place


def found_servers(runtime: Runtime) -> None:
    """Draw them with their models; nothing running is said in one line.

    Nothing where Fanout is shared: what else runs on its machine is not its visitors'.
    """
    if runtime.settings.shared:
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        st.subheader("Running here already", anchor=False, width="stretch")
        fresh = st.button(
            "Look again", key="look_again", icon=":material/refresh:", type="tertiary"
        )
    known = runtime.engine.endpoints.all()
    servers = [
        server
        for server in runtime.found_servers(fresh=fresh)
        if not any(same_place(server.base_url, endpoint.base_url) for endpoint in known)
    ]
    if not servers:
        names = list(runtime.usual_ports.values())
        st.caption(
            f"No other model server answers here. {label(', '.join(names[:-1]))} and "
            f"{label(names[-1])} are found when they run on their usual ports."
        )
    for server in servers:
        port = urlsplit(server.base_url).port
        with st.container(border=True, key=f"found-{port}"):
            _card(runtime, server, port)


def _card(runtime: Runtime, server: FoundServer, port: int | None) -> None:
    name = label(server.name)
    count = len(server.models)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"**{name}** · {label(_host(server))}, its usual port", width="stretch")
        st.button(
            f"Add {name}",
            key=f"add-found-{port}",
            icon=":material/add:",
            help="It counts as running on this machine, so as free; a price can be set afterwards.",
            on_click=_add,
            args=(runtime, server),
        )
    st.caption(
        f"{count} model{'s' if count != 1 else ''}: {label(', '.join(server.models), 300)}"
        if count
        else "It answers, but has no model yet."
    )


def _host(server: FoundServer) -> str:
    return urlsplit(server.base_url).netloc


def _add(runtime: Runtime, server: FoundServer) -> None:
    book = runtime.engine.endpoints
    endpoint = described(
        server.base_url,
        id=book.free_id(server.name),
        name=server.name,
        default_model=server.models[0] if server.models else "",
        on_this_machine=True,
    )
    taken = {other.name for other in book.all()}
    if endpoint.name in taken:
        endpoint = replace(endpoint, name=f"{server.name} at {_host(server)}")
    try:
        book.add(endpoint)
    except SettingsError as error:
        st.session_state[NOTICE] = str(error)
    runtime.check(endpoint.id)
