"""Which options go with which act: one that would be dropped without a word is refused instead."""

from __future__ import annotations

import argparse

from fanout.batch.places import check_places, models_named
from fanout.batch.preparing import check_pace
from fanout.batches import Batch
from fanout.cli.batch_flags import NO_CAP
from fanout.engine.runtime import Runtime
from fanout.errors import DefinitionError, InputError
from fanout.policies import Budget
from fanout.workflows.parsing import parse

_TABLE = ("column", "sheet", "encoding", "var", "keep_duplicates", "header")
_SETTINGS = ("concurrency", "per_minute", "budget", "budget_tokens", "title")
_KEPT = ("workflow", "model", "via")
"""What a batch keeps from its beginning to its end."""
_OTHERS = ("base_url", "trial", "detach")
_GOES_ON = {*_SETTINGS, "model", "via", "base_url", "detach"}
_TAKEN = {"resume": _GOES_ON, "retry_failed": _GOES_ON, "add": {*_GOES_ON, *_TABLE}}
"""Beside each act; what only says how a command speaks goes with all of them."""


def check_options(asked: str, options: argparse.Namespace) -> None:
    """InputError for an option that says nothing to this act."""
    taken = _TAKEN.get(asked, set())
    for name in (*_KEPT, *_TABLE, *_SETTINGS, *_OTHERS):
        if name in taken or not _given(name, getattr(options, name)):
            continue
        if name in _KEPT and asked in _TAKEN:
            raise InputError(_keeps(name))
        raise InputError(f"{_flag(name, options)} doesn't go with {_flag(asked, options)}.")


def check_batch(runtime: Runtime, batch: Batch, options: argparse.Namespace) -> None:
    """InputError where this batch can't go on as the options say, or not in this process."""
    if options.model and options.model != batch.model.model:
        raise InputError(_keeps("model", batch.model.model))
    if options.via is not None and options.via is not batch.via:
        raise InputError(_keeps("via", batch.via.value))
    if options.concurrency is not None:
        check_pace(options.concurrency)
    if options.detach and not options.base_url:
        return
    try:
        names = models_named(parse(batch.definition, name=batch.workflow))
        check_places(batch, names, runtime.engine.book(batch.person))
    except DefinitionError as error:
        way_out = (
            "A batch keeps its endpoint; start a new one to ask another."
            if options.base_url
            else "With --detach it is left to workers that can carry it out."
        )
        raise InputError(f"{error} {way_out}") from None


def budget_said(options: argparse.Namespace, before: Budget) -> Budget:
    """What it may spend from now on; a cap that isn't named stays as it was `before`."""
    usd, tokens = before.usd, before.tokens
    if options.budget is not None:
        usd = None if options.budget == NO_CAP else options.budget
    if options.budget_tokens is not None:
        tokens = None if options.budget_tokens == NO_CAP else options.budget_tokens
    return Budget(usd=usd, tokens=tokens)


def _given(name: str, value: object) -> bool:
    """Whether somebody wrote it; --no-header and a limit of 0 are something, too."""
    return value is not None if name in (*_SETTINGS[:-1], "header") else bool(value)


def _keeps(name: str, known: str = "") -> str:
    is_now = f" ({known})" if known else ""
    what = "way" if name == "via" else name
    return f"--{name} can't be changed: a batch keeps its {what}{is_now}. Start a new one instead."


def _flag(name: str, options: argparse.Namespace) -> str:
    if name == "header":
        return "--header" if options.header else "--no-header"
    return f"--{name.replace('_', '-')}"
