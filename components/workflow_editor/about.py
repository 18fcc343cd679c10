"""What a workflow is called and promises, and what all its branches are asked alike."""

from __future__ import annotations

import streamlit as st

from components.workflow_editor.fields import Form

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
            about="The same for all branches. May use {topic}.",
        )
        form.area(
            "Before every prompt",
            "shared",
            about="Text that all branches share; it comes first, so that a server reads it once. "
            "May use {topic}, and {content}: the topic between lines that it can't contain.",
        )
    with right:
        form.area(
            "Prompt of every branch that has none of its own",
            "prompt",
            height=140,
            about="May use {topic}, {title} and the branch's variables.",
        )
        one, two = st.columns(2)
        with one:
            temperature(form, "defaults")
        with two:
            max_tokens(form, "defaults")


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
