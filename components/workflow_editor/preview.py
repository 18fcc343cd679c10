"""What a run would ask: the exact prompts for a topic, the graph, and one branch really tried."""

from __future__ import annotations

import streamlit as st

from components import session
from components.board import live_board
from components.model_in_use import in_use
from components.plain import label
from components.plan_graph import plan_graph
from components.workflow_editor.desk import say
from components.workflow_editor.draft import Draft
from fanout.engine.runtime import Runtime
from fanout.errors import DefinitionError, FanoutError
from fanout.tokens import estimated_input, estimated_tokens
from fanout.types import BranchPlan, ModelRef
from fanout.workflows.definition import Workflow
from fanout.workflows.run import combining_call, plan
from fanout.workflows.single import single

TOPIC = "preview_topic"
SAMPLE = "remote work"
COMBINING = "combining"


def preview(runtime: Runtime, draft: Draft) -> None:
    """Draw it for the draft as it is; what is wrong with it is told elsewhere."""
    try:
        workflow = draft.workflow()
    except DefinitionError:
        st.caption("The preview comes back when the things above are mended.")
        return
    _topic(workflow)
    topic = _topic_of(workflow)
    model = in_use(runtime)

    def resolve(name: str) -> ModelRef:
        return runtime.engine.endpoints.resolve(name, model)

    try:
        plans = plan(workflow, topic, resolve)
        combine = combining_call(workflow, topic, resolve)
    except FanoutError as error:
        st.error(label(str(error), 400), icon=":material/error:")
        return
    left, right = st.columns([3, 2], gap="large")
    with left:
        shown = _chooser(plans, combine)
        _messages(runtime, shown, last=shown is combine)
        if shown is not combine:
            _try(draft, shown, model)
    with right:
        tokens = sum(estimated_input(one.messages) for one in plans)
        count = f"{len(plans)} branch{'es' if len(plans) != 1 else ''}"
        st.caption(f"{count}, about {tokens:,} tokens in altogether, before any combining.")
        st.plotly_chart(
            plan_graph(
                [one.title for one in plans],
                workflow.aggregate.title if workflow.aggregate else "",
                dark=st.context.theme.type == "dark",
            ),
            key="plan_graph",
            config={"displayModeBar": False},
            alt="The workflow as a graph: start, its branches, how they are combined, end",
        )
    _tried(runtime)


def _tried(runtime: Runtime) -> None:
    """The run of one branch that was tried last in this session."""
    run_id = st.session_state.get("tried_run")
    handle = runtime.engine.get(run_id) if run_id else None
    if handle is not None:
        st.markdown(f"**Tried: {label(handle.snapshot.topic, 80)}**")
        live_board(handle, key="try_board")


def _topic(workflow: Workflow) -> None:
    st.text_area(
        "Topic to preview with",
        key=TOPIC,
        height=68,
        placeholder=_sample(workflow),
        persist_state="session",
    )


def _topic_of(workflow: Workflow) -> str:
    return (st.session_state.get(TOPIC) or "").strip() or _sample(workflow)


def _sample(workflow: Workflow) -> str:
    return workflow.examples[0] if workflow.examples else SAMPLE


def _chooser(plans: tuple[BranchPlan, ...], combine: BranchPlan | None) -> BranchPlan:
    by_id = {str(one.id): one for one in plans}
    if combine is not None:
        by_id[COMBINING] = combine
    key = "preview_branch"
    if st.session_state.get(key) not in by_id:
        st.session_state[key] = str(plans[0].id)
    chosen: str = st.selectbox(
        "Show what is sent for",
        list(by_id),
        key=key,
        format_func=lambda one: (
            f"{by_id[one].title} (combining)" if one == COMBINING else by_id[one].title
        ),
        persist_state="session",
    )
    return by_id[chosen]


def _messages(runtime: Runtime, shown: BranchPlan, *, last: bool) -> None:
    if not shown.messages:
        st.caption("No model is asked: it searches for the topic as it stands.")
    for message in shown.messages:
        name = "System message" if message.role == "system" else "Message"
        st.caption(f"{name} · about {estimated_tokens(message.content):,} tokens")
        st.code(message.content, language=None, wrap_lines=True)
    if last:
        st.caption("The results go in where there is nothing yet.")
    if shown.messages:
        st.caption(" · ".join(_facts(runtime, shown)))


def _facts(runtime: Runtime, shown: BranchPlan) -> list[str]:
    name = runtime.engine.endpoints.get(shown.model.endpoint).name
    facts = [f"to {label(shown.model.model or 'its default model')} at {label(name)}"]
    if shown.temperature is not None:
        facts.append(f"temperature {shown.temperature:g}")
    if shown.max_tokens is not None:
        facts.append(f"at most {shown.max_tokens:,} tokens")
    return facts


def _try(draft: Draft, shown: BranchPlan, model: ModelRef) -> None:
    st.button(
        "Try this branch",
        key="try_branch",
        type="primary",
        icon=":material/play_arrow:",
        help="Really asks the model, for this branch alone.",
        on_click=_start,
        args=(draft, str(shown.id), model),
    )


def _start(draft: Draft, branch_id: str, model: ModelRef) -> None:
    draft.collect()
    try:
        workflow = draft.workflow()
        branch = next((one for one in workflow.active if one.id == branch_id), workflow.active[0])
        topic = _topic_of(workflow)
        handle = session.runtime().engine.start(single(workflow, branch), topic, model)
    except FanoutError as error:
        say(str(error), wrong=True)
        return
    st.session_state["tried_run"] = handle.id
