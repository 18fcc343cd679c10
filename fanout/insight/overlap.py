"""How much of one piece of text is found in another: weighted content words and characters.

Containment, not similarity: a short sentence that a long one holds entirely scores 1. Two views of
the text are mixed. Content words by stem, weighted by how rare they are among the sentences
compared (numbers and names more), see what is said; four-character grams see inflection, compounds
and languages whose endings the stemmer doesn't know.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fanout.insight.incidence import Incidence, Matrix, held, incidence
from fanout.insight.terms import NUMBER, terms

Grams = NDArray[np.uint64]

WORDS_SHARE = 0.7
"""What content words count for beside characters."""
GRAM = 4
NUMBER_WEIGHT = 2.0
NAME_WEIGHT = 1.5
GIVEN_WEIGHT = 0.3
"""Words of the topic stand everywhere and say little about who brought a point."""
FEW = 30
"""Rarity is judged as if there were at least so many sentences."""
_BETWEEN = re.compile(r"[\W_]+")
_NO_GRAMS: Grams = np.empty(0, dtype=np.uint64)


@dataclass(frozen=True, slots=True, kw_only=True)
class Features:
    """One piece of text as sets."""

    terms: frozenset[str]
    grams: Grams


def features(text: str) -> Features:
    return Features(terms=terms(text), grams=grams(text))


def grams(text: str, size: int = GRAM) -> Grams:
    """The distinct runs of `size` characters, hashed; letters, digits, single spaces."""
    letters = _BETWEEN.sub(" ", text.casefold()).strip()
    encoded = letters.encode("utf-32-le", errors="surrogatepass")
    codes = np.frombuffer(encoded, dtype="<u4").astype(np.uint64)
    if len(codes) < size:
        return _NO_GRAMS
    hashed = np.zeros(len(codes) - size + 1, dtype=np.uint64)
    for i in range(size):
        hashed = hashed * np.uint64(0x100000001B3) + codes[i : len(codes) - size + 1 + i]
    return np.unique(hashed)


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """What each term and gram is worth, by its rarity among the sentences compared."""

    worth: dict[str, float]
    """Of every term, asked for or not."""
    columns: dict[str, int]
    terms: Matrix
    gram_columns: Grams
    grams: Matrix

    def of(self, piece: Features) -> float:
        """What all terms of a piece are worth together."""
        return sum(self.worth[term] for term in piece.terms)


def weights(
    queried: Sequence[Features],
    among: Sequence[Features],
    *,
    named: Collection[str] = (),
    given: str = "",
) -> Weights:
    """Weights of what `queried` and `among` hold; rare among the sentences `among` weighs more.

    Terms `named` weigh more too, those of the text that was `given` to all of them less.
    """
    known = Counter(term for piece in among for term in piece.terms)
    asked = sorted({term for piece in queried for term in piece.terms})
    every = sorted({*known, *asked})
    rarity = _rarity(np.array([known[term] for term in every], dtype=np.float32), len(among))
    topic = terms(given)
    worth = {
        term: float(rare) * _emphasis(term, topic, named)
        for term, rare in zip(every, rarity, strict=True)
    }
    gram_columns = np.unique(np.concatenate([_NO_GRAMS, *(piece.grams for piece in queried)]))
    seen = np.concatenate([_NO_GRAMS, *(piece.grams for piece in among)])
    places, inside = _places(gram_columns, seen)
    counts = np.bincount(places[inside], minlength=len(gram_columns))
    return Weights(
        worth=worth,
        columns={term: i for i, term in enumerate(asked)},
        terms=np.array([worth[term] for term in asked], dtype=np.float32),
        gram_columns=gram_columns,
        grams=_rarity(counts.astype(np.float32), len(among)),
    )


def _emphasis(term: str, topic: Collection[str], named: Collection[str]) -> float:
    if term in topic:
        return GIVEN_WEIGHT
    if term.startswith(NUMBER):
        return NUMBER_WEIGHT
    return NAME_WEIGHT if term in named else 1.0


def _rarity(known: Matrix, sentences: int) -> Matrix:
    """Inverse document frequency as in BM25; the unknown is worth as much as what stands once."""
    known = np.maximum(known, 1)
    among = np.maximum(known, max(sentences, FEW))
    return np.log1p((among - known + 0.5) / (known + 0.5)).astype(np.float32)


def _places(columns: Grams, found: Grams) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
    """The column of each gram, and whether it has one."""
    if not len(columns):
        return np.zeros(len(found), np.intp), np.zeros(len(found), np.bool_)
    places = np.minimum(np.searchsorted(columns, found), len(columns) - 1)
    return places, columns[places] == found


@dataclass(frozen=True, slots=True, kw_only=True)
class Windows:
    """Which of the weighted terms and grams stand in which piece: a row per piece."""

    terms: Incidence
    grams: Incidence

    def neighbours(self) -> Windows:
        """A row for each two pieces that follow each other."""
        return Windows(terms=self.terms.neighbours(), grams=self.grams.neighbours())


@dataclass(frozen=True, slots=True, kw_only=True)
class Queries:
    """What is looked for, weighted: queries x terms, queries x grams."""

    terms: Matrix
    grams: Matrix


def windows(pieces: Sequence[Features], by: Weights) -> Windows:
    in_terms = [
        np.array([by.columns[term] for term in piece.terms if term in by.columns], dtype=np.intp)
        for piece in pieces
    ]
    in_grams = []
    for piece in pieces:
        places, inside = _places(by.gram_columns, piece.grams)
        in_grams.append(places[inside])
    return Windows(
        terms=incidence(in_terms, len(by.columns)),
        grams=incidence(in_grams, len(by.gram_columns)),
    )


def queries(pieces: Sequence[Features], by: Weights) -> Queries:
    found = windows(pieces, by)
    return Queries(terms=found.terms.full(by.terms), grams=found.grams.full(by.grams))


def containment(asked: Queries, among: Windows) -> Matrix:
    """Queries x windows: the share of each query, 0 to 1, that each window holds."""
    words, full = _share(asked.terms, among.terms)
    characters, _ = _share(asked.grams, among.grams)
    mixed = WORDS_SHARE * words + (1 - WORDS_SHARE) * characters
    chosen = np.where(full[:, None], mixed, characters)
    return np.round(chosen, 5).astype(np.float32)


def _share(asked: Matrix, among: Incidence) -> tuple[Matrix, NDArray[np.bool_]]:
    """Weighted containment, and which queries have any weight at all."""
    whole = asked.sum(axis=1)
    share = held(asked, among) / np.maximum(whole, 1e-6)[:, None]
    return np.clip(share, 0, 1), whole > 0
