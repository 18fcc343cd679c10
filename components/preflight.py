"""One line before Run: how many calls, who answers, what it may cost and how that is known."""

from __future__ import annotations

from contextlib import suppress

import streamlit as st

from components.budget.words import accuracy_words, beyond, left_today
from components.choice import Choice
from components.plain import label
from fanout.endpoint import BUNDLED
from fanout.engine.foreseen import foreseen
from fanout.engine.runtime import Runtime
from fanout.errors import FanoutError, InputError, StoreError
from fanout.insight.estimate import Estimate
from fanout.render.words import usd_text
from fanout.types import ModelRef


def preflight(runtime: Runtime, choice: Choice) -> None:
    """Draw the line for what pressing Run would start."""
    if choice.problem:
        st.error(label(choice.problem, 400), icon=":material/error:")
        return
    endpoints = runtime.engine.endpoints

    def resolve(name: str) -> ModelRef:
        return endpoints.resolve(name, choice.model)

    try:
        figures = foreseen(choice.workflow, choice.topic, resolve, endpoints, runtime.store)
    except InputError as error:
        st.error(label(str(error), 400), icon=":material/error:")
        return
    parts = [_calls(figures), _who(runtime, choice.model)]
    if not (choice.model.endpoint == BUNDLED and figures.free):
        parts.append(_money(figures))
    parts += [beyond(figures, choice.workflow.policies.value().budget), _day(runtime)]
    parts.append("Ctrl+Enter runs")
    st.caption(" · ".join(filter(None, parts)), help=_about(runtime, figures))


def _about(runtime: Runtime, figures: Estimate) -> str:
    told = (
        f"About {figures.input_tokens:,} tokens in, up to {figures.output_tokens_most:,} out; "
        f"{label(figures.basis, 200)}."
    )
    with suppress(StoreError):
        past = runtime.store.estimates.past()
        if past is not None:
            told += f" {label(accuracy_words(past), 200)}."
    return told


def _day(runtime: Runtime) -> str:
    budgets = runtime.engine.budgets
    try:
        return label(left_today(budgets.today())) if budgets.caps.now().capped else ""
    except FanoutError:
        return "the day's budget can't be looked up now"


def _calls(figures: Estimate) -> str:
    branches = f"{figures.branches} branch{'es' if figures.branches != 1 else ''}"
    calls = figures.combining_calls
    if not calls:
        return branches
    return f"{branches} and {calls} combining call{'' if calls == 1 else 's'}"


def _who(runtime: Runtime, model: ModelRef) -> str:
    endpoint = runtime.engine.endpoints.get(model.endpoint)
    if endpoint.id == BUNDLED:
        kind = "real, small, free" if runtime.machine.bundled else "real, free"
        return f"{label(endpoint.name)}: {kind}"
    return f"{label(model.model or 'no model chosen')} at {label(endpoint.name)}"


def _money(figures: Estimate) -> str:
    if figures.low_usd is None or figures.high_usd is None:
        return "cost unknown: no price is known for this model"
    if figures.free:
        return "free"
    low, high = label(usd_text(figures.low_usd)), label(usd_text(figures.high_usd))
    return (
        f"about {low} to {high} for {figures.input_tokens:,} tokens in and "
        f"{figures.forecast.output_tokens_least:,} to {figures.output_tokens_most:,} out"
    )
