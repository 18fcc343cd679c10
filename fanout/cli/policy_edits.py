"""What the policy flags change about a workflow, for this run only."""

from __future__ import annotations

import argparse

from fanout.cli.policy_flags import ALL
from fanout.errors import InputError
from fanout.workflows.definition import Workflow

MOST_FALLBACKS = 5


def policy_changes(workflow: Workflow, options: argparse.Namespace) -> dict[str, object]:
    """What the flags change about a workflow; InputError where they can't be so."""
    changes: dict[str, object] = {}
    policies = workflow.policies.model_dump()
    _fan_in(workflow, options, policies)
    if options.run_deadline is not None:
        policies["run_s"] = options.run_deadline
        if options.answer_after is not None and options.answer_after > options.run_deadline:
            raise InputError(
                f"--answer-after {options.answer_after:g} is later than --run-deadline "
                f"{options.run_deadline:g}, when the whole run has ended."
            )
    if options.attempts is not None:
        policies["retries"]["attempts"] = options.attempts
    if options.hedge is not None:
        policies["hedging"]["enabled"] = options.hedge
    if options.prefix is not None:
        policies["prefix"] = options.prefix
    if options.budget is not None:
        policies["budget"]["usd"] = options.budget
    if options.budget_tokens is not None:
        policies["budget"]["tokens"] = options.budget_tokens
    if policies != workflow.policies.model_dump():
        changes["policies"] = policies
    if options.first_token is not None:
        seconds = options.first_token or None
        changes["deadlines"] = {**workflow.deadlines.model_dump(), "first_token_s": seconds}
    if options.fallback is not None:
        changes["defaults"] = {**workflow.defaults.model_dump(), "fallback": _names(options)}
    return changes


def check_wait_for(workflow: Workflow, options: argparse.Namespace) -> None:
    """InputError where more branches are waited for than the edited workflow has."""
    k, count = options.wait_for, len(workflow.active)
    if isinstance(k, int) and k > count:
        raise InputError(
            f"--wait-for {k} is more than the {count} branch{'es' if count != 1 else ''} of "
            f"{workflow.name}; --wait-for {ALL} waits for all."
        )


def _fan_in(
    workflow: Workflow, options: argparse.Namespace, policies: dict[str, dict[str, object]]
) -> None:
    for flag, value in (
        ("--wait-for", options.wait_for),
        ("--answer-after", options.answer_after),
    ):
        if value not in (None, ALL) and workflow.aggregate is None:
            raise InputError(
                f"{flag} would change nothing: {workflow.name} combines nothing, so nothing waits."
            )
    if options.wait_for == ALL:
        policies["fan_in"] = {"k": None, "deadline_s": None}
    elif options.wait_for is not None:
        policies["fan_in"]["k"] = options.wait_for
    if options.answer_after is not None:
        policies["fan_in"]["deadline_s"] = options.answer_after


def _names(options: argparse.Namespace) -> list[str]:
    names = [name.strip() for name in str(options.fallback).split(",") if name.strip()]
    if not names:
        raise InputError("--fallback names no model. Write --fallback A,B.")
    if len(names) > MOST_FALLBACKS:
        raise InputError(f"--fallback names {len(names)} models; {MOST_FALLBACKS} is the most.")
    return names
