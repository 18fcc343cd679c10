"""The input band: which workflow, which topic, which model; and Run, Stop."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import streamlit as st

from components import session
from components.branch_editor import edited, load_rows
from components.kind_choice import (
    forget_kind_choice,
    kind_fields,
    load_kind_choice,
    with_kind_choice,
)
from components.plain import label
from components.run_key import run_key
from fanout.engine.handle import RunHandle
from fanout.engine.runtime import Runtime
from fanout.errors import DefinitionError, FanoutError
from fanout.types import ModelRef
from fanout.workflows.definition import Workflow
from fanout.workflows.library import load_all


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What pressing Run would start."""

    workflow: Workflow
    """With the edits of this session."""
    filed: Workflow
    """As its file says."""
    topic: str
    model: ModelRef
    problem: str = ""
    """Why the edited branches can't be run as they are."""


def input_band(runtime: Runtime, handle: RunHandle | None) -> Choice:
    """Draw the band and return what is chosen. A run that is opened fills the fields."""
    _fill_from(handle)
    workflows = _workflows()
    if st.session_state.get("workflow") not in workflows:
        # Nothing chosen yet, or it was renamed or deleted since.
        st.session_state["workflow"] = next(iter(workflows))
    offers = {offer.ref: offer.label for offer in runtime.offers()}
    if st.session_state.get("model") not in offers:
        st.session_state["model"] = runtime.fitting_model(st.session_state.get("model"))
    with st.container(border=True, key="input_band"):
        pick, topic, go = st.columns([4, 8, 4], vertical_alignment="top", gap="medium")
        with pick:
            name = st.selectbox(
                "Workflow",
                list(workflows),
                key="workflow",
                format_func=lambda key: workflows[key].title,
                persist_state="session",
            )
            workflow = workflows[name]
            st.caption(label(workflow.promise, 200))
        with topic:
            st.text_area(
                "Topic",
                key="topic",
                height=96,
                placeholder=workflow.topic_hint or "What should the branches write about?",
                persist_state="session",
            )
            _examples(workflow)
        with go:
            st.selectbox(
                "Model",
                list(offers),
                key="model",
                format_func=lambda ref: offers[ref],
                persist_state="session",
            )
            with st.container(horizontal=True, key="go"):
                live = handle is not None and not (handle.fixed or handle.snapshot.status.finished)
                st.button(
                    "Run",
                    key="run",
                    type="primary",
                    icon=":material/play_arrow:",
                    on_click=start_chosen,
                )
                st.button(
                    "Stop",
                    key="stop",
                    icon=":material/stop:",
                    disabled=not live,
                    on_click=handle.stop if handle is not None else None,
                )
                run_key("run")
        kind_fields(workflow, runtime.offers())
    return _choice(workflow)


def start_chosen() -> None:
    """Start what the fields say; what can't be run is told beside them and nothing is lost."""
    workflows = _workflows()
    if st.session_state["workflow"] not in workflows:
        st.session_state["notice"] = "That workflow was renamed or deleted. Choose another one."
        return
    workflow = workflows[st.session_state["workflow"]]
    choice = _choice(workflow)
    if choice.problem:
        st.session_state["notice"] = choice.problem
        return
    start(choice.workflow, choice.topic, choice.model)


def start(workflow: Workflow, topic: str, model: ModelRef) -> None:
    """Start a run and show it."""
    st.session_state.pop("notice", None)
    try:
        handle = session.runtime().engine.start(workflow, topic, model)
    except FanoutError as error:
        st.session_state["notice"] = str(error)
        return
    st.session_state["filled_from"] = handle.id
    session.show_run(handle.id)


def use_example(name: str, text: str) -> Callable[[], None]:
    """A callback that puts an example into the fields."""

    def use() -> None:
        st.session_state["workflow"] = name
        st.session_state["topic"] = text

    return use


def _workflows() -> dict[str, Workflow]:
    """The shipped ones and the user's own, by name, as their files are now.

    Branches that were edited here belong to the file as it was: with another file they go.
    """
    found = {w.name: w for w in load_all(session.runtime().settings.home).workflows}
    seen: dict[str, Workflow] = st.session_state.setdefault("workflows_seen", {})
    for name, workflow in found.items():
        if name in seen and seen[name] != workflow:
            st.session_state.pop(f"rows-{name}", None)
            forget_kind_choice(name)
        seen[name] = workflow
    return found


def _choice(workflow: Workflow) -> Choice:
    topic = st.session_state.get("topic") or ""
    model = st.session_state["model"]
    try:
        chosen, problem = edited(with_kind_choice(workflow)), ""
    except DefinitionError as error:
        chosen, problem = workflow, str(error)
    return Choice(workflow=chosen, filed=workflow, topic=topic, model=model, problem=problem)


def _examples(workflow: Workflow) -> None:
    with st.container(horizontal=True, key="examples", gap="small"):
        for i, example in enumerate(workflow.examples[:3]):
            st.button(
                label(example, 32),
                key=f"example-{workflow.name}-{i}",
                type="tertiary",
                icon=":material/lightbulb:",
                on_click=use_example(workflow.name, example),
            )


def _fill_from(handle: RunHandle | None) -> None:
    """A run that was opened by its address, or by Back, brings its own topic and branches."""
    if handle is None or st.session_state.get("filled_from") == handle.id:
        return
    st.session_state["filled_from"] = handle.id
    if handle.workflow.name in _workflows():
        st.session_state["workflow"] = handle.workflow.name
        load_rows(handle.workflow)
        load_kind_choice(handle.workflow)
    st.session_state["topic"] = handle.snapshot.topic
    st.session_state["model"] = handle.model
