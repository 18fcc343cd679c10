"""The policies of a workflow: the fields that the Run page has too, saved with the workflow."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from components.policies import words
from components.policies.numbers import ANSWER_AFTER, DEADLINES, RETRIES, Number
from components.workflow_editor.fields import Form
from fanout.workflows.specs import MAX_BRANCHES


def policies(form: Form, models: Mapping[str, str]) -> None:
    """Draw them in short groups; what a run is given on its own page is changed there."""
    here = "policies"
    with st.grid(min_column_width=320, key="workflow_policies"):
        with _group("The combined answer waits for"):
            _fan_in(form)
        with _group("Deadlines, in seconds"):
            _numbers(form, DEADLINES)
        with _group("Retries"):
            _numbers(form, RETRIES)
        with _group("Other models"):
            fallback(form, models, "defaults", hint=words.FALLBACK_EMPTY)
        with _group("Speed"):
            form.choose(
                words.PREFIX, here, "prefix", options=words.PREFIXES, about=words.PREFIX_ABOUT
            )
            form.switch(words.HEDGING, here, "hedging", "enabled", about=words.HEDGING_ABOUT)
        with _group(words.BUDGET):
            form.money(
                words.USD, here, "budget", "usd", low=words.LEAST_USD, high=words.MOST_USD,
                hint=words.NO_CAP, about=words.BUDGET_ABOUT,
            )  # fmt: skip
            form.number(
                words.TOKENS, here, "budget", "tokens", low=0, high=words.MOST_TOKENS, step=1000,
                hint=words.NO_CAP,
            )  # fmt: skip


def fallback(form: Form, models: Mapping[str, str], *table: str, hint: str) -> None:
    """Which models are asked where the first one can't answer."""
    form.several(
        words.FALLBACK,
        *table,
        "fallback",
        options={name: told for name, told in models.items() if name},
        most=words.MOST_FALLBACKS,
        nothing=[] if table == ("defaults",) else None,
        hint=hint,
        about=words.FALLBACK_ABOUT,
    )


def _group(title: str) -> DeltaGenerator:
    box = st.container(border=True)
    box.markdown(f"**{title}**")
    return box


def _fan_in(form: Form) -> None:
    if form.draft.data.get("aggregate") is None:
        st.caption("Nothing is combined, so nothing waits.")
        return
    form.number(
        words.ENOUGH, "policies", "fan_in", "k", low=1, high=MAX_BRANCHES, step=1, hint="all",
        about=words.WAIT_ABOUT,
    )  # fmt: skip
    _number(form, ANSWER_AFTER)


def _numbers(form: Form, numbers: Iterable[Number]) -> None:
    with st.grid(2, min_column_width=120):
        for number in numbers:
            with st.container():
                _number(form, number)


def _number(form: Form, number: Number) -> None:
    form.number(
        number.title, *number.path, low=number.low, high=number.high, step=number.step,
        hint=number.empty, about=number.about,
    )  # fmt: skip
