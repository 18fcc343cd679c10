"""Which model this session's runs ask: said on the Models page, and changed there by a button."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from components.plain import label
from fanout.endpoint import BUNDLED
from fanout.engine.runtime import Runtime
from fanout.errors import SettingsError
from fanout.types import EndpointId, ModelRef

NOTICE = "models_notice"
_KEPT = (
    "Keys that you type stay in this process's memory until you close the browser and no run needs "
    "them: they are never written to a file, a log or an error."
)
_EVERYBODYS = (
    "Whoever can open this page can spend them, and can change what stands here for everybody."
)
_YOURS = (
    "Endpoints and keys that you add are yours alone: nobody else sees or uses them, and they are "
    "forgotten when you sign out, or have closed the browser and no run of yours needs them."
)


def model_in_use(runtime: Runtime) -> None:
    """Draw the sentence, and above it what is wrong with this installation or the last change."""
    for problem in runtime.problems:
        st.warning(label(problem, 600), icon=":material/warning:")
    notice = st.session_state.pop(NOTICE, None)
    if notice:
        st.warning(label(notice, 600), icon=":material/warning:")
    st.header(f"Your runs ask {label(_named(runtime, in_use(runtime)))}", anchor=False)
    st.caption(f"{_KEPT} {_YOURS if runtime.settings.shared else _EVERYBODYS}")


def in_use(runtime: Runtime) -> ModelRef:
    """What the Run page has chosen, or would choose."""
    chosen: ModelRef | None = st.session_state.get("model")
    if chosen is not None and chosen in {offer.ref for offer in runtime.offers()}:
        return chosen
    return runtime.fitting_model(chosen)


def use_button(runtime: Runtime, model: ModelRef) -> None:
    """Make this session's runs ask that model; disabled where they do."""
    used = in_use(runtime) == model
    st.button(
        "In use" if used else "Use for my runs",
        key=f"use-{model.endpoint}",
        icon=":material/check:" if used else ":material/play_arrow:",
        disabled=used or not (model.model or model.endpoint == BUNDLED),
        on_click=_use,
        args=(runtime, model),
    )


def changed(runtime: Runtime, endpoint_id: EndpointId, **facts: object) -> None:
    """Change an endpoint; where that could not be kept, it works and the page says so."""
    book = runtime.engine.endpoints
    if endpoint_id not in book:
        return
    try:
        book.change(replace(book.get(endpoint_id), **facts))  # type: ignore[arg-type]
    except SettingsError as error:
        st.session_state[NOTICE] = str(error)


def _use(runtime: Runtime, model: ModelRef) -> None:
    if model.endpoint != BUNDLED:
        # A name that was typed is offered on the Run page too, though the server may not list it.
        changed(runtime, model.endpoint, default_model=model.model)
    st.session_state["model"] = model


def _named(runtime: Runtime, model: ModelRef) -> str:
    endpoint = runtime.engine.endpoints.get(model.endpoint)
    if model.endpoint == BUNDLED:
        return endpoint.name
    return f"{model.model or 'the first model'} at {endpoint.name}"
