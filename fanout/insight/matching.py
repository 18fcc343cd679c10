"""The search behind provenance: where in the branches each part of an answer is found, and back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fanout.insight.overlap import (
    Features,
    Incidence,
    Matrix,
    Weights,
    containment,
    features,
    incidence,
    weights,
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
    queries = [features(text) for text in (*texts, *parts)]
    named = frozenset[str]().union(*map(names, texts))
    by = weights(queries, [item.features for item in told], named=named, given=given)
    asked = incidence(queries, by)
    single = incidence([item.features for item in told], by)
    pairs = [i for i in range(len(told) - 1) if told[i].branch == told[i + 1].branch]
    first = np.array(pairs, dtype=np.intp)
    table = containment(asked, single.and_also(single.joined(first, first + 1)), by)
    if similarity is not None and texts:
        meant = np.array(similarity(texts, [t.sentence.text for t in told]), dtype=np.float32)
        known = table[: len(texts), : len(told)]
        table[: len(texts), : len(told)] = np.maximum(known, np.clip(meant, 0, 1))
    table[:, len(told) :] -= PAIR_COST
    places = [(i,) for i in range(len(told))] + [(i, i + 1) for i in pairs]
    return Comparison(
        best=_best(table, places, told),
        share_found=_share_found(told, single, asked, len(texts), by),
    )


def _best(
    table: Matrix, places: Sequence[tuple[int, ...]], told: Sequence[Told]
) -> tuple[tuple[Match, ...], ...]:
    rows: list[list[Match]] = [[] for _ in table]
    owners = np.array([told[place[0]].branch for place in places])
    for branch in dict.fromkeys(item.branch for item in told):
        columns = np.flatnonzero(owners == branch)
        winners = columns[table[:, columns].argmax(axis=1)]
        for row, column in enumerate(winners):
            score = float(table[row, column]) + PAIR_COST * (len(places[column]) - 1)
            rows[row].append(Match(branch=branch, score=min(1.0, score), at=places[column]))
    return tuple(map(tuple, rows))


def _share_found(
    told: Sequence[Told], single: Incidence, asked: Incidence, texts: int, by: Weights
) -> tuple[float, ...]:
    if not texts:
        return (0.0,) * len(told)
    rows = asked.terms[:texts]
    windows: NDArray[np.float32] = np.concatenate([rows, np.maximum(rows[:-1], rows[1:])])
    held = ((single.terms * by.terms) @ windows.T).max(axis=1)
    wholes = (by.of(item.features) for item in told)
    return tuple(
        min(1.0, float(part) / whole) if whole else 0.0
        for part, whole in zip(held, wholes, strict=True)
    )
