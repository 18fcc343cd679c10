"""The endpoints that are known, how they are, and which of their models stands first."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from components.plain import label
from fanout.endpoint import BUNDLED, Endpoint, Secret
from fanout.engine.runtime import Runtime
from fanout.errors import FanoutError
from fanout.types import ModelRef


def endpoint_list(runtime: Runtime) -> None:
    """One card per endpoint but the bundled one."""
    st.subheader("Endpoints", anchor=False)
    notice = st.session_state.pop("endpoint_notice", None)
    if notice:
        st.warning(label(notice, 600), icon=":material/warning:")
    others = [e for e in runtime.engine.endpoints.all() if e.id != BUNDLED]
    if not others:
        st.caption("None yet. Any server that speaks OpenAI's protocol will do.")
    for endpoint in others:
        with st.container(border=True):
            _card(runtime, endpoint)


def _card(runtime: Runtime, endpoint: Endpoint) -> None:
    book = runtime.engine.endpoints
    price = runtime.price(ModelRef(endpoint=endpoint.id, model=endpoint.default_model))
    key = "key set" if book.has_key(endpoint.id) else "no key"
    cost = "price unknown"
    if price is not None:
        cost = "free" if price.free else f"${price.input:g} in, ${price.output:g} out per million"
    st.markdown(f"**{label(endpoint.name)}** · {label(endpoint.host)}")
    st.caption(f"{endpoint.slots} calls at once · {key} · {label(cost)}")
    names = list(
        dict.fromkeys(n for n in (endpoint.default_model, *runtime.models(endpoint.id)) if n)
    )
    if names:
        chosen = st.selectbox("First model", names, key=f"first-{endpoint.id}")
        if chosen != endpoint.default_model:
            book.change(replace(endpoint, default_model=chosen))
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.text_input(
            "Key",
            key=f"key-{endpoint.id}",
            type="password",
            autocomplete="off",
            placeholder="leave empty to keep it",
        )
        st.button("Set key", key=f"set-{endpoint.id}", on_click=_set_key, args=(runtime, endpoint))
        st.button(
            "Check",
            key=f"check-{endpoint.id}",
            icon=":material/network_check:",
            on_click=_check,
            args=(runtime, endpoint),
        )
        if book.is_added(endpoint.id):
            st.button(
                "Remove",
                key=f"remove-{endpoint.id}",
                icon=":material/delete:",
                on_click=book.remove,
                args=(endpoint.id,),
            )
    outcome = st.session_state.get(f"outcome-{endpoint.id}")
    if outcome:
        st.caption(label(outcome, 600))


def _set_key(runtime: Runtime, endpoint: Endpoint) -> None:
    text = st.session_state.pop(f"key-{endpoint.id}", "").strip()
    if text:
        runtime.engine.endpoints.change(endpoint, Secret(text))
        _check(runtime, endpoint)


def _check(runtime: Runtime, endpoint: Endpoint) -> None:
    try:
        names = runtime.ask_models(endpoint.id)
    except FanoutError as error:
        outcome = str(error)
    else:
        runtime.models(endpoint.id, fresh=True)
        outcome = f"It answers, with {len(names)} model{'s' if len(names) != 1 else ''}."
    st.session_state[f"outcome-{endpoint.id}"] = outcome
