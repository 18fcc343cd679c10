"""The rules that only some kinds of workflow have: votes, rubric, categories, documents."""

from __future__ import annotations

import streamlit as st

from components.plain import label
from components.workflow_editor.draft import UID, Draft, Row, new_uid
from components.workflow_editor.fields import Form
from fanout.workflows.specs import MAX_BRANCHES

RULES = {
    "plurality": "Most votes win",
    "majority": "More than half of the votes",
    "unanimity": "All must allow",
    "any_block": "One block is enough",
    "k_of_n": "A number of votes, set here",
    "weighted": "Votes count by their branch's weight",
}
EARLY = {
    "never": "never: all vote",
    "decided": "when they can't change the outcome any more",
    "likely": "when it is decided with 95 %",
}
MOST_CRITERIA = 12
WITH_RULES = ("moderation", "reasoning", "judges", "research")
"""Kinds of workflow that have rules of their own."""


def rules(form: Form) -> None:
    """Draw those that this kind of workflow has."""
    kind = form.draft.kind
    if "vote" in form.draft.data:
        _vote(form)
    if kind == "moderation":
        form.lines("Categories, one a line", "categories", height=160)
    if kind == "judges":
        _rubric(form)
    if kind == "research":
        _search(form)


def _vote(form: Form) -> None:
    st.markdown("**The vote**")
    safe = form.draft.kind == "moderation"
    fitting = {r: w for r, w in RULES.items() if safe or r not in ("unanimity", "any_block")}
    left, right = st.columns(2, gap="medium")
    with left:
        form.choose("Rule", "vote", "rule", options=fitting)
        if form.draft.get(("vote", "rule")) == "k_of_n":
            form.number("Votes needed", "vote", "k", low=1, high=MAX_BRANCHES, step=1)
    with right:
        form.choose("Remaining votes are called off", "vote", "early_stop", options=EARLY)


def _rubric(form: Form) -> None:
    draft = form.draft
    rows = draft.rows("rubric")
    st.markdown("**Rubric**")
    form.problem_at(("rubric",))
    for row in rows:
        _criterion(form, row, alone=len(rows) == 1)
    if not form.read_only:
        st.button(
            "Add a criterion",
            key="criterion_add",
            icon=":material/add:",
            disabled=len(rows) >= MOST_CRITERIA,
            help=f"{MOST_CRITERIA} is the most." if len(rows) >= MOST_CRITERIA else None,
            on_click=_add,
            args=(draft,),
        )
    left, right = st.columns(2, gap="medium")
    with left:
        form.number("Lowest score", "scale", "low", low=0, high=100, step=1)
    with right:
        form.number("Highest score", "scale", "high", low=0, high=100, step=1)
    form.problem_at(("scale",))


def _criterion(form: Form, row: Row, *, alone: bool) -> None:
    uid = str(row[UID])
    here = ("rubric", uid)
    with st.container(border=True, key=f"criterion-{uid}"):
        cells = st.columns([3, 2, 2, 1], gap="medium", vertical_alignment="bottom")
        with cells[0]:
            form.text("Criterion", *here, "title")
        with cells[1]:
            form.text("Id", *here, "id", about="Small letters, digits and _; a letter first.")
        with cells[2]:
            form.number("Weight", *here, "weight", low=0.0, high=1000.0, step=0.5)
        if not form.read_only:
            cells[3].button(
                "Remove",
                key=f"criterion-remove-{uid}",
                type="tertiary",
                disabled=alone,
                help=f"Remove {label(str(row.get('title')))}",
                on_click=_remove,
                args=(form.draft, row),
            )
        form.text("Question", *here, "question", hint="What the judge asks about the text")


def _add(draft: Draft) -> None:
    draft.collect()
    rows = draft.rows("rubric")
    taken = {str(row.get("id")) for row in rows}
    number = next(n for n in range(len(rows) + 1, 99) if f"criterion_{n}" not in taken)
    rows.append(
        {
            "id": f"criterion_{number}",
            "title": f"Criterion {number}",
            "question": "",
            "weight": 1.0,
            UID: new_uid(),
        }
    )


def _remove(draft: Draft, row: Row) -> None:
    draft.collect()
    draft.rows("rubric").remove(row)


def _search(form: Form) -> None:
    st.markdown("**The search**")
    form.lines(
        "Documents, one id a line",
        "documents",
        height=80,
        hint="Empty: all documents",
    )
    cells = st.columns(3, gap="medium")
    with cells[0]:
        form.number("Passages found by each branch", "found", low=1, high=50, step=1)
    with cells[1]:
        form.number("Passages the answer is written from", "cited", low=1, high=30, step=1)
    with cells[2]:
        form.number(
            "k of the fusion",
            "rrf_k",
            low=1,
            high=1000,
            step=1,
            about="Reciprocal-rank fusion: the larger, the less the first places count.",
        )
