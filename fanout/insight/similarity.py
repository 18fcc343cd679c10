"""How much several texts repeat each other, and how many different ones they amount to.

Wording only: two paraphrases are two texts here. Longer texts look more alike by every measure of
this kind (arXiv 2507.15092), so they are compared at a common length.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from fanout.insight.overlap import grams
from fanout.insight.plain_text import plain

Square = NDArray[np.float64]
_Run = str | tuple[int, str]
"""Words that follow each other: one by itself, more as the number of those before the last."""

GRAM = 5
"""Characters per gram. Unrelated English texts share about 5 % of these, and 13 % of 4-grams."""
SHORTEST_CUT = 600
"""Texts are cut to the shortest one's characters, but not below this: a two-line joke must not
reduce a report to its first sentence."""

LONGEST_PHRASE = 40
_WINDOW = 32_000
"""What zlib looks back over, in bytes: further away a repetition goes unseen."""
_WORD = re.compile(r"[\u0e00-\u0e7f\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff]|\w+(?:['’]\w+)*")


def wording(texts: Sequence[str]) -> Square:
    """How close the wording of n texts is: n x n cosines of their sets of character 5-grams.

    0 where nothing is shared, 1 where everything is. Symmetric, with ones on the diagonal.
    `common_length` makes texts comparable; that goes for every measure here.
    """
    found = [grams(text, GRAM) for text in texts]
    every, columns = np.unique(np.concatenate([grams(""), *found]), return_inverse=True)
    rows = np.zeros((len(texts), len(every)), dtype=np.float32)
    owners = np.repeat(np.arange(len(texts)), [len(gram) for gram in found])
    rows[owners, columns] = 1
    sizes = np.sqrt(np.maximum(rows.sum(axis=1), 1))
    matrix = ((rows @ rows.T) / np.outer(sizes, sizes)).astype(np.float64)
    for i, j in np.argwhere(matrix == 0):
        matrix[i, j] = float(texts[i] == texts[j])
    return np.clip(matrix, 0.0, 1.0)


def vendi(similarity: Square) -> float:
    """How many different items n items amount to: 1 if all are equal, n if none shares anything.

    The exponential of the Shannon entropy of the eigenvalues of K/n (Friedman and Dieng, The Vendi
    Score, 2022; order 1). K is n x n, symmetric, with ones on its diagonal. 0 for no items.
    """
    n = len(similarity)
    if n == 0:
        return 0.0
    eigenvalues = np.clip(np.linalg.eigvalsh(similarity / n), 0.0, None)
    shares = eigenvalues[eigenvalues > 0] / eigenvalues.sum()
    return float(np.clip(np.exp(-(shares * np.log(shares)).sum()), 1.0, n))


def compression_ratio(texts: Sequence[str]) -> float | None:
    """How many times smaller the texts get together: about 2 for plain prose, more for repetition.

    Only comparable between sets of about the same length. None where there is no text.
    """
    each = _WINDOW // max(1, len(texts))
    raw = b"\n".join(text.encode("utf-8", errors="replace")[:each] for text in texts)
    return len(raw) / len(zlib.compress(raw, 9)) if raw.strip() else None


def distinct_2(texts: Sequence[str]) -> float | None:
    """The share of all pairs of neighbouring words that are different pairs: 1 repeats nothing."""
    pairs = [pair for text in texts for pair in pairwise(words(text))]
    return len(set(pairs)) / len(pairs) if pairs else None


def longest_shared_phrase(one: str, other: str) -> str:
    """The longest run of words that stands in both, in lower case; empty if no word does.

    Of a run longer than `LONGEST_PHRASE` words that many.
    """
    left, right = words(one), words(other)
    # From size to size only those places stay that both texts know, so that it soon gets short.
    ones: dict[int, _Run] = dict(enumerate(left))
    others: dict[int, _Run] = dict(enumerate(right))
    size, found = 0, ones
    while size < LONGEST_PHRASE and (shared := {*ones.values()} & {*others.values()}):
        size += 1
        number = {run: n for n, run in enumerate(shared)}
        found = {place: run for place, run in ones.items() if run in number}
        ones = _longer(ones, left, size, number)
        others = _longer(others, right, size, number)
    return " ".join(min(left[place : place + size] for place in found)) if size else ""


def _longer(
    runs: Mapping[int, _Run], text: Sequence[str], size: int, number: Mapping[_Run, int]
) -> dict[int, _Run]:
    """One word more at each place whose run is among the numbered ones."""
    return {
        place: (number[run], text[place + size])
        for place, run in runs.items()
        if run in number and place + size < len(text)
    }


def common_length(texts: Sequence[str]) -> list[str]:
    """What a reader sees of each text, cut to a common length."""
    seen = [" ".join(plain(text).split()) for text in texts]
    most = max(SHORTEST_CUT, min(map(len, seen), default=0))
    return [text[:most] for text in seen]


def words(text: str) -> list[str]:
    """Every word in lower case; scripts without spaces character by character."""
    return _WORD.findall(text.casefold())


def cosines(vectors: Sequence[Sequence[float]]) -> tuple[tuple[float, ...], ...]:
    """The n x n cosines of n vectors; a vector without a direction is close to none but itself."""
    table = np.asarray([list(vector) for vector in vectors], dtype=np.float64)
    lengths = np.linalg.norm(table, axis=1, keepdims=True)
    unit = np.divide(table, lengths, out=np.zeros_like(table), where=lengths > 0)
    found = np.clip(unit @ unit.T, -1.0, 1.0)
    np.fill_diagonal(found, 1.0)
    return tuple(tuple(round(float(x), 5) for x in row) for row in found)
