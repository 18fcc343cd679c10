"""Which columns stand in which rows, kept sparse: a sentence holds few of all words there are.

Sums over sparse rows instead of products of full matrices: memory follows the text, and no linear
algebra library starts threads that burn more processor time than the sums take.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float32]
Places = NDArray[np.intp]

_CELLS = 2_000_000
"""Numbers gathered at once, 8 MB."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Incidence:
    rows: Places
    """In ascending order, one for each entry."""
    columns: Places
    size: int
    """Rows, the empty ones included."""
    width: int
    """Columns."""

    def neighbours(self) -> Incidence:
        """A row for each two rows that follow each other, holding what either of them holds."""
        left = self.rows < self.size - 1
        right = self.rows > 0
        found = np.concatenate(
            [
                self.rows[left] * self.width + self.columns[left],
                (self.rows[right] - 1) * self.width + self.columns[right],
            ]
        )
        rows, columns = np.divmod(np.unique(found), max(1, self.width))
        return Incidence(rows=rows, columns=columns, size=max(0, self.size - 1), width=self.width)

    def full(self, weights: Matrix) -> Matrix:
        """Every cell written out: the weight of its column where it has an entry, else 0."""
        matrix = np.zeros((self.size, self.width), dtype=np.float32)
        matrix[self.rows, self.columns] = weights[self.columns]
        return matrix


def incidence(columns: Sequence[Places], width: int) -> Incidence:
    """A row for each of `columns`."""
    lengths = [len(found) for found in columns]
    return Incidence(
        rows=np.repeat(np.arange(len(columns)), lengths),
        columns=np.concatenate([np.empty(0, np.intp), *columns]),
        size=len(columns),
        width=width,
    )


def held(queries: Matrix, windows: Incidence) -> Matrix:
    """Queries x windows: the sum of each query's weights in the columns that a window has."""
    by_column = np.ascontiguousarray(queries.T)
    sums = np.zeros((windows.size, len(queries)), dtype=np.float32)
    begins = np.searchsorted(windows.rows, np.arange(windows.size + 1))
    most = max(1, _CELLS // max(1, len(queries)))
    first = 0
    while first < windows.size:
        last = max(first + 1, int(np.searchsorted(begins, begins[first] + most, side="right")) - 1)
        inside = slice(begins[first], begins[last])
        some = first + np.flatnonzero(np.diff(begins[first : last + 1]))
        if len(some):
            gathered = by_column[windows.columns[inside]]
            sums[some] = np.add.reduceat(gathered, begins[some] - begins[first], axis=0)
        first = last
    return sums.T
