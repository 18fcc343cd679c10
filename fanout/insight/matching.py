"""The search behind provenance: where in the branches each part of an answer is found, and back."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np

from fanout.insight.incidence import Matrix, held
from fanout.insight.overlap import (
    Features,
    Queries,
    Weights,
    Windows,
    containment,
    features,
    queries,
    weights,
    windows,
)
from fanout.insight.sentences import Sentence, sentences
from fanout.insight.terms import names
from fanout.types import BranchId

PAIR_COST = 0.1
"""Two neighbouring sentences together must hold this much more than one of them alone."""

Similarity = Callable[[Sequence[str], Sequence[str]], Sequence[Sequence[float]]]
"""Texts x branch sentences, how close they are in meaning: 0 is nothing, 0.5 and more is the same
statement. Vectors are the caller's business, and so is bringing their cosines to this scale."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A sentence of a branch."""

    branch: BranchId
    sentence: Sentence
    features: Features


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """Where a branch holds most of a text."""

    branch: BranchId
    score: float
    """0 to 1: the share of the text that stands there."""
    at: tuple[int, ...]
    """One or two neighbouring sentences, by their position in what was told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    best: tuple[tuple[Match, ...], ...]
    """For each text, the best match in each branch that said anything."""
    share_found: tuple[float, ...]
    """For each sentence told, how much of it stands in one or two neighbouring texts."""


def tell(sources: Mapping[BranchId, str]) -> tuple[Told, ...]:
    """Every sentence of every branch; the order depends on the ids alone."""
    return tuple(
        Told(branch=branch, sentence=sentence, features=features(sentence.text))
        for branch in sorted(sources)
        for sentence in sentences(sources[branch])
    )


def compare(
    texts: Sequence[str],
    parts: Sequence[str],
    told: Sequence[Told],
    given: str = "",
    similarity: Similarity | None = None,
) -> Comparison:
    """Look for `texts` and `parts` of them in what was told, and for what was told in `texts`.

    `best` has a row for each text, then one for each part.
    """
    if not told:
        return Comparison(best=((),) * (len(texts) + len(parts)), share_found=())
    queried = [features(text) for text in (*texts, *parts)]
    named = frozenset[str]().union(*map(names, texts))
    by = weights(queried, [item.features for item in told], named=named, given=given)
    asked = queries(queried, by)
    meant: Matrix = np.zeros((len(queried), len(told)), dtype=np.float32)
    if similarity is not None and texts:
        near = np.array(similarity(texts, [item.sentence.text for item in told]))
        meant[: len(texts)] = np.clip(near, 0, 1)
    rows: list[list[Match]] = [[] for _ in queried]
    share_found: list[float] = []
    first = 0
    for _, group in groupby(told, key=lambda item: item.branch):
        spoken = tuple(group)
        last = first + len(spoken)
        single = windows([item.features for item in spoken], by)
        table = _table(asked, single, meant[:, first:last])
        for row, match in zip(rows, _best(table, spoken[0].branch, first, last), strict=True):
            row.append(match)
        share_found += _share_found(spoken, single, asked.terms[: len(texts)], by)
        first = last
    return Comparison(best=tuple(map(tuple, rows)), share_found=tuple(share_found))


def _table(asked: Queries, single: Windows, meant: Matrix) -> Matrix:
    """Queries x windows of one branch: its sentences, then its pairs of neighbours."""
    alone = np.maximum(containment(asked, single), meant)
    pairs = containment(asked, single.neighbours()) - PAIR_COST
    return np.concatenate([alone, pairs], axis=1)


def _best(table: Matrix, branch: BranchId, first: int, last: int) -> Iterator[Match]:
    """For each query the window of that branch, told from `first` to `last`, that holds most."""
    for scores, window in zip(table, table.argmax(axis=1), strict=True):
        pair = window >= last - first
        at = first + int(window) - (last - first if pair else 0)
        score = float(scores[window]) + (PAIR_COST if pair else 0.0)
        where = (at, at + 1) if pair else (at,)
        yield Match(branch=branch, score=min(1.0, score), at=where)


def _share_found(
    spoken: Sequence[Told], single: Windows, texts: Matrix, by: Weights
) -> Iterator[float]:
    """For each sentence told, the share of it in the best one or two of the texts."""
    if not len(texts):
        yield from (0.0 for _ in spoken)
        return
    both = np.maximum(texts[:-1], texts[1:])
    found = held(np.concatenate([texts, both]), single.terms).max(axis=0)
    for part, item in zip(found, spoken, strict=True):
        whole = by.of(item.features)
        yield min(1.0, float(part) / whole) if whole else 0.0
