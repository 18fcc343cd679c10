"""One line before Run: how many calls, who answers, what it may cost and how that is known."""

from __future__ import annotations

import streamlit as st

from components.choice import Choice
from components.plain import label
from fanout.endpoint import BUNDLED
from fanout.engine.runtime import Runtime
from fanout.errors import InputError
from fanout.insight.estimate import SHORT_SHARE, Estimate, estimate
from fanout.render.words import usd_text
from fanout.types import ModelRef
from fanout.workflows.run import combining_call, combining_calls, plan


def preflight(runtime: Runtime, choice: Choice) -> None:
    """Draw the line for what pressing Run would start."""
    if choice.problem:
        st.error(label(choice.problem, 400), icon=":material/error:")
        return
    endpoints = runtime.engine.endpoints

    def resolve(name: str) -> ModelRef:
        return endpoints.resolve(name, choice.model)

    try:
        plans = plan(choice.workflow, choice.topic, resolve)
    except InputError as error:
        st.error(label(str(error), 400), icon=":material/error:")
        return
    figures = estimate(
        plans,
        combining_call(choice.workflow, choice.topic, resolve),
        runtime.price,
        combining_calls=combining_calls(choice.workflow),
    )
    parts = [_calls(figures), _who(runtime, choice.model)]
    if not (choice.model.endpoint == BUNDLED and figures.free):
        parts.append(_money(figures))
    parts.append("Ctrl+Enter runs")
    st.caption(
        " · ".join(parts),
        help=f"About {figures.input_tokens:,} tokens in, at most "
        f"{figures.output_tokens_most:,} out; {label(figures.basis, 200)}.",
    )


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
    least = round(figures.output_tokens_most * SHORT_SHARE)
    return (
        f"about {low} to {high} for {figures.input_tokens:,} tokens in and {least:,} to "
        f"{figures.output_tokens_most:,} out"
    )
