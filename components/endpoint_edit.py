"""What can be changed about an endpoint: its key, its own price, its limits and policies.

Not its address: a key that was typed for one server must never be sent to another.
"""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from components.endpoint_policy import fill_policy, policy_fields, typed_policy
from components.model_in_use import NOTICE
from components.own_price import fill_price, price_fields, typed_price
from components.plain import label
from fanout.endpoint import BUNDLED, Endpoint
from fanout.engine.own import OwnRuntime
from fanout.engine.runtime import Runtime
from fanout.errors import SettingsError
from fanout.settings import checked_key
from fanout.types import EndpointId

ICON = ":material/edit:"
FOR_NOW = "Changes last until the next start."


def endpoint_edit(runtime: Runtime, endpoint: Endpoint) -> None:
    """Fields to unfold; what can't be used is said in there, and stays typed."""
    if isinstance(runtime, OwnRuntime) and not runtime.may_change(endpoint.id):
        st.caption("Set up for everybody here.")
        return
    here = f"edit-{endpoint.id}"
    if f"{here}-circuit_s" not in st.session_state:
        _fill(runtime, endpoint.id)
    with (
        st.expander("Edit", icon=ICON, key=here, on_change=_fill, args=(runtime, endpoint.id)),
        st.form(f"{here}-form", border=False, enter_to_submit=False),
    ):
        if endpoint.id != BUNDLED:
            st.text_input(
                "API key",
                key=f"{here}-key",
                type="password",
                autocomplete="off",
                placeholder="Empty: it stays as it is",
            )
            price_fields(here)
            st.number_input(
                "Calls at once",
                1,
                256,
                key=f"{here}-slots",
                help="The most. After a rate limit it is halved, and grows back slowly.",
            )
        policy_fields(here, rates=endpoint.id != BUNDLED)
        if not runtime.engine.endpoints.is_added(endpoint.id):
            named = "The environment names this endpoint. " if endpoint.id != BUNDLED else ""
            st.caption(named + FOR_NOW)
        problem = st.session_state.get(f"{here}-problem")
        if problem:
            st.error(label(problem, 600), icon=":material/error:")
        st.form_submit_button(
            "Save",
            type="primary",
            key=f"{here}-save",
            icon=":material/save:",
            on_click=_save,
            args=(runtime, endpoint),
        )


def _fill(runtime: Runtime, endpoint_id: EndpointId) -> None:
    """Begin from what holds now, which another session may have changed."""
    book = runtime.engine.endpoints
    if endpoint_id in book:
        here, now = f"edit-{endpoint_id}", book.get(endpoint_id)
        st.session_state.pop(f"{here}-problem", None)
        st.session_state[f"{here}-key"] = ""
        st.session_state[f"{here}-slots"] = now.slots
        fill_price(here, now.prices.get("*"))
        fill_policy(here, now.policy)


def _save(runtime: Runtime, endpoint: Endpoint) -> None:
    here = f"edit-{endpoint.id}"
    book = runtime.engine.endpoints
    if endpoint.id not in book:
        return
    now = book.get(endpoint.id)
    changed = replace(now, policy=typed_policy(here, now.policy))
    key = None
    if endpoint.id != BUNDLED:
        try:
            key = checked_key(st.session_state[f"{here}-key"] or "", "The API key")
            price = typed_price(here)
        except SettingsError as error:
            st.session_state[f"{here}-problem"] = str(error)
            return
        # Emptied by a value, not by forgetting it: only so does the page forget it too.
        st.session_state[f"{here}-key"] = ""
        prices = {model: own for model, own in now.prices.items() if model != "*"}
        if price is not None:
            prices["*"] = price
        changed = replace(changed, slots=st.session_state[f"{here}-slots"], prices=prices)
    st.session_state.pop(f"{here}-problem", None)
    try:
        book.change(changed, key)
    except SettingsError as error:
        st.session_state[NOTICE] = str(error)
    if key is not None:
        runtime.check(endpoint.id)
    st.session_state[here] = False
