"""Whether branches brought different answers or the same one several times."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from fanout.insight.similarity import (
    Square,
    common_length,
    compression_ratio,
    distinct_2,
    longest_shared_phrase,
    vendi,
    wording,
)

GOOD = 0.8
"""Branches that amount to at least this share of their number hardly repeat each other."""
BAD = 0.5
TELLING_PHRASE = 4
"""A shared phrase of fewer words is no news."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosestPair:
    one: str
    other: str
    closeness: float
    """Cosine of their wording, 0 to 1."""
    phrase: str
    """The longest run of words that both have; empty where it is too short to tell anything."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Independence:
    titles: tuple[str, ...]
    """Of the texts that say anything, in the order of rows and columns."""
    matrix: tuple[tuple[float, ...], ...]
    """Closeness of wording, 0 to 1, ones on the diagonal."""
    effective: float
    """How many differently worded answers they amount to: the Vendi score, 1 to `of`."""
    of: int
    closest: ClosestPair
    compression: float | None
    distinct2: float | None
    meaning_effective: float | None
    """The same score by meaning; None without vectors."""
    advice: str
    """One sentence; empty where there is nothing to do."""

    @property
    def share(self) -> float:
        """The effective number beside what it could be, 0 to 1: by meaning where that is known."""
        known = self.effective if self.meaning_effective is None else self.meaning_effective
        return (known - 1) / (self.of - 1)


def independence(
    titles: Sequence[str], texts: Sequence[str], meaning: Square | None = None
) -> Independence | None:
    """How far n texts are from repeating each other; None if fewer than two say anything.

    `meaning` is n x n, the cosines of the texts' vectors.
    """
    full = [i for i, text in enumerate(texts) if text.strip()]
    if len(full) < 2:
        return None
    names = tuple(titles[i] for i in full)
    read = common_length([texts[i] for i in full])
    matrix = wording(read)
    closest = _closest(names, read, matrix)
    meant = None if meaning is None else vendi(_unit(meaning[np.ix_(full, full)]))
    effective = vendi(matrix)
    found = Independence(
        titles=names,
        matrix=tuple(tuple(round(float(x), 4) for x in row) for row in matrix),
        effective=effective,
        of=len(full),
        closest=closest,
        compression=compression_ratio(read),
        distinct2=distinct_2(read),
        meaning_effective=meant,
        advice="",
    )
    return replace(found, advice=_advice(found))


def _unit(meaning: Square) -> Square:
    """Ones on the diagonal and nothing below 0, whatever the vectors were."""
    symmetric = np.clip((meaning + meaning.T) / 2, 0.0, 1.0)
    np.fill_diagonal(symmetric, 1.0)
    return symmetric


def _closest(names: Sequence[str], texts: Sequence[str], matrix: Square) -> ClosestPair:
    upper = np.triu(matrix + 1, k=1)
    one, other = (int(x) for x in np.unravel_index(upper.argmax(), upper.shape))
    phrase = longest_shared_phrase(texts[one], texts[other])
    return ClosestPair(
        one=names[one],
        other=names[other],
        closeness=round(float(matrix[one, other]), 4),
        phrase=phrase if len(phrase.split()) >= TELLING_PHRASE else "",
    )


def _advice(found: Independence) -> str:
    if found.share >= GOOD:
        return ""
    pair = f"{found.closest.one} and {found.closest.other}"
    if found.share >= BAD:
        return f"{pair} come closest: give one of them a question, a role or a source of its own."
    return (
        f"The branches answer much alike, {pair} most: ask them different questions, "
        "raise the temperature, or run fewer of them."
    )
