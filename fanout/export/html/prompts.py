"""Prompts and parameters: what every call was asked, of which model, and the workflow itself."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from fanout.errors import FanoutError
from fanout.export.html.calls import Call, every_call
from fanout.export.html.markup import Child, Markup, bdi, el
from fanout.export.html.opening import hosts
from fanout.export.html.parts import folded, section
from fanout.snapshot import Branch, Snapshot
from fanout.types import BranchPlan
from fanout.workflows.parsing import parse
from fanout.workflows.written import written


def prompts(snapshot: Snapshot) -> Markup:
    """Folded, a part for each call; the calls that combine read every text again."""
    calls = every_call(snapshot)
    return section(
        "prompts",
        "Prompts and parameters",
        (_asked(call, snapshot) for call in calls if _has_prompt(call.branch)),
        _definition(snapshot),
        _facts(snapshot),
    )


def _has_prompt(call: Branch) -> bool:
    """False for what was counted or searched for without asking a model."""
    silent = call.state.succeeded and call.cost is None and not call.attempts
    return bool(call.plan.messages) and not silent


def _asked(call: Call, snapshot: Snapshot) -> Markup:
    plan = call.branch.plan
    parts = [
        el(
            "div",
            el("p", message.role.capitalize(), class_="eyebrow"),
            el("pre", message.content, dir="auto"),
        )
        for message in plan.messages
    ]
    if plan.form is not None:
        parts.append(
            el(
                "div",
                el("p", "Asked to answer in this form", class_="eyebrow"),
                el("pre", _pretty(plan.form.schema), dir="auto"),
            )
        )
    return folded(
        call.label,
        el("dl", _parameters(plan, snapshot), class_="pairs"),
        parts,
        printed=bool(call.mark),
    )


def _parameters(plan: BranchPlan, snapshot: Snapshot) -> Iterator[Markup]:
    known = snapshot.made_with.endpoints if snapshot.made_with else {}
    fact = known.get(plan.model.endpoint)
    yield _pair("Model", plan.model.model)
    if fact is not None:
        yield _pair("Endpoint", f"{fact.name} ({fact.host})" if fact.host else fact.name)
    yield _pair("Temperature", "the model's own" if plan.temperature is None else plan.temperature)
    yield _pair("Most tokens", "no limit of ours" if plan.max_tokens is None else plan.max_tokens)
    waits = (
        ("first token", plan.deadlines.first_token_s),
        ("silence", plan.deadlines.idle_s),
        ("in all", plan.deadlines.total_s),
    )
    limits = [f"{words} {seconds:g} s" for words, seconds in waits if seconds is not None]
    yield _pair("Deadlines", ", ".join(limits) or "none")
    for name, value in plan.extra.items():
        yield _pair(name, _pretty(value))


def _pair(name: str, value: object) -> Markup:
    return el("div", el("dt", bdi(name)), el("dd", bdi(f"{value}")))


def _definition(snapshot: Snapshot) -> Markup | None:
    made = snapshot.made_with
    if made is None or not made.definition:
        return None
    return folded("The workflow as it was run", el("pre", _source(made.definition), dir="auto"))


def _source(definition: Mapping[str, object]) -> str:
    """As the TOML that runs it again; as JSON where this version can't read it any more."""
    try:
        return written(parse(dict(definition), name=str(definition.get("name", "workflow"))))
    except (FanoutError, TypeError, ValueError):
        return _pretty(definition)


def _facts(snapshot: Snapshot) -> Markup:
    made = snapshot.made_with
    versions = made.versions if made else {}
    facts: list[Child] = [
        _pair("Run", snapshot.run_id),
        _pair("Workflow", snapshot.workflow),
        _pair("Kind", snapshot.kind),
    ]
    if made is not None:
        facts.append(_pair("Asked", hosts(snapshot) or "this machine"))
        facts.append(_pair("Branches", "one after another" if made.sequential else "at once"))
        if made.derived_from:
            facts.append(_pair("Repeats the topic of run", made.derived_from))
    facts += [_pair(name.capitalize(), version) for name, version in versions.items()]
    return folded("Versions and endpoints", el("dl", facts, class_="pairs"), printed=True)


def _pretty(value: object) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False, default=str)
