"""This session's policies of each workflow: edits like those of branches; files never change."""

from __future__ import annotations

from decimal import Decimal
from typing import cast

import streamlit as st

from components.policies.numbers import DEADLINES, RETRIES, RUN_NUMBERS, Number
from fanout.errors import DefinitionError
from fanout.policies import PrefixMode
from fanout.render.policy_words import span_words
from fanout.workflows.definition import Workflow
from fanout.workflows.policy_specs import BudgetSpec, FanInSpec, PolicySpec

OTHERS = ("usd", "tokens", "wait", "k", "hedging", "prefix", "fallback", "answer_fallback")

_MAY_BE_EMPTY = {"usd", "tokens"} | {number.key for number in RUN_NUMBERS if number.empty}


def key_of(name: str, field: str) -> str:
    return f"policy-{name}-{field}"


def with_policies(workflow: Workflow) -> Workflow:
    """The workflow with this session's policies. DefinitionError where two contradict each other.

    What the fields say is read here and not where they are drawn: a click on Run is handled before
    anything is drawn, and a closed area draws nothing.
    """
    if not any(key_of(workflow.name, field) in st.session_state for field in _fields(workflow)):
        return workflow
    now = {**_fields(workflow), **_typed(workflow)}
    changes: dict[str, object] = {
        "policies": _policies(workflow.policies, now),
        "deadlines": workflow.deadlines.model_copy(update=_named(now, DEADLINES[:3])),
        "defaults": workflow.defaults.model_copy(update={"fallback": _names(now["fallback"])}),
    }
    if workflow.aggregate is not None:
        own = _names(now["answer_fallback"]) or None
        if own is None and workflow.aggregate.fallback == ():
            own = ()
        changes["aggregate"] = workflow.aggregate.model_copy(update={"fallback": own})
    return workflow.model_copy(update=changes)


def begin(workflow: Workflow) -> None:
    """Let fields that nobody has touched yet show what the workflow says."""
    for field, value in _fields(workflow).items():
        st.session_state.setdefault(key_of(workflow.name, field), value)


def load_policies(workflow: Workflow) -> None:
    """Take over the policies of a run that was opened."""
    for field, value in _fields(workflow).items():
        st.session_state[key_of(workflow.name, field)] = value


def forget_policies(name: str) -> None:
    """Begin again from the workflow's file, which has changed since."""
    for field in (*(number.key for number in RUN_NUMBERS), *OTHERS):
        st.session_state.pop(key_of(name, field), None)


def _policies(spec: PolicySpec, now: dict[str, object]) -> PolicySpec:
    wait, run_s = now["wait"], cast("float | None", now["policies-run_s"])
    k = cast("int | None", now["k"]) if wait in ("k", "either") else None
    deadline = cast("float | None", now["fan_in-deadline_s"])
    fan_in = FanInSpec(k=k, deadline_s=deadline if wait in ("deadline", "either") else None)
    if run_s is not None and fan_in.deadline_s is not None and fan_in.deadline_s > run_s:
        raise DefinitionError(
            f"Policies: the answer would be combined after {span_words(fan_in.deadline_s)}, but "
            f"the whole run ends after {span_words(run_s)}. Lower the one or raise the other."
        )
    return spec.model_copy(
        update={
            "fan_in": fan_in,
            "retries": spec.retries.model_copy(update=_named(now, RETRIES)),
            "hedging": spec.hedging.model_copy(update={"enabled": bool(now["hedging"])}),
            "prefix": cast("PrefixMode", now["prefix"]),
            "run_s": run_s,
            "budget": _budget(now),
        }
    )


def _budget(now: dict[str, object]) -> BudgetSpec:
    usd = now["usd"]
    # By its digits: 0.1 is ten cents, and not the binary number nearest to it.
    exact = Decimal(str(usd)) if usd is not None else None
    return BudgetSpec(usd=exact, tokens=cast("int | None", now["tokens"]))


def _fields(workflow: Workflow) -> dict[str, object]:
    """What the fields show for a workflow."""
    policies = workflow.policies
    fan_in = policies.fan_in
    waits = {(False, False): "all", (True, False): "k", (False, True): "deadline"}
    dumped = workflow.model_dump(include={"policies", "deadlines"})
    fields = {number.key: _at(dumped, number.path) for number in RUN_NUMBERS}
    own = workflow.aggregate.fallback if workflow.aggregate is not None else None
    return {
        **fields,
        "wait": waits.get((fan_in.k is not None, fan_in.deadline_s is not None), "either"),
        "k": fan_in.k or max(1, len(workflow.active) - 1),
        "fan_in-deadline_s": fan_in.deadline_s or 30.0,
        "usd": None if policies.budget.usd is None else float(policies.budget.usd),
        "tokens": policies.budget.tokens,
        "hedging": policies.hedging.enabled,
        "prefix": policies.prefix,
        "fallback": list(workflow.defaults.fallback),
        "answer_fallback": list(own or ()),
    }


def _typed(workflow: Workflow) -> dict[str, object]:
    state = st.session_state
    keys = {field: key_of(workflow.name, field) for field in _fields(workflow)}
    return {
        field: state[key]
        for field, key in keys.items()
        if key in state and (state[key] is not None or field in _MAY_BE_EMPTY)
    }


def _named(now: dict[str, object], numbers: tuple[Number, ...]) -> dict[str, object]:
    return {number.path[-1]: now[number.key] for number in numbers}


def _names(value: object) -> tuple[str, ...]:
    return tuple(str(name) for name in value) if isinstance(value, list | tuple) else ()


def _at(data: object, path: tuple[str, ...]) -> object:
    for part in path:
        data = data.get(part) if isinstance(data, dict) else None
    return data
