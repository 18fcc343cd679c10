"""Branches edited, added, removed and switched off before a run; files never change."""

from __future__ import annotations

import itertools
import re

import streamlit as st

from components.plain import label
from fanout.engine.runtime import Offer
from fanout.types import ModelRef
from fanout.workflows.definition import BranchSpec, Workflow, parse

_uids = itertools.count(1)
RUN_MODEL = ""


def edited(workflow: Workflow) -> Workflow:
    """The workflow with this session's branches. DefinitionError if they can't be run."""
    rows = _rows(workflow)
    return parse(
        {
            **workflow.model_dump(exclude={"name"}),
            "branches": [spec.model_dump() for _, spec in rows],
        },
        name=workflow.name,
    )


def load_rows(workflow: Workflow) -> None:
    """Start editing from these branches, whatever was edited before."""
    rows = [(f"b{next(_uids)}", spec) for spec in workflow.branches]
    st.session_state[f"rows-{workflow.name}"] = rows


def branch_editor(workflow: Workflow, offers: tuple[Offer, ...]) -> None:
    """One card per branch, and what every one of them may change."""
    rows = _rows(workflow)
    with st.grid(min_column_width=360, key="branch_cards"):
        for uid, spec in rows:
            with st.container(border=True):
                _card(workflow, uid, spec, offers)
    with st.container(horizontal=True):
        st.button(
            "Add a branch", key="add_branch", icon=":material/add:", on_click=_add, args=(workflow,)
        )
        st.button(
            "Back to the shipped branches",
            key="reset_branches",
            icon=":material/undo:",
            on_click=load_rows,
            args=(workflow,),
        )


def _card(workflow: Workflow, uid: str, spec: BranchSpec, offers: tuple[Offer, ...]) -> None:
    name = label(spec.title)
    top = st.container(horizontal=True, vertical_alignment="bottom")
    title = top.text_input("Title", spec.title, key=f"{uid}-title")
    enabled = top.toggle("On", spec.enabled, key=f"{uid}-on", help=f"Run {name} or leave it out")
    top.button(
        "Remove",
        key=f"{uid}-remove",
        icon=":material/delete:",
        type="tertiary",
        help=f"Remove {name}",
        on_click=_remove,
        args=(workflow, uid),
    )
    variables = {
        key: st.text_input(label(key).capitalize(), value, key=f"{uid}-var-{key}")
        for key, value in spec.variables.items()
    }
    prompt = spec.prompt
    if prompt is not None:
        prompt = st.text_area("Prompt", prompt, key=f"{uid}-prompt", height=140)
    left, right = st.columns(2)
    temperature = left.number_input(
        "Temperature",
        0.0,
        2.0,
        spec.temperature,
        0.1,
        key=f"{uid}-temperature",
        placeholder=str(workflow.defaults.temperature or "the model's own"),
    )
    max_tokens = right.number_input(
        "Longest answer, tokens",
        1,
        200_000,
        spec.max_tokens,
        16,
        key=f"{uid}-tokens",
        placeholder=str(workflow.defaults.max_tokens or "the model's own"),
    )
    model = _model(uid, spec, offers)
    changed = spec.model_copy(
        update={
            "title": title,
            "enabled": enabled,
            "variables": variables,
            "prompt": prompt,
            "temperature": temperature,
            "max_tokens": max_tokens,
            "model": model,
        }
    )
    _put(workflow, uid, changed)


def _model(uid: str, spec: BranchSpec, offers: tuple[Offer, ...]) -> str:
    names = {RUN_MODEL: "The model of the run"}
    names |= {_named(offer.ref): offer.label for offer in offers}
    names.setdefault(spec.model, spec.model)
    options = list(names)
    return st.selectbox(
        "Model",
        options,
        index=options.index(spec.model),
        key=f"{uid}-model",
        format_func=lambda key: names[key],
    )


def _named(ref: ModelRef) -> str:
    return f"{ref.endpoint}/{ref.model}"


def _rows(workflow: Workflow) -> list[tuple[str, BranchSpec]]:
    if f"rows-{workflow.name}" not in st.session_state:
        load_rows(workflow)
    rows: list[tuple[str, BranchSpec]] = st.session_state[f"rows-{workflow.name}"]
    return rows


def _put(workflow: Workflow, uid: str, spec: BranchSpec) -> None:
    st.session_state[f"rows-{workflow.name}"] = [
        (row, spec if row == uid else old) for row, old in _rows(workflow)
    ]


def _remove(workflow: Workflow, uid: str) -> None:
    st.session_state[f"rows-{workflow.name}"] = [row for row in _rows(workflow) if row[0] != uid]


def _add(workflow: Workflow) -> None:
    rows = _rows(workflow)
    taken = {spec.id for _, spec in rows}
    number = next(n for n in itertools.count(len(rows) + 1) if f"branch-{n}" not in taken)
    like = rows[-1][1] if rows else workflow.branches[0]
    spec = BranchSpec(
        id=f"branch-{number}",
        title=f"Branch {number}",
        prompt=None if like.prompt is None else "Write about {topic}.",
        variables=dict.fromkeys(like.variables, ""),
    )
    st.session_state[f"rows-{workflow.name}"] = [*rows, (f"b{next(_uids)}", spec)]


def slug(title: str) -> str:
    """An id made of a title: lower case, letters, digits and hyphens."""
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")[:40] or "branch"
