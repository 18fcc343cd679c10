"""What the options of `python -m fanout run` change about a workflow, for this run only."""

from __future__ import annotations

import argparse
from collections.abc import Mapping

from fanout.cli.policy_edits import check_wait_for, policy_changes
from fanout.errors import InputError
from fanout.workflows.definition import Models, Moderation, Reasoning, Research, Workflow
from fanout.workflows.parsing import parse


def edited(workflow: Workflow, options: argparse.Namespace) -> Workflow:
    """The workflow with the options applied; InputError for one that doesn't fit its kind."""
    if options.documents and not isinstance(workflow, Research):
        raise InputError(_not_for(workflow, "--documents", "it is for research workflows"))
    changes = {
        **_votes(workflow, options),
        **_models(workflow, options),
        **policy_changes(workflow, options),
    }
    if options.times is not None:
        changes |= _times(workflow, options.times, changes)
    if not changes:
        return workflow
    changed = parse({**workflow.model_dump(exclude={"name"}), **changes}, name=workflow.name)
    check_wait_for(changed, options)
    return changed


def _votes(workflow: Workflow, options: argparse.Namespace) -> dict[str, object]:
    given = {
        "--rule": options.rule, "--votes-needed": options.votes_needed,
        "--early-stop": options.early_stop,
    }  # fmt: skip
    named = [flag for flag, value in given.items() if value is not None]
    if not named:
        return {}
    if not isinstance(workflow, Moderation | Reasoning):
        raise InputError(
            _not_for(workflow, named[0], "it is for moderation and reasoning workflows")
        )
    vote = workflow.vote.model_dump()
    if options.early_stop is not None:
        vote["early_stop"] = options.early_stop
    if options.rule is not None:
        vote |= {"rule": options.rule, "k": None}
    if options.votes_needed is not None:
        vote["k"] = options.votes_needed
        if vote["rule"] != "k_of_n":
            raise InputError("--votes-needed belongs to --rule k_of_n; give both or neither.")
    if vote["rule"] == "k_of_n" and vote["k"] is None:
        raise InputError("--rule k_of_n needs --votes-needed: how many votes decide.")
    return {"vote": vote}


def _models(workflow: Workflow, options: argparse.Namespace) -> dict[str, object]:
    if options.models is None:
        return {}
    if not isinstance(workflow, Models):
        raise InputError(_not_for(workflow, "--models", "it is for models workflows; see --model"))
    if any(branch.enabled for branch in workflow.branches):
        raise InputError(
            f"The branches of {workflow.name} name their models themselves, "
            "so --models would change nothing."
        )
    names = [name.strip() for name in options.models.split(",") if name.strip()]
    if not names:
        raise InputError("--models names no model. Write --models A,B,C.")
    return {"models": names}


def _times(workflow: Workflow, times: int, changes: Mapping[str, object]) -> dict[str, object]:
    if workflow.branches:
        return {"branches": [{**one.model_dump(), "times": times} for one in workflow.branches]}
    named = changes.get("models", getattr(workflow, "models", ()))
    if not isinstance(named, list | tuple) or not named:
        raise InputError(
            f"{workflow.name} asks one model at several temperatures, so --times has no branch "
            "to repeat. Name models with --models."
        )
    return {"models": [name for name in named for _ in range(times)]}


def _not_for(workflow: Workflow, flag: str, use: str) -> str:
    return f"{flag} does not apply to {workflow.name}, whose kind is {workflow.kind}: {use}."
