"""The branches of a workflow: choose one, change it, move it, copy it, take it out.

One is drawn at a time, so that fifty are no slower than three.
"""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from components.plain import label, shortened
from components.workflow_editor.about import max_tokens, temperature
from components.workflow_editor.desk import show_choice
from components.workflow_editor.draft import UID, Draft, Row
from components.workflow_editor.fields import Form
from components.workflow_editor.policies import fallback
from components.workflow_editor.rows import add, move, remove
from components.workflow_editor.variables import variables
from fanout.workflows.specs import MAX_BRANCHES

AS_PILLS = 14
"""More branches than that are chosen from a list."""


def branches(form: Form, models: Mapping[str, str]) -> None:
    """Draw the chooser and the one that is chosen."""
    draft = form.draft
    if draft.kind == "models":
        _without_branches(form)
    rows = draft.rows("branches")
    form.problem_at(("branches",))
    uid = _chooser(draft, rows) if rows else ""
    row = draft.row("branches", uid)
    if not form.read_only:
        _order(draft, rows, row)
    if row is not None:
        with st.container(border=True, key="one_branch"):
            _branch(form, row, models)


def _without_branches(form: Form) -> None:
    one, two = st.columns(2, gap="medium")
    with one:
        form.lines(
            "Models, one a line",
            "models",
            hint="gpt-5-mini\nmy-server/qwen3:4b",
            about='"name", or "endpoint/name" for another endpoint. Each is asked once.',
        )
    with two:
        form.numbers(
            "Temperatures",
            "temperatures",
            about="Where no models are named, the run's own model is asked once at each of these.",
        )
    if not form.draft.rows("branches"):
        st.caption("These are its branches. Branches that are added below take their place.")


def _chooser(draft: Draft, rows: list[Row]) -> str:
    known = [str(row[UID]) for row in rows]
    if draft.branch not in known:
        draft.branch = known[0]
    names = _names(rows)
    key = f"branch-of-{draft.name}"
    # Not bound to the draft: which branch is looked at is no change of the workflow.
    show_choice(key, draft.branch, names[draft.branch])

    def chosen() -> None:
        draft.branch = st.session_state[key] or draft.branch

    if len(rows) <= AS_PILLS:
        st.pills(
            "Branch",
            known,
            key=key,
            format_func=lambda uid: names.get(uid, uid),
            required=True,
            on_change=chosen,
        )
    else:
        st.selectbox(
            f"Branch, one of {len(rows)}",
            known,
            key=key,
            format_func=lambda uid: names.get(uid, uid),
            on_change=chosen,
        )
    return draft.branch


def _names(rows: list[Row]) -> dict[str, str]:
    """No two alike, even while two branches have one title."""
    names: dict[str, str] = {}
    for i, row in enumerate(rows, 1):
        name = _name(row)
        names[str(row[UID])] = f"{name} ({i})" if name in names.values() else name
    return names


def _name(row: Row) -> str:
    name = shortened(str(row.get("title") or row.get("id") or "Untitled"), 40)
    times = f" × {row['times']}" if row.get("times", 1) != 1 else ""
    return label(name) + times + ("" if row.get("enabled", True) else " (off)")


def _order(draft: Draft, rows: list[Row], row: Row | None) -> None:
    at = rows.index(row) if row is not None else -1
    with st.container(horizontal=True, key="branch_actions"):
        st.button(
            "Add a branch",
            key="branch_add",
            icon=":material/add:",
            disabled=len(rows) >= MAX_BRANCHES,
            help=f"{MAX_BRANCHES} is the most." if len(rows) >= MAX_BRANCHES else None,
            on_click=add,
            args=(draft,),
        )
        if row is None:
            return
        for name, key, icon, off, act in (
            ("Earlier", "branch_up", "arrow_back", at == 0, -1),
            ("Later", "branch_down", "arrow_forward", at == len(rows) - 1, 1),
        ):
            st.button(
                name,
                key=key,
                icon=f":material/{icon}:",
                type="tertiary",
                disabled=off,
                on_click=move,
                args=(draft, row, act),
            )
        st.button(
            "Copy",
            key="branch_copy",
            icon=":material/content_copy:",
            type="tertiary",
            disabled=len(rows) >= MAX_BRANCHES,
            on_click=add,
            args=(draft, row),
        )
        st.button(
            "Remove",
            key="branch_remove",
            icon=":material/delete:",
            type="tertiary",
            help="Discard changes brings it back, as long as you haven't saved.",
            on_click=remove,
            args=(draft, row),
        )


def _branch(form: Form, row: Row, models: Mapping[str, str]) -> None:
    here = ("branches", str(row[UID]))
    draft = form.draft
    top = st.columns([4, 3, 2], gap="medium")
    with top[0]:
        form.text("Branch title", *here, "title")
    with top[1]:
        form.text("Id", *here, "id", about="Names it in exports: small letters, digits, hyphens.")
    with top[2]:
        if not form.read_only:
            # As high as the labels of the fields beside it.
            st.space(20)
        form.switch("On", *here, "enabled", about="Off: it stays here and is not run.")
    form.area(
        "Prompt",
        *here,
        "prompt",
        height=160,
        nothing=None,
        hint="Empty: searches for the question as it was asked"
        if draft.kind == "research"
        else "Empty: the prompt of every branch, under Shared prompt",
        about="May use {topic}, {content}, {title}, the variables below and those that all share.",
    )
    form.problem_of_branch(str(row.get("id")))
    variables(form, "branches", str(row[UID]), "variables")
    cells = st.columns(4, gap="medium")
    with cells[0]:
        form.choose("Model", *here, "model", options=models, new=True)
    with cells[1]:
        temperature(form, *here, hint="as the others")
    with cells[2]:
        max_tokens(form, *here, hint="as the others")
    with cells[3]:
        form.number(
            "Times",
            *here,
            "times",
            low=1,
            high=MAX_BRANCHES,
            step=1,
            about="Asked so often, each time as a branch of its own.",
        )
    fallback(form, models, *here, hint="as the others")
    if _weighted(draft, row):
        form.number("Weight of its vote", *here, "weight", low=0.0, high=1000.0, step=0.5)
    if draft.kind == "research":
        form.choose(
            "Its answer is",
            *here,
            "queries",
            options={"whole": "one query", "lines": "one query a line"},
        )


def _weighted(draft: Draft, row: Row) -> bool:
    return draft.get(("vote", "rule")) == "weighted" or row.get("weight", 1.0) != 1.0
