"""The labelled sentences, and how provenance does on them."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from fanout.insight.provenance import SourcedSentence, provenance
from fanout.types import BranchId

PATH = Path(__file__).with_name("labelled.toml")
TRUE_KINDS = ("copy", "paraphrase", "merge", "reworded")
"""What the branches really support; the other kinds no branch does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Labelled:
    kind: str
    sources: frozenset[str]
    found: SourcedSentence

    @property
    def named(self) -> frozenset[str]:
        return frozenset(support.branch for support in self.found.supports)

    @property
    def true(self) -> bool:
        return self.kind in TRUE_KINDS


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Shares, 0 to 1."""

    source_precision: float
    """Of the branches named, those that are sources; changed sentences count too."""
    source_recall: float
    supported_precision: float
    """Of the sentences called supported, those that a branch supports."""
    supported_recall: float


def labelled(*, tuning: bool) -> list[Labelled]:
    """Each topic's sentences sourced as one answer, as they would be in a run."""
    return list(_read(tuning=tuning))


def _read(*, tuning: bool) -> Iterator[Labelled]:
    for topic in tomllib.loads(PATH.read_text("utf-8"))["topic"]:
        if topic["tuning"] is not tuning:
            continue
        sources = {BranchId(name): text for name, text in topic["branches"].items()}
        answer = "\n\n".join(sentence["text"] for sentence in topic["sentence"])
        found = provenance(answer, sources, given=topic["name"])
        for sentence, sourced in zip(topic["sentence"], found.sentences, strict=True):
            yield Labelled(
                kind=sentence["kind"], sources=frozenset(sentence["sources"]), found=sourced
            )


def figures(cases: list[Labelled]) -> Figures:
    named = sum(len(case.named) for case in cases)
    right = sum(len(case.named & case.sources) for case in cases)
    wanted = sum(len(case.sources) for case in cases)
    called = [case for case in cases if case.found.supported]
    true = [case for case in cases if case.true]
    both = sum(case.true for case in called)
    return Figures(
        source_precision=right / named,
        source_recall=right / wanted,
        supported_precision=both / len(called),
        supported_recall=both / len(true),
    )
