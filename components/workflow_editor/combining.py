"""How the results become one answer: the way, its prompt and its model."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import cast, get_args

import streamlit as st

from components.workflow_editor.about import max_tokens, temperature
from components.workflow_editor.draft import Draft, Row
from components.workflow_editor.fields import Form
from components.workflow_editor.policies import fallback
from fanout.workflows.combining.defaults import default_spec
from fanout.workflows.specs import WRITTEN_BY_A_MODEL, AggregateKind, AggregateSpec

NONE = "none"
WAYS = {
    NONE: "Not at all: only the branches",
    "synthesis": "Synthesis: one text made of all",
    "guided": "Guided synthesis: a checklist first, then one text",
    "table": "Comparison table: criteria by branches",
    "best": "Best of all: judges choose one",
    "vote": "Vote: answers are counted",
    "scores": "Scores by the rubric",
    "ranking": "Ranking of the texts",
    "cited": "Answer with citations",
    "fused": "Fused list of passages",
    "concatenation": "Concatenation by a template, without a model",
}
_ONLY = {
    "vote": ("moderation", "reasoning"),
    "scores": ("judges",),
    "ranking": ("judges",),
    "cited": ("research",),
    "fused": ("research",),
}
"""Ways that fit some kinds of workflow only."""


def combining(form: Form, models: Mapping[str, str]) -> None:
    """Draw the way of combining and what that way has."""
    spec = form.draft.data.get("aggregate")
    way = str(spec["kind"]) if isinstance(spec, dict) else NONE
    _way(form, way)
    if way == NONE:
        return
    here = "aggregate"
    left, right = st.columns([3, 2], gap="medium")
    with left:
        _texts(form, way)
    with right:
        form.text("Title of the answer", here, "title")
        if way == "guided":
            form.lines(
                "Points that are ticked, one a line",
                here,
                "points",
                about="None: all that the model proposes.",
            )
        if way in ("table", "best"):
            form.lines(
                "Criteria, one a line", here, "criteria", about="None: the model chooses them."
            )
        if way == "best":
            form.number("Judges", here, "judges", low=1, high=15, step=1)
        if way in WRITTEN_BY_A_MODEL:
            form.choose("Model", here, "model", options=models, new=True)
            temperature(form, here)
            max_tokens(form, here)
            fallback(form, models, here, hint="as the branches")


def _texts(form: Form, way: str) -> None:
    here = "aggregate"
    points = ", {points}" if way == "guided" else ""
    if way in WRITTEN_BY_A_MODEL:
        form.area(
            "Combining prompt",
            here,
            "prompt",
            height=200,
            about=f"May use {{topic}}, {{results}}{points} and the workflow's variables.",
        )
    elif way == "concatenation":
        form.area(
            "Text",
            here,
            "prompt",
            height=120,
            about="May use {topic}, {results} and the workflow's variables; no model.",
        )
    if way in WRITTEN_BY_A_MODEL or way == "concatenation":
        form.area(
            "How each result is written in {results}",
            here,
            "result",
            height=110,
            about="May use {title} and {text}.",
        )
    else:
        st.caption("It is computed, so there is nothing to ask a model.")


def _way(form: Form, way: str) -> None:
    draft = form.draft
    if form.read_only:
        st.markdown(WAYS.get(way, way))
        return
    fits = [w for w in WAYS if draft.kind in _ONLY.get(w, (draft.kind,)) or w == way]
    key = f"way-of-{draft.name}"
    if st.session_state.get(key) != way:
        st.session_state[key] = way
    st.selectbox(
        "Results are combined by",
        fits,
        key=key,
        format_func=WAYS.__getitem__,
        on_change=_change,
        args=(draft, key),
    )


def _change(draft: Draft, key: str) -> None:
    """Another way begins from its own prompt; what was typed for this one is found again."""
    way = st.session_state[key]
    draft.collect()
    old = draft.data.get("aggregate")
    if isinstance(old, dict):
        draft.aggregates[str(old["kind"])] = old
    new: Row | None = draft.aggregates.get(way)
    if new is None and way in get_args(AggregateKind):
        like: AggregateSpec | None = None
        with suppress(ValueError):
            like = AggregateSpec.model_validate(old) if isinstance(old, dict) else None
        new = default_spec(cast("AggregateKind", way), like).model_dump(mode="json")
    draft.replace(("aggregate",), new)
