"""Branches edited, added, removed and switched off before a run; files never change."""

from __future__ import annotations

import itertools

import streamlit as st

from components.plain import label, shortened
from components.policies import words
from fanout.engine.runtime import Offer
from fanout.types import ModelRef
from fanout.workflows.definition import Moderation, Reasoning, Research, Workflow
from fanout.workflows.parsing import parse
from fanout.workflows.specs import MAX_BRANCHES, BranchSpec

_uids = itertools.count(1)
RUN_MODEL = ""
_FIELDS = (
    "title", "enabled", "prompt", "temperature", "max_tokens", "times", "weight", "model",
    "fallback",
)  # fmt: skip


def edited(workflow: Workflow) -> Workflow:
    """The workflow with this session's branches. DefinitionError if they can't be run."""
    rows = _current(workflow)
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
    rows = _current(workflow)
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
    name = label(spec.title or spec.id)
    top = st.container(horizontal=True, vertical_alignment="bottom")
    top.text_input("Title", spec.title, key=f"{uid}-title", persist_state="session")
    top.toggle(
        "On",
        spec.enabled,
        key=f"{uid}-enabled",
        help=f"Run {name} or leave it out",
        persist_state="session",
    )
    top.button(
        "Remove",
        key=f"{uid}-remove",
        icon=":material/delete:",
        type="tertiary",
        help=f"Remove {name}",
        on_click=_remove,
        args=(workflow, uid),
    )
    for variable, value in spec.variables.items():
        title = label(variable).capitalize()
        st.text_input(title, value, key=f"{uid}-variable-{variable}", persist_state="session")
    if spec.prompt is not None:
        st.text_area(
            "Prompt", spec.prompt, key=f"{uid}-prompt", height=140, persist_state="session"
        )
    left, right = st.columns(2)
    left.number_input(
        "Temperature",
        0.0,
        2.0,
        spec.temperature,
        0.1,
        key=f"{uid}-temperature",
        placeholder=_placeholder(workflow.defaults.temperature),
        persist_state="session",
    )
    right.number_input(
        "Longest answer, tokens",
        1,
        200_000,
        spec.max_tokens,
        16,
        key=f"{uid}-max_tokens",
        placeholder=_placeholder(workflow.defaults.max_tokens),
        persist_state="session",
    )
    _repeats(workflow, uid, spec)
    names = {_named(offer.ref): offer.label for offer in offers}
    _model(uid, spec, names)
    _fallback(uid, spec, names)


def _repeats(workflow: Workflow, uid: str, spec: BranchSpec) -> None:
    if isinstance(workflow, Research):
        return
    left, right = st.columns(2)
    left.number_input(
        "Times",
        1,
        MAX_BRANCHES,
        spec.times,
        1,
        key=f"{uid}-times",
        help="Ask it so often at once, as so many branches.",
        persist_state="session",
    )
    if isinstance(workflow, Moderation | Reasoning):
        right.number_input(
            "Weight",
            0.1,
            1000.0,
            spec.weight,
            0.5,
            key=f"{uid}-weight",
            help="What its vote counts where votes are weighted.",
            persist_state="session",
        )


def _placeholder(default: float | None) -> str:
    return "default" if default is None else f"{default:g}"


def _model(uid: str, spec: BranchSpec, offered: dict[str, str]) -> None:
    names = {RUN_MODEL: "The model of the run", **offered}
    names.setdefault(spec.model, spec.model)
    options = list(names)
    st.selectbox(
        "Model",
        options,
        index=options.index(spec.model),
        key=f"{uid}-model",
        format_func=lambda key: names[key],
        persist_state="session",
    )


def _fallback(uid: str, spec: BranchSpec, offered: dict[str, str]) -> None:
    own = list(spec.fallback or ())
    st.multiselect(
        words.FALLBACK,
        list(dict.fromkeys([*offered, *own, *st.session_state.get(f"{uid}-fallback", [])])),
        own,
        key=f"{uid}-fallback",
        format_func=lambda name: shortened(offered.get(name) or name, 60),
        placeholder="As the policies say",
        accept_new_options=True,
        max_selections=words.MOST_FALLBACKS,
        help=words.FALLBACK_ABOUT,
        persist_state="session",
    )


def _named(ref: ModelRef) -> str:
    return f"{ref.endpoint}/{ref.model}"


def _rows(workflow: Workflow) -> list[tuple[str, BranchSpec]]:
    if f"rows-{workflow.name}" not in st.session_state:
        load_rows(workflow)
    rows: list[tuple[str, BranchSpec]] = st.session_state[f"rows-{workflow.name}"]
    return rows


def _current(workflow: Workflow) -> list[tuple[str, BranchSpec]]:
    """The rows with what the fields say now, and kept so.

    Fields are read here and not where they are drawn, because a click on Run is handled before
    anything is drawn, and a closed editor draws nothing.
    """
    rows = [(uid, _as_typed(uid, spec)) for uid, spec in _rows(workflow)]
    st.session_state[f"rows-{workflow.name}"] = rows
    return rows


def _as_typed(uid: str, spec: BranchSpec) -> BranchSpec:
    state = st.session_state
    changes: dict[str, object] = {
        field: state[f"{uid}-{field}"] for field in _FIELDS if f"{uid}-{field}" in state
    }
    if "fallback" in changes:
        # Nobody chosen: as the workflow says, or still nobody where the branch says that.
        nobody = () if spec.fallback == () else None
        changes["fallback"] = tuple(state[f"{uid}-fallback"]) or nobody
    changes["variables"] = {
        name: state.get(f"{uid}-variable-{name}", value) for name, value in spec.variables.items()
    }
    return spec.model_copy(update=changes)


def _remove(workflow: Workflow, uid: str) -> None:
    st.session_state[f"rows-{workflow.name}"] = [row for row in _current(workflow) if row[0] != uid]


def _add(workflow: Workflow) -> None:
    rows = _current(workflow)
    taken = {spec.id for _, spec in rows}
    number = next(n for n in itertools.count(len(rows) + 1) if f"branch-{n}" not in taken)
    like = rows[-1][1] if rows else next(iter(workflow.branches), None)
    prompt = None if like is None or like.prompt is None else "Write about {topic}."
    spec = BranchSpec(
        id=f"branch-{number}",
        title=f"Branch {number}",
        prompt=prompt,
        variables=dict.fromkeys(like.variables if like else (), ""),
    )
    st.session_state[f"rows-{workflow.name}"] = [*rows, (f"b{next(_uids)}", spec)]
