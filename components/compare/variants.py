"""The same topic in another way, in one click; then both runs side by side, to be judged blind."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from components.compare.picks import show_comparison
from components.plain import label
from components.sharing import viewed
from fanout.engine.handle import RunHandle
from fanout.engine.runtime import Runtime
from fanout.errors import FanoutError
from fanout.types import ModelRef, RunId
from fanout.workflows.baseline import for_one_model, is_single_prompt, single_prompt
from fanout.workflows.definition import Workflow
from fanout.workflows.library import load_all

Start = Callable[[], tuple[RunId, RunId]]


def variants(runtime: Runtime, handle: RunHandle, *, key: str) -> None:
    """Draw the four ways. The workflow is taken as it was run, edits included."""
    if viewed(handle):
        return
    st.subheader("The same topic in another way", anchor=False)
    if handle.fixed:
        st.info(label(handle.fixed, 400), icon=":material/info:")
        return
    if not handle.snapshot.status.finished:
        st.caption("When this run is done: two at once would slow each other down.")
        return
    st.caption("Starts a second run and puts both side by side, without names, for you to judge.")
    with st.grid(min_column_width=250, border=True, key=f"{key}-variants"):
        for way in (_one_prompt, _one_after_another, _other_model, _other_workflow):
            with st.container(height="stretch", vertical_alignment="distribute"):
                way(runtime, handle, key)


def _one_prompt(runtime: Runtime, handle: RunHandle, key: str) -> None:
    already = is_single_prompt(handle.workflow.name)
    _way(
        "One prompt",
        "This run is that." if already else "The whole work as one prompt to one model.",
        f"{key}-one-prompt",
        ":material/chat_bubble:",
        lambda: _start(runtime, handle, single_prompt(handle.workflow), handle.model),
        disabled=already,
    )


def _one_after_another(runtime: Runtime, handle: RunHandle, key: str) -> None:
    made = handle.snapshot.made_with
    why = ""
    if made is not None and made.sequential:
        why = "This run is that."
    elif len(handle.snapshot.branches) < 2:
        why = "It has one branch only."
    _way(
        "One after another",
        why or "The same branches, each when the one before is done.",
        f"{key}-sequential",
        ":material/format_list_numbered:",
        lambda: _start(runtime, handle, handle.workflow, handle.model, sequential=True),
        disabled=bool(why),
    )


def _other_model(runtime: Runtime, handle: RunHandle, key: str) -> None:
    offers = {o.ref: o.label for o in runtime.offers() if o.ref != handle.model}
    st.markdown("**Other model**")
    if not offers:
        st.caption("No other model is known. The Models page adds one.")
        return
    chosen = st.selectbox(
        "Model that answers",
        list(offers),
        key=f"{key}-model",
        format_func=lambda ref: offers[ref],
    )
    _button(
        "Run with it",
        f"{key}-other-model",
        ":material/memory:",
        lambda: _start(runtime, handle, for_one_model(handle.workflow), chosen),
    )


def _other_workflow(runtime: Runtime, handle: RunHandle, key: str) -> None:
    found = load_all(runtime.settings.home).workflows
    others = {one.name: one for one in found if one.name != handle.workflow.name}
    st.markdown("**Other workflow**")
    chosen = st.selectbox(
        "Workflow that is run",
        list(others),
        key=f"{key}-workflow",
        format_func=lambda name: others[name].title,
    )
    _button(
        "Run through it",
        f"{key}-other-workflow",
        ":material/account_tree:",
        lambda: _start(runtime, handle, others[chosen], handle.model),
    )


def _way(title: str, words: str, key: str, icon: str, start: Start, *, disabled: bool) -> None:
    st.markdown(f"**{title}**")
    st.caption(words)
    _button(f"Run {title.lower()}", key, icon, start, disabled=disabled)


def _button(words: str, key: str, icon: str, start: Start, *, disabled: bool = False) -> None:
    if not st.button(words, key=key, icon=icon, disabled=disabled):
        return
    try:
        both = start()
    except FanoutError as error:
        st.error(label(str(error), 400), icon=":material/error:")
        return
    show_comparison(both, blind=True)


def _start(
    runtime: Runtime,
    handle: RunHandle,
    workflow: Workflow,
    model: ModelRef,
    *,
    sequential: bool = False,
) -> tuple[RunId, RunId]:
    new = runtime.engine.start(
        workflow, handle.snapshot.topic, model, sequential=sequential, derived_from=handle.id
    )
    return handle.id, new.id
