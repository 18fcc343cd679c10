"""The fields of a new batch besides its rows: workflow, model, pace, budget, way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from time import monotonic

import streamlit as st

from components.batch import words
from components.batch.pace import budget_fields, pace_fields
from components.plain import label
from fanout.batches import Batch
from fanout.endpoint import BUNDLED
from fanout.engine.own import OwnRuntime
from fanout.engine.own_endpoints import OwnEndpoints
from fanout.engine.parking import batch_api_at
from fanout.engine.runtime import Runtime
from fanout.policies import Budget
from fanout.types import ModelRef, Via
from fanout.workflows.definition import Workflow
from fanout.workflows.library import load_all

FORM = "new-batch"
ROWS_AT_ONCE = 4
BELIEVED_S = 120.0
_BATCH_API = "batch_api_known"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How fast, at most how much, and which way."""

    concurrency: int
    rows_per_minute: int | None
    budget: Budget
    via: Via


def workflow_and_model(runtime: Runtime) -> tuple[Workflow, ModelRef]:
    """Draw the two choices side by side; they begin as the Run page has them."""
    workflows = {one.name: one for one in load_all(runtime.settings.home).workflows}
    state = st.session_state
    if state.get("batch_workflow") not in workflows:
        state["batch_workflow"] = _first(state.get("workflow"), workflows)
    offers = {offer.ref: offer.label for offer in runtime.offers()}
    if state.get("batch_model") not in offers:
        last = state.get("batch_model") or state.get("model")
        state["batch_model"] = last if last in offers else runtime.fitting_model(last)
    with st.grid(2, min_column_width=280, gap="medium"):
        with st.container():
            name: str = st.selectbox(
                "Workflow",
                list(workflows),
                key="batch_workflow",
                format_func=lambda key: workflows[key].title,
                persist_state="session",
            )
            st.caption(label(workflows[name].promise, 200))
        with st.container():
            model: ModelRef = st.selectbox(
                "Model",
                list(offers),
                key="batch_model",
                format_func=lambda ref: offers[ref],
                persist_state="session",
            )
            if runtime.settings.shared and _own(runtime, model):
                st.caption(
                    "This endpoint and its key are yours and in memory only: after a restart, when "
                    "you sign out, or two minutes after you close the browser while nothing of "
                    "yours is running, the batch waits until you add it again."
                )
    return workflows[name], model


def pace(runtime: Runtime, model: ModelRef) -> Pace:
    """Draw how fast, at most how much, and which way; the endpoint's Batch API where it has one.

    What they hold stays while the rows are taken out and chosen again: a cap doesn't go by itself.
    """
    pace_fields(FORM, ROWS_AT_ONCE, None, persist_state="session")
    budget_fields(FORM, None, None, persist_state="session")
    if batch_api_there(runtime, model):
        _way()
    return typed_pace(runtime, model)


def typed_pace(runtime: Runtime, model: ModelRef) -> Pace:
    """What the fields hold now. Read once more when Start is pressed: a number that was typed a
    moment before arrives together with the click."""
    state = st.session_state
    usd = state[f"{FORM}-usd"]
    way = state.get(f"{FORM}-via") if batch_api_there(runtime, model) else None
    return Pace(
        concurrency=state[f"{FORM}-concurrency"],
        rows_per_minute=state[f"{FORM}-minute"],
        budget=Budget(
            usd=None if usd is None else Decimal(str(usd)), tokens=state[f"{FORM}-tokens"]
        ),
        via=way or Via.CALLS,
    )


def pace_of(batch: Batch, spent: Decimal) -> Pace:
    """The same of a batch that is there, with what is left of its budget."""
    usd = batch.budget.usd
    left = None if usd is None else max(Decimal(0), usd - spent)
    return Pace(
        concurrency=batch.concurrency,
        rows_per_minute=batch.rows_per_minute,
        budget=Budget(usd=left, tokens=batch.budget.tokens),
        via=batch.via,
    )


def forget_pace() -> None:
    """The batch is made: the next one's begins as usual."""
    for name in ("concurrency", "minute", "usd", "tokens", "via"):
        st.session_state.pop(f"{FORM}-{name}", None)


def _way() -> None:
    st.radio(
        "Way",
        list(Via),
        key=f"{FORM}-via",
        format_func=words.VIA.__getitem__,
        persist_state="session",
        captions=[
            "One request each, as in any run: rows fill in at once.",
            "Cheaper, answered within a day; there is nothing to watch meanwhile.",
        ],
    )


def batch_api_there(runtime: Runtime, model: ModelRef) -> bool:
    """Whether the endpoint takes batches of its own; asked now and then, since that may take a
    moment."""
    if model.endpoint == BUNDLED:
        return False
    known: dict[str, tuple[float, bool]] = st.session_state.setdefault(_BATCH_API, {})
    at, there = known.get(model.endpoint, (-BELIEVED_S, False))
    if monotonic() - at > BELIEVED_S:
        whole = runtime.whole if isinstance(runtime, OwnRuntime) else runtime
        there = batch_api_at(whole.engine, runtime.engine.endpoints, model.endpoint)
        known[model.endpoint] = (monotonic(), there)
    return there


def _first(wanted: object, workflows: Mapping[str, Workflow]) -> str:
    return wanted if isinstance(wanted, str) and wanted in workflows else next(iter(workflows))


def _own(runtime: Runtime, model: ModelRef) -> bool:
    book = runtime.engine.endpoints
    return isinstance(book, OwnEndpoints) and book.is_added(model.endpoint)
