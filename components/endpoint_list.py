"""The endpoints that are known, how they are, and what can be done about each."""

from __future__ import annotations

from decimal import Decimal
from urllib.parse import urlsplit

import streamlit as st

from components.endpoint_edit import endpoint_edit
from components.endpoint_policy import policy_facts
from components.model_in_use import NOTICE, use_button
from components.plain import label
from fanout.endpoint import BUNDLED, Endpoint
from fanout.engine.runtime import Runtime
from fanout.errors import SettingsError
from fanout.types import FailureKind, ModelRef


def endpoint_list(runtime: Runtime) -> None:
    """One card per endpoint but the bundled one."""
    st.subheader("Endpoints", anchor=False)
    others = [e for e in runtime.engine.endpoints.all() if e.id != BUNDLED]
    if not others:
        st.caption("None yet. Any server that speaks OpenAI's protocol will do.")
    for endpoint in others:
        with st.container(border=True, key=f"endpoint-{endpoint.id}"):
            _card(runtime, endpoint)
    _watch(runtime, others)


def _card(runtime: Runtime, endpoint: Endpoint) -> None:
    host = f" · {label(endpoint.host)}" if endpoint.host != endpoint.name else ""
    st.markdown(f"**{label(endpoint.name)}**{host}")
    st.markdown(_state(runtime, endpoint))
    model = _model(runtime, endpoint)
    facts = [_price(runtime, model), f"{endpoint.slots} calls at once"]
    if runtime.engine.endpoints.has_key(endpoint.id):
        facts.append("key set")
        if _in_the_open(endpoint):
            facts.append("its key travels unencrypted")
    facts += policy_facts(endpoint.policy)
    st.caption(" · ".join(map(label, facts)))
    with st.container(horizontal=True):
        use_button(runtime, model)
        st.button(
            "Check",
            key=f"check-{endpoint.id}",
            icon=":material/network_check:",
            help=f"Ask {label(endpoint.name)} for its models again",
            on_click=_check,
            args=(runtime, endpoint),
        )
        if runtime.engine.endpoints.is_added(endpoint.id):
            st.button(
                "Remove",
                key=f"remove-{endpoint.id}",
                icon=":material/delete:",
                help=f"Forget {label(endpoint.name)} and its key",
                on_click=_remove,
                args=(runtime, endpoint),
            )
    endpoint_edit(runtime, endpoint)


def _state(runtime: Runtime, endpoint: Endpoint) -> str:
    listing = runtime.listing(endpoint.id)
    if listing is None:
        return ":material/hourglass_top: Asking for its models…"
    if listing.failure is not None:
        hint = " Press Edit to type it." if listing.failure.kind is FailureKind.AUTH else ""
        return f":red[:material/error:] {label(listing.failure.message, 600)}{hint}"
    count = len(listing.names)
    models = f"{count} model{'s' if count != 1 else ''}"
    return f":green[:material/check_circle:] It answers, with {models}."


def _model(runtime: Runtime, endpoint: Endpoint) -> ModelRef:
    listing = runtime.listing(endpoint.id)
    listed = listing.names if listing else ()
    names = list(dict.fromkeys(filter(None, (endpoint.default_model, *listed))))
    key = f"model-{endpoint.id}"
    typed = st.session_state.get(key)
    if typed and typed not in names:
        names.append(typed)
    if names and not typed:
        st.session_state[key] = names[0]
    chosen = st.selectbox(
        "Model",
        names,
        key=key,
        accept_new_options=True,
        placeholder="Type the name of a model",
        help="Any name that the server knows can be typed.",
    )
    return ModelRef(endpoint=endpoint.id, model=chosen or "")


def _in_the_open(endpoint: Endpoint) -> bool:
    parts = urlsplit(endpoint.base_url)
    return parts.scheme == "http" and parts.hostname not in ("localhost", "127.0.0.1", "::1")


def _price(runtime: Runtime, model: ModelRef) -> str:
    price = runtime.price(model)
    if price is None:
        return "price unknown"
    if price.free:
        return "free"
    return f"${_plain(price.input)} in, ${_plain(price.output)} out per million tokens"


def _plain(number: Decimal) -> str:
    return f"{number.normalize():f}"


def _check(runtime: Runtime, endpoint: Endpoint) -> None:
    runtime.check(endpoint.id)


def _remove(runtime: Runtime, endpoint: Endpoint) -> None:
    st.session_state.pop(f"model-{endpoint.id}", None)
    try:
        runtime.forget(endpoint.id)
    except SettingsError:
        st.session_state[NOTICE] = (
            f"{endpoint.name} is removed, but FANOUT_HOME can't be written: it comes back with the "
            "next start. Correct FANOUT_HOME and remove it again then."
        )


def _watch(runtime: Runtime, endpoints: list[Endpoint]) -> None:
    """Draw the page again when the last endpoint that is being asked has answered."""

    def asking() -> bool:
        return any(runtime.listing(endpoint.id) is None for endpoint in endpoints)

    waiting = asking()

    @st.fragment(run_every=0.5 if waiting else None)
    def look() -> None:
        if waiting and not asking():
            st.rerun()

    look()
