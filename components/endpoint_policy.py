"""What is so at one endpoint, whatever the workflow: the fields of its limits and policies."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import cast

import streamlit as st

from components.policies import words
from fanout.policies import EndpointPolicy, PrefixMode

AS_WORKFLOW = "as the workflow says"
UNSET = "unset"
"""Stands for None in a list: a list that holds None shows that nothing is chosen."""
_HEDGING = {UNSET: AS_WORKFLOW, "twice": "twice", "once": "never twice"}
_HEDGING_VALUES = {UNSET: None, "twice": True, "once": False}
_PREFIX = {UNSET: AS_WORKFLOW, **words.PREFIXES}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Number:
    name: str
    title: str
    high: int | float
    step: int | float
    empty: str
    about: str
    low: int | float = 0


_LIMITS = (
    _Number(
        name="requests_per_minute",
        title="Requests a minute",
        low=1,
        high=1_000_000,
        step=10,
        empty="learnt",
        about="Empty: what the endpoint says about its limits with its answers, else no limit.",
    ),
    _Number(
        name="tokens_per_minute",
        title="Tokens a minute",
        low=1,
        high=1_000_000_000,
        step=1000,
        empty="learnt",
        about="Input and output together. The most that a call may use is reserved before it is "
        "sent; what it didn't use is given back.",
    ),
)
_CALLS = (
    _Number(
        name="first_token_s",
        title="First word, s",
        low=0.0,
        high=86_400.0,
        step=10.0,
        empty=AS_WORKFLOW,
        about="How long a first word may take here: longer for models that think before they "
        "write. 0 waits without limit.",
    ),
    _Number(
        name="attempts",
        title="Attempts",
        low=1,
        high=10,
        step=1,
        empty=AS_WORKFLOW,
        about="Requests per call, the first one included.",
    ),
)
_CIRCUIT = (
    _Number(
        name="circuit_failures",
        title="Left alone after failures",
        high=1000,
        step=1,
        empty="5",
        about="So many calls in a row that failed for this endpoint's sake, and new ones fail at "
        "once instead of waiting for nothing. 0: never.",
    ),
    _Number(
        name="circuit_s",
        title="For so many seconds",
        low=1.0,
        high=3600.0,
        step=5.0,
        empty="20",
        about="Then one call tries; where that fails too, it is left alone for twice as long.",
    ),
)


def policy_fields(form: str, *, rates: bool = True) -> None:
    """Draw them; their keys begin with the form's name. Without rates for what knows no such."""
    if rates:
        _row(form, _LIMITS)
    _row(form, _CALLS)
    left, right = st.columns(2)
    if rates:
        left.selectbox(
            "Late calls are asked",
            list(_HEDGING),
            key=f"{form}-hedging",
            format_func=_HEDGING.__getitem__,
            help=words.HEDGING_ABOUT,
        )
    (right if rates else left).selectbox(
        words.PREFIX,
        list(_PREFIX),
        key=f"{form}-prefix",
        format_func=_PREFIX.__getitem__,
        help=words.PREFIX_ABOUT,
    )
    _row(form, _CIRCUIT)


def fill_policy(form: str, policy: EndpointPolicy) -> None:
    """Put a policy into the fields, before they are drawn."""
    for field in fields(EndpointPolicy):
        st.session_state[f"{form}-{field.name}"] = getattr(policy, field.name)
    st.session_state[f"{form}-prefix"] = policy.prefix or UNSET
    names = {value: name for name, value in _HEDGING_VALUES.items()}
    st.session_state[f"{form}-hedging"] = names[policy.hedging]


def typed_policy(form: str, now: EndpointPolicy) -> EndpointPolicy:
    """What they hold; a field that wasn't drawn is as it is `now`."""

    def typed(name: str) -> object:
        return st.session_state.get(f"{form}-{name}", getattr(now, name))

    plain = EndpointPolicy()
    failures, circuit_s = typed("circuit_failures"), typed("circuit_s")
    hedging, prefix = typed("hedging"), typed("prefix")
    return EndpointPolicy(
        requests_per_minute=cast("int | None", typed("requests_per_minute")),
        tokens_per_minute=cast("int | None", typed("tokens_per_minute")),
        attempts=cast("int | None", typed("attempts")),
        first_token_s=cast("float | None", typed("first_token_s")),
        hedging=_HEDGING_VALUES[hedging] if isinstance(hedging, str) else now.hedging,
        prefix=None if prefix == UNSET else cast("PrefixMode | None", prefix),
        circuit_failures=plain.circuit_failures if failures is None else cast("int", failures),
        circuit_s=plain.circuit_s if circuit_s is None else cast("float", circuit_s),
    )


def policy_facts(policy: EndpointPolicy) -> list[str]:
    """What was set, for the line under an endpoint: nothing where all is left to others."""
    facts = []
    if policy.requests_per_minute is not None:
        facts.append(f"{policy.requests_per_minute:,} requests a minute")
    if policy.tokens_per_minute is not None:
        facts.append(f"{policy.tokens_per_minute:,} tokens a minute")
    if policy.first_token_s is not None:
        limit = f"{policy.first_token_s:g} s" if policy.first_token_s else "no limit"
        facts.append(f"{limit} to the first word")
    if policy.attempts is not None:
        facts.append(f"{policy.attempts} attempt{'' if policy.attempts == 1 else 's'}")
    return facts


def _row(form: str, numbers: tuple[_Number, ...]) -> None:
    for column, number in zip(st.columns(2), numbers, strict=True):
        kind = type(number.step)
        key = f"{form}-{number.name}"
        now = st.session_state.get(key)
        st.session_state[key] = None if now is None else kind(now)
        column.number_input(
            number.title,
            kind(number.low),
            kind(number.high),
            None,
            number.step,
            key=key,
            format="%d" if kind is int else "%g",
            placeholder=number.empty,
            help=number.about,
        )
