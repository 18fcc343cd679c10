"""The policies of a run: one calm line that says them all, and short groups of fields to unfold."""

from __future__ import annotations

from collections.abc import Iterable

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from components.plain import label, shortened
from components.policies import words
from components.policies.edits import begin, key_of, load_policies
from components.policies.numbers import ANSWER_AFTER, DEADLINES, RETRIES, Number
from fanout.engine.runtime import Offer
from fanout.render.policy_words import policy_sentence
from fanout.workflows.definition import Workflow


def policies_area(workflow: Workflow, filed: Workflow, offers: tuple[Offer, ...]) -> None:
    """The fields for the workflow as it would be run; `filed` is what its file says."""
    with st.expander(
        "Policies",
        icon=":material/shield:",
        key="policies_area",
        on_change="rerun",
    ) as area:
        if area.open:
            _groups(workflow, offers)
            st.button(
                "Back to the workflow's own",
                key="reset_policies",
                icon=":material/undo:",
                on_click=load_policies,
                args=(filed,),
            )


def policies_line(workflow: Workflow) -> None:
    """What holds for the run that would be started. Apart from the fields: an expander whose label
    changes closes itself."""
    st.caption(label(sentence(workflow), 300))


def sentence(workflow: Workflow) -> str:
    """ "Waits for all · 4 attempts · 2 min to the first word · no budget"."""
    models = {model for spec in workflow.active for model in workflow.fallback_of(spec.fallback)}
    if workflow.aggregate is not None:
        models |= {*workflow.fallback_of(workflow.aggregate.fallback)}
    return policy_sentence(
        workflow.policies.value(),
        workflow.deadlines.value(),
        branches=len(workflow.active),
        fallbacks=len(models),
    )


def _groups(workflow: Workflow, offers: tuple[Offer, ...]) -> None:
    begin(workflow)
    with st.grid(min_column_width=320, key="policy_groups"):
        if workflow.aggregate is not None and len(workflow.active) > 1:
            with _group("The combined answer"):
                _fan_in(workflow)
        with _group("Deadlines, in seconds"):
            _numbers(workflow, DEADLINES)
        with _group("Retries"):
            _numbers(workflow, RETRIES)
        with _group("Other models"):
            _fallback(workflow, offers)
        with _group("Speed"):
            _speed(workflow)
        with _group(words.BUDGET):
            _budget(workflow)


def _group(title: str) -> DeltaGenerator:
    box = st.container(border=True)
    box.markdown(f"**{title}**")
    return box


def _fan_in(workflow: Workflow) -> None:
    count = len(workflow.active)
    key = key_of(workflow.name, "wait")
    wait = st.selectbox(
        "Wait for",
        list(words.WAITS),
        key=key,
        format_func=lambda one: words.WAITS[one].capitalize(),
        help=words.WAIT_ABOUT,
        persist_state="session",
    )
    if wait in ("k", "either"):
        needed = key_of(workflow.name, "k")
        st.session_state[needed] = min(st.session_state[needed] or 1, count)
        st.number_input(
            f"{words.ENOUGH}, of {count}",
            1,
            count,
            step=1,
            key=needed,
            persist_state="session",
        )
    if wait in ("deadline", "either"):
        _number(workflow, ANSWER_AFTER)


def _budget(workflow: Workflow) -> None:
    st.number_input(
        words.USD,
        words.LEAST_USD,
        words.MOST_USD,
        None,
        0.05,
        key=key_of(workflow.name, "usd"),
        format="%g",
        placeholder=words.NO_CAP,
        help=words.BUDGET_ABOUT,
        persist_state="session",
    )
    st.number_input(
        words.TOKENS,
        0,
        words.MOST_TOKENS,
        None,
        1000,
        key=key_of(workflow.name, "tokens"),
        placeholder=words.NO_CAP,
        persist_state="session",
    )


def _speed(workflow: Workflow) -> None:
    st.selectbox(
        words.PREFIX,
        list(words.PREFIXES),
        key=key_of(workflow.name, "prefix"),
        format_func=words.PREFIXES.__getitem__,
        help=words.PREFIX_ABOUT,
        persist_state="session",
    )
    st.toggle(
        words.HEDGING,
        key=key_of(workflow.name, "hedging"),
        help=words.HEDGING_ABOUT,
        persist_state="session",
    )


def _fallback(workflow: Workflow, offers: tuple[Offer, ...]) -> None:
    _models(workflow, "fallback", words.FALLBACK, words.FALLBACK_EMPTY, offers)
    if workflow.aggregate is not None:
        _models(
            workflow,
            "answer_fallback",
            words.ANSWER_FALLBACK,
            words.ANSWER_FALLBACK_EMPTY,
            offers,
        )


def _models(
    workflow: Workflow, field: str, title: str, empty: str, offers: tuple[Offer, ...]
) -> None:
    names = {f"{offer.ref.endpoint}/{offer.ref.model}": offer.label for offer in offers}
    key = key_of(workflow.name, field)
    st.multiselect(
        title,
        list(dict.fromkeys([*names, *st.session_state[key]])),
        key=key,
        format_func=lambda name: shortened(names.get(name) or name, 60),
        placeholder=empty,
        accept_new_options=True,
        max_selections=words.MOST_FALLBACKS,
        help=words.FALLBACK_ABOUT,
        persist_state="session",
    )


def _numbers(workflow: Workflow, numbers: Iterable[Number]) -> None:
    with st.grid(2, min_column_width=120):
        for number in numbers:
            _number(workflow, number)


def _number(workflow: Workflow, number: Number) -> None:
    kind = type(number.step)
    key = key_of(workflow.name, number.key)
    now = st.session_state[key]
    # A file may hold a whole number where the field counts in tenths.
    st.session_state[key] = now if now is None else kind(now)
    st.number_input(
        number.title,
        kind(number.low),
        kind(number.high),
        None,
        number.step,
        key=key,
        format="%d" if kind is int else "%g",
        placeholder=number.empty or "as the workflow says",
        help=number.about,
        persist_state="session",
    )
