"""Which models a `models` run compares: any offer of any endpoint, or a name that is typed."""

from __future__ import annotations

import streamlit as st

from components.plain import shortened
from fanout.engine.runtime import Offer
from fanout.workflows.definition import Models, Workflow
from fanout.workflows.specs import MAX_BRANCHES


def models_choice(workflow: Workflow, offers: tuple[Offer, ...]) -> None:
    """Draw the field for a workflow that compares models, nothing for another."""
    if not isinstance(workflow, Models):
        return
    names = {f"{offer.ref.endpoint}/{offer.ref.model}": offer.label for offer in offers}
    key = _key(workflow)
    chosen = st.session_state.setdefault(key, list(workflow.models))
    st.multiselect(
        "Models to compare",
        list(dict.fromkeys([*names, *chosen])),
        key=key,
        format_func=lambda name: shortened(names.get(name, name) or "The run's model", 60),
        placeholder="The model of the run, at several temperatures",
        accept_new_options=True,
        max_selections=MAX_BRANCHES,
        help="A typed name is asked of the run's endpoint; endpoint/name asks another one.",
        persist_state="session",
    )
    if not st.session_state[key] and not any(branch.enabled for branch in workflow.branches):
        values = ", ".join(f"{value:g}" for value in dict.fromkeys(workflow.temperatures))
        st.caption(
            f"None chosen: the run's own model is asked at the temperatures {values}. "
            "More models can be added on the Models page."
        )


def with_models(workflow: Workflow) -> Workflow:
    """The workflow with this session's models; any other kind as it is."""
    if not isinstance(workflow, Models):
        return workflow
    chosen = tuple(st.session_state.get(_key(workflow), workflow.models))
    return workflow.model_copy(update={"models": chosen})


def load_models(workflow: Workflow) -> None:
    """Take over the models of a run that was opened."""
    if isinstance(workflow, Models):
        st.session_state[_key(workflow)] = list(workflow.models)


def _key(workflow: Workflow) -> str:
    return f"models-{workflow.name}"
