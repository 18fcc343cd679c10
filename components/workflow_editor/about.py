"""What a workflow is called and promises, and what all its branches are asked alike."""

from __future__ import annotations

import streamlit as st

from components.workflow_editor.fields import Form
from components.workflow_editor.variables import variables

MOST_TOKENS = 200_000


def about(form: Form) -> None:
    """Title, promise and what the Run page proposes as a topic."""
    left, right = st.columns(2, gap="medium")
    with left:
        form.text("Title", "title")
        form.area("Promise", "promise", height=110, hint="What somebody gets who runs it")
    with right:
        form.text("Hint in the Topic field", "topic_hint", hint="A place, and when")
        form.lines("Examples, one a line", "examples", height=110)


def shared_prompt(form: Form) -> None:
    """What goes before each branch's own prompt, and what serves where it has none."""
    left, right = st.columns(2, gap="medium")
    with left:
        form.area(
            "System message",
            "system",
            height=80,
            about="The same for all branches. May use {topic} and the variables below.",
        )
        form.area(
            "Before every prompt",
            "shared",
            about="Text that all branches share; it comes first, so that a server reads it once. "
            "May use {topic}, {content}: the topic between lines that it can't contain, and the "
            "variables below.",
        )
    with right:
        form.area(
            "Prompt of every branch that has none of its own",
            "prompt",
            height=140,
            about="May use {topic}, {title}, the branch's variables and those below.",
        )
        one, two = st.columns(2)
        with one:
            temperature(form, "defaults")
        with two:
            max_tokens(form, "defaults")
    if form.read_only and not form.draft.data.get("variables"):
        return
    st.markdown("**Variables**")
    st.caption(
        "Texts for {name} in every prompt, the combining one too. A batch fills each from the "
        "column of its name; elsewhere, and where a cell is empty, it is what stands here."
    )
    form.problem_at(("variables",))
    variables(form, "variables", name="Default of {{{}}}")


def temperature(form: Form, *table: str, hint: str = "the model's own") -> None:
    form.number("Temperature", *table, "temperature", low=0.0, high=2.0, step=0.1, hint=hint)


def max_tokens(form: Form, *table: str, hint: str = "no limit") -> None:
    form.number(
        "Longest answer, tokens",
        *table,
        "max_tokens",
        low=1,
        high=MOST_TOKENS,
        step=16,
        hint=hint,
    )
