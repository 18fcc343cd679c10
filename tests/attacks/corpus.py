"""Attack strings by family, and runs in which every text that somebody wrote is one of them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cache
from itertools import cycle, islice
from pathlib import Path

from fanout.errors import FanoutError
from fanout.events import BranchWrote, RunStarted
from fanout.store.values import Label, StoredRun
from fanout.timeline import decode, encode
from fanout.types import RunId
from tests.export.stored_runs import shipped_runs
from tests.folding import folded

FILE = Path(__file__).with_name("corpus.jsonl")
BUNDLE = 24
"""Attacks in one long text."""
LONG = frozenset({"text", "content"})
SHORT = frozenset(
    {
        *("title", "topic", "message", "model", "name", "host", "heading", "choice", "said"),
        *("reason", "category", "problem", "place", "source", "finish_reason", "fanout", "python"),
        *("workflow", "promise", "document"),
    }
)
"""Fields that a person, a model, an endpoint or somebody with an editor may have written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attack:
    family: str
    text: str


@cache
def attacks() -> tuple[Attack, ...]:
    lines = FILE.read_text("ascii").splitlines()
    return tuple(Attack(**json.loads(line)) for line in lines)


@cache
def texts() -> tuple[str, ...]:
    return tuple(one.text for one in attacks())


def spread() -> Iterator[str]:
    """All attacks for ever, neighbours of different families."""
    families: dict[str, list[str]] = {}
    for one in attacks():
        families.setdefault(one.family, []).append(one.text)
    rounds = range(max(map(len, families.values())))
    mixed = [held[n] for n in rounds for held in families.values() if n < len(held)]
    return cycle(mixed)


def bundles(size: int = BUNDLE) -> Iterator[str]:
    """Long texts of several attacks for ever; what swallows the rest of a text stands last."""
    mixed = spread()
    while True:
        found = sorted(islice(mixed, size), key=_swallows)
        yield "\n\n".join(found)


def _swallows(text: str) -> bool:
    return any(mark in text for mark in ("```", "~~~", "$$", "<!--", "\x1b", "\u202e"))


class Planter:
    """Puts the next attack wherever one fits, so that several runs hold them all many times."""

    def __init__(self) -> None:
        self._short = spread()
        self._long = bundles()

    def run(self, run: StoredRun, run_id: str = "") -> StoredRun:
        """The same run with every text replaced; ids stay, so that it is still one run."""
        events = []
        begun = set()
        for event in run.events:
            if isinstance(event, BranchWrote) and event.id in begun:
                event = replace(event, text=f"{next(self._short)}\n\n")
            else:
                if isinstance(event, BranchWrote):
                    begun.add(event.id)
                with suppress(FanoutError):
                    event = decode(self._with(encode(event)))
            if run_id and isinstance(event, RunStarted):
                event = replace(event, run_id=RunId(run_id))
            events.append(event)
        return StoredRun(events=tuple(events), snapshot=folded(events), label=self.label())

    def label(self) -> Label:
        tags = tuple(dict.fromkeys(next(self._short)[:60] for _ in range(3)))
        return Label(name=next(self._short)[:200], notes=next(self._long)[:2_000], tags=tags)

    def _with(self, value: object, key: str = "") -> object:
        if isinstance(value, dict):
            return {k: self._with(inner, k) for k, inner in value.items()}
        if isinstance(value, list):
            return [self._with(inner, key) for inner in value]
        if isinstance(value, str) and (key in SHORT or key == "queries"):
            return next(self._short)
        return next(self._long) if isinstance(value, str) and key in LONG and value else value


def planted(names: Sequence[str]) -> tuple[StoredRun, ...]:
    """Runs of those shipped workflows, attacks in every field of theirs."""
    planter = Planter()
    return tuple(planter.run(shipped_runs()[name], f"planted-{name}") for name in names)
