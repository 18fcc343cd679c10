"""The form that adds an endpoint: its address, its key, and its own price."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from components.model_in_use import NOTICE
from components.own_price import price_fields, typed_price
from components.plain import label
from fanout.endpoint import BUNDLED, Endpoint
from fanout.engine.runtime import Runtime
from fanout.errors import FanoutError, SettingsError
from fanout.settings import checked_key, checked_url, described, same_place

FIELDS = {
    "new_url": "",
    "new_name": "",
    "new_key": "",
    "new_model": "",
    "new_embedding_model": "",
    "new_slots": 8,
    "new-input": None,
    "new-output": None,
}
PROBLEM = "new_problem"


def endpoint_form(runtime: Runtime) -> None:
    """Draw the form. What can't be used is said in it, and what was typed stays."""
    st.subheader("Add an endpoint", anchor=False)
    with st.form("add_endpoint", enter_to_submit=False):
        st.text_input(
            "Base URL",
            key="new_url",
            placeholder="https://api.example.com/v1",
            max_chars=500,
            persist_state="session",
        )
        st.text_input(
            "API key",
            key="new_key",
            type="password",
            autocomplete="off",
            placeholder="Empty: it wants none",
            help="Sent to this address only. It is asked for again after a restart.",
        )
        left, right = st.columns(2)
        left.text_input(
            "Name",
            key="new_name",
            placeholder="Its address",
            max_chars=60,
            persist_state="session",
        )
        right.text_input(
            "Model",
            key="new_model",
            placeholder="The first it lists",
            max_chars=200,
            persist_state="session",
        )
        st.text_input(
            "Embedding model",
            key="new_embedding_model",
            placeholder="None",
            max_chars=200,
            help="Finds passages by meaning and compares what branches say. Optional.",
            persist_state="session",
        )
        price_fields("new")
        st.session_state.setdefault("new_slots", FIELDS["new_slots"])
        st.number_input(
            "Calls at once",
            1,
            256,
            key="new_slots",
            help="The most, over all runs. Limits and policies are set under Edit afterwards.",
        )
        problem = st.session_state.get(PROBLEM)
        if problem:
            st.error(label(problem, 600), icon=":material/error:")
        st.form_submit_button(
            "Add endpoint",
            type="primary",
            icon=":material/add:",
            key="add_endpoint_button",
            on_click=_add,
            args=(runtime,),
        )


def _add(runtime: Runtime) -> None:
    st.session_state.pop(PROBLEM, None)
    try:
        endpoint = _typed(runtime)
        key = checked_key(_text("new_key"), "The API key")
    except FanoutError as error:
        st.session_state[PROBLEM] = str(error)
        return
    try:
        runtime.engine.endpoints.add(endpoint, key)
    except SettingsError as error:
        st.session_state[NOTICE] = str(error)
    runtime.check(endpoint.id)
    # Emptied by values, not by forgetting them: only so does the page forget the key too.
    for field, empty in FIELDS.items():
        st.session_state[field] = empty


def _typed(runtime: Runtime) -> Endpoint:
    url = checked_url(_text("new_url"), "The base URL")
    if not url:
        raise SettingsError("The base URL is missing. It looks like https://api.example.com/v1.")
    name = "".join(c for c in _text("new_name") if c.isprintable()).strip()
    _refuse_twice(runtime, url, name)
    plain = described(url, id="", name=name, default_model=_text("new_model").strip())
    price = typed_price("new")
    return replace(
        plain,
        id=runtime.engine.endpoints.free_id(plain.name),
        embedding_model=_text("new_embedding_model").strip(),
        slots=st.session_state["new_slots"],
        prices={} if price is None else {"*": price},
    )


def _refuse_twice(runtime: Runtime, url: str, name: str) -> None:
    for other in runtime.engine.endpoints.all():
        if name and other.name.casefold() == name.casefold():
            raise SettingsError(f"There is an endpoint named {other.name}. Choose another name.")
        if not name and other.id != BUNDLED and same_place(other.base_url, url):
            raise SettingsError(
                f"{other.name} has this address already: its key and price can be changed there. "
                "To add the address once more, as for a second key, give it a name."
            )


def _text(field: str) -> str:
    return str(st.session_state.get(field) or "")
