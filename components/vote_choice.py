"""How votes will be counted, chosen before the run: the rule, and when to stop early."""

from __future__ import annotations

import streamlit as st

from fanout.workflows.definition import Moderation, Reasoning, Workflow
from fanout.workflows.specs import MAX_BRANCHES, VoteSpec

RULES = {
    "majority": "More than half",
    "unanimity": "All must allow",
    "any_block": "Any block decides",
    "k_of_n": "A number of votes",
    "weighted": "Weighted votes",
    "plurality": "Most votes",
}
RULE_HELP = (
    "More than half: of the valid votes, else no decision. "
    "All must allow: one vote against, or one abstention, and it isn't allowed. "
    "Any block decides: one block is enough. "
    "A number of votes: the strictest verdict that so many give. "
    "Weighted: each branch counts by its weight, set under Edit branches. "
    "Most votes: equals are a tie."
)
EARLY_STOPS = {
    "never": "Never",
    "decided": "When nothing can change",
    "likely": "When 95 % sure",
}
EARLY_STOP_HELP = (
    "Votes that are still out are called off, which saves their tokens. When nothing can change: "
    "the outcome is certainly the same. When 95 % sure: it is nearly always the same, and cheaper."
)


def vote_choice(workflow: Workflow) -> None:
    """Draw the fields for a workflow whose branches vote for one option, nothing for another."""
    if not isinstance(workflow, Moderation | Reasoning):
        return
    _begin(workflow)
    with st.container(horizontal=True, key="policies", vertical_alignment="bottom"):
        if isinstance(workflow, Moderation):
            rule = st.selectbox(
                "Verdict by",
                list(RULES),
                key=_key(workflow, "rule"),
                format_func=RULES.__getitem__,
                help=RULE_HELP,
                width=220,
                persist_state="session",
            )
            if rule == "k_of_n":
                st.number_input(
                    "Votes needed",
                    1,
                    MAX_BRANCHES,
                    step=1,
                    key=_key(workflow, "k"),
                    width=140,
                    persist_state="session",
                )
        st.selectbox(
            "Stop early",
            list(EARLY_STOPS),
            key=_key(workflow, "early_stop"),
            format_func=EARLY_STOPS.__getitem__,
            help=EARLY_STOP_HELP,
            width=240,
            persist_state="session",
        )


def with_vote(workflow: Workflow) -> Workflow:
    """The workflow with this session's way of counting; not yet checked against its branches."""
    if not isinstance(workflow, Moderation | Reasoning):
        return workflow
    state, vote = st.session_state, workflow.vote
    rule = state.get(_key(workflow, "rule"), vote.rule)
    changes = {
        "rule": rule,
        "k": (state.get(_key(workflow, "k")) or vote.k) if rule == "k_of_n" else None,
        "early_stop": state.get(_key(workflow, "early_stop"), vote.early_stop),
    }
    return workflow.model_copy(update={"vote": vote.model_copy(update=changes)})


def load_vote(workflow: Workflow) -> None:
    """Take over how a run that was opened counted its votes."""
    if isinstance(workflow, Moderation | Reasoning):
        for name, value in _fields(workflow).items():
            st.session_state[_key(workflow, name)] = value


def _begin(workflow: Moderation | Reasoning) -> None:
    for name, value in _fields(workflow).items():
        st.session_state.setdefault(_key(workflow, name), value)


def _fields(workflow: Moderation | Reasoning) -> dict[str, str | int]:
    vote: VoteSpec = workflow.vote
    half = len(workflow.active) // 2 + 1
    return {"rule": vote.rule, "k": vote.k or half, "early_stop": vote.early_stop}


def _key(workflow: Workflow, field: str) -> str:
    return f"{field}-{workflow.name}"
