"""What a person may choose for a run beside its branches: votes, models, documents, policies."""

from __future__ import annotations

import streamlit as st

from components.documents import load_documents, with_documents
from components.models_choice import load_models, models_choice, with_models
from components.policies import forget_policies, load_policies, with_policies
from components.vote_choice import load_vote, vote_choice, with_vote
from fanout.engine.runtime import Offer
from fanout.workflows.definition import Workflow


def kind_fields(workflow: Workflow, offers: tuple[Offer, ...]) -> None:
    """Draw the fields that stand near the topic; documents and policies have areas of their own."""
    vote_choice(workflow)
    models_choice(workflow, offers)


def with_kind_choice(workflow: Workflow) -> Workflow:
    """The workflow as this session chose; whether it can be run is checked with its branches."""
    return with_policies(with_documents(with_models(with_vote(workflow))))


def load_kind_choice(workflow: Workflow) -> None:
    """Take over what a run that was opened had chosen."""
    load_vote(workflow)
    load_models(workflow)
    load_documents(workflow)
    load_policies(workflow)


def forget_kind_choice(name: str) -> None:
    """Begin again from the workflow's file, which has changed since."""
    for field in ("rule", "k", "early_stop", "models", "documents"):
        st.session_state.pop(f"{field}-{name}", None)
    forget_policies(name)
