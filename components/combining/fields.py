"""What can be set about a new combined answer, and what is wrong with it, beside its field."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import streamlit as st

from components.combining.points import being_proposed, lines, points_fields
from components.plain import label
from fanout.engine.handle import RunHandle
from fanout.engine.runtime import Offer
from fanout.errors import DefinitionError
from fanout.workflows.combining.defaults import TITLES, default_spec
from fanout.workflows.specs import WRITTEN_BY_A_MODEL, AggregateKind, AggregateSpec
from fanout.workflows.templates import check

RUN_MODEL = ""
MOST_JUDGES = 15
ROOM: dict[AggregateKind, int] = {"guided": 400, "table": 900, "best": 300}
"""Tokens below which an answer of that kind is likely to be cut off."""
_VARIABLES: dict[AggregateKind, str] = {
    "guided": "{results} are the branches' texts, {topic} the topic, {points} the points.",
    "table": "{results} are the branches' texts, {topic} the topic, {points} the criteria.",
    "best": "{results} are the branches' texts, {topic} the topic, {points} the criteria.",
    "cited": "{results} are the numbered passages, {topic} the question.",
}
_OTHERWISE = "{results} are the branches' texts, {topic} the topic."


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What pressing the button would begin."""

    button: str
    spec: AggregateSpec | None
    """None: something is wrong, and is said beside its field."""
    other: AggregateSpec | None = None
    """Guided only: what a second button, for other points, would begin."""


def draft(handle: RunHandle, kind: AggregateKind, offers: tuple[Offer, ...]) -> Draft:
    """Draw the fields that this kind has, and read them."""
    spec = default_spec(kind, handle.workflow.aggregate)
    if kind not in WRITTEN_BY_A_MODEL and kind != "concatenation":
        return Draft(button="Combine", spec=spec.model_copy(update={"title": TITLES[kind]}))
    changes: dict[str, object] = {}
    points = points_fields(handle) if kind == "guided" else None
    if kind in ("table", "best"):
        changes |= _criteria(handle, kind)
    if kind in WRITTEN_BY_A_MODEL:
        changes |= _model(handle, spec, offers)
    prompt, wrong = _prompt(handle, spec)
    if kind == "best" and changes["criteria"] and "{points}" not in prompt:
        prompt = f"{prompt}\n\nJudge by: {{points}}."
    spec = spec.model_copy(update={**changes, "prompt": prompt})
    if kind == "guided":
        return _guided(handle, spec, points, wrong=wrong)
    return Draft(button="Combine", spec=None if wrong else spec)


def _guided(
    handle: RunHandle, spec: AggregateSpec, points: tuple[str, ...] | None, *, wrong: bool
) -> Draft:
    fresh = None if wrong else spec.model_copy(update={"points": ()})
    if points is None:
        if being_proposed(handle.snapshot):
            st.caption("The points are being proposed; they will stand here.")
        return Draft(button="Propose points and write", spec=fresh)
    if not points:
        st.warning("Tick a point, or write one of your own.", icon=":material/info:")
    ready = spec.model_copy(update={"points": points}) if points and not wrong else None
    return Draft(button="Write with these points", spec=ready, other=fresh)


def _criteria(handle: RunHandle, kind: AggregateKind) -> dict[str, object]:
    typed = st.text_area(
        "Criteria, one per line",
        key=key(handle, kind, "criteria"),
        height=68,
        placeholder="Empty: the model chooses" if kind == "table" else "Empty: which is best",
        persist_state="session",
    )
    criteria = tuple(line[:40] for line in lines(typed))
    if kind == "table":
        return {"criteria": criteria}
    judges = st.number_input(
        "Judges", 1, MOST_JUDGES, 3, key=key(handle, kind, "judges"), persist_state="session"
    )
    return {"criteria": criteria, "judges": int(judges)}


def _model(handle: RunHandle, spec: AggregateSpec, offers: tuple[Offer, ...]) -> dict[str, object]:
    names = {RUN_MODEL: "The model of the run"}
    names |= {f"{offer.ref.endpoint}/{offer.ref.model}": offer.label for offer in offers}
    names.setdefault(spec.model, spec.model)
    left, right = st.columns(2)
    model = left.selectbox(
        "Model that combines",
        list(names),
        index=list(names).index(spec.model),
        key=key(handle, spec.kind, "model"),
        format_func=lambda name: names[name],
        persist_state="session",
    )
    room = max(spec.max_tokens, ROOM.get(spec.kind, 0)) if spec.max_tokens else None
    longest = right.number_input(
        "Longest answer, tokens",
        1,
        200_000,
        room,
        16,
        key=key(handle, spec.kind, "max_tokens"),
        placeholder="default",
        persist_state="session",
    )
    return {"model": model, "max_tokens": None if longest is None else int(longest)}


def _prompt(handle: RunHandle, spec: AggregateSpec) -> tuple[str, bool]:
    """The prompt as typed, and whether it can't be used; why stands beside it."""
    joined = spec.kind == "concatenation"
    prompt = st.text_area(
        "Template" if joined else "Combining prompt",
        spec.prompt.strip(),
        key=key(handle, spec.kind, "prompt"),
        height=150,
        persist_state="session",
    )
    st.caption(_VARIABLES.get(spec.kind, _OTHERWISE))
    problem = _problem(prompt, spec.kind, handle.workflow.variables)
    if problem:
        st.error(label(problem, 400), icon=":material/error:")
    elif "{results}" not in prompt:
        st.warning(
            "Without {results} it does not see what the branches wrote.",
            icon=":material/warning:",
        )
    return prompt, bool(problem)


def _problem(prompt: str, kind: AggregateKind, variables: Collection[str]) -> str:
    if not prompt.strip():
        return "It is empty. Write what the answer should be made of: {results} at least."
    try:
        check(prompt, {"topic", "results", "points", *variables}, "It")
    except DefinitionError as error:
        return str(error)
    if kind == "guided" and "{points}" not in prompt:
        return "A guided synthesis needs {points}: that is where the ticked points go."
    return ""


def key(handle: RunHandle, kind: AggregateKind, field: str) -> str:
    return f"combine-{handle.id}-{kind}-{field}"
