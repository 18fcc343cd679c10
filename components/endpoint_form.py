"""The form that adds an endpoint: its address, its key, and its own price."""

from __future__ import annotations

import re
from dataclasses import replace
from decimal import Decimal

import streamlit as st

from components.plain import label
from fanout.endpoint import Endpoint, Secret
from fanout.engine.runtime import Runtime
from fanout.errors import FanoutError, SettingsError
from fanout.settings import checked_url, described
from fanout.types import Price

FIELDS = ("new_url", "new_name", "new_key", "new_model", "new_slots", "new_input", "new_output")


def endpoint_form(runtime: Runtime) -> None:
    """Draw the form. What can't be used is said above it, and what was typed stays."""
    st.subheader("Add an endpoint", anchor=False)
    problem = st.session_state.get("new_problem")
    if problem:
        st.error(label(problem, 600), icon=":material/error:")
    with st.form("add_endpoint", enter_to_submit=False):
        left, right = st.columns(2)
        left.text_input("Base URL", key="new_url", placeholder="https://api.example.com/v1")
        right.text_input("Name", key="new_name", placeholder="made from the address")
        left.text_input("API key", key="new_key", type="password", autocomplete="off")
        right.text_input("Model", key="new_model", placeholder="its first one")
        left.number_input("Calls at once", 1, 256, 8, key="new_slots")
        with right.container():
            st.caption("Own price in dollars per million tokens; empty: looked up, or unknown")
            inside, out = st.columns(2)
            inside.number_input("Input", 0.0, None, None, key="new_input")
            out.number_input("Output", 0.0, None, None, key="new_output")
        st.form_submit_button(
            "Add", type="primary", key="add_endpoint_button", on_click=_add, args=(runtime,)
        )


def _add(runtime: Runtime) -> None:
    typed = {field: st.session_state.get(field) for field in FIELDS}
    st.session_state.pop("new_problem", None)
    try:
        endpoint = _endpoint(runtime, typed)
    except FanoutError as error:
        st.session_state["new_problem"] = str(error)
        return
    key = str(typed["new_key"] or "").strip()
    try:
        runtime.engine.endpoints.add(endpoint, Secret(key) if key else None)
    except FanoutError as error:
        st.session_state["endpoint_notice"] = str(error)
    try:
        names = runtime.ask_models(endpoint.id)
        outcome = f"It answers, with {len(names)} models."
        if not endpoint.default_model and names:
            runtime.engine.endpoints.change(replace(endpoint, default_model=names[0]))
    except FanoutError as error:
        outcome = f"Added, but: {error}"
    st.session_state[f"outcome-{endpoint.id}"] = outcome
    for field in FIELDS:
        st.session_state.pop(field, None)


def _endpoint(runtime: Runtime, typed: dict[str, object]) -> Endpoint:
    url = checked_url(str(typed["new_url"] or ""), "The base URL")
    if not url:
        raise SettingsError("The base URL is missing. It looks like https://api.example.com/v1.")
    name = str(typed["new_name"] or "").strip()
    plain = described(url, id="", name=name, default_model=str(typed["new_model"] or "").strip())
    base = re.sub(r"[^a-z0-9]+", "-", plain.name.lower()).strip("-") or "endpoint"
    taken = {str(endpoint.id) for endpoint in runtime.engine.endpoints.all()}
    number = next(n for n in range(1, 1000) if (base if n == 1 else f"{base}-{n}") not in taken)
    endpoint = described(
        url,
        id=base if number == 1 else f"{base}-{number}",
        name=plain.name,
        default_model=plain.default_model,
    )
    return replace(endpoint, slots=int(str(typed["new_slots"])), prices=_prices(typed))


def _prices(typed: dict[str, object]) -> dict[str, Price]:
    given = (typed["new_input"], typed["new_output"])
    if given == (None, None):
        return {}
    if None in given:
        raise SettingsError("A price needs both numbers: dollars per million tokens in and out.")
    return {
        "*": Price(
            input=Decimal(str(given[0])), output=Decimal(str(given[1])), source="your own price"
        )
    }
