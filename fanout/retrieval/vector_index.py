"""Vectors of passages: kept beside them, compared all at once by cosine.

20,000 vectors of 768 numbers are 60 MB and one matrix product, so that no vector database is
needed. The matrix of a model stays in memory until the library changes.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fanout.retrieval.database import Database

_MATRIX = (
    "SELECT v.passage, v.vector, p.document FROM vectors v JOIN passages p ON p.id = v.passage "
    "JOIN documents d ON d.id = p.document WHERE v.model = ? AND d.removed_at IS NULL "
    "ORDER BY v.passage"
)
_PUT = (
    "INSERT OR REPLACE INTO vectors (model, passage, vector) "
    "SELECT ?, id, ? FROM passages WHERE document = ? AND ordinal = ?"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Matrix:
    generation: int
    rows: NDArray[np.int64]
    documents: NDArray[np.str_]
    vectors: NDArray[np.float32]
    """Of length 1 each, so that a product is a cosine."""


class VectorIndex:
    def __init__(self, database: Database) -> None:
        self._database = database
        self._matrices: dict[tuple[str, int], _Matrix] = {}
        self._lock = threading.Lock()

    def put(self, model: str, vectors: Mapping[tuple[str, int], ArrayLike]) -> None:
        """Keep vectors by document and ordinal; passages that are gone meanwhile are left out.

        ValueError for one that is no list of numbers or has no direction.
        """
        values = [
            (model, _of_length_one(vector).tobytes(), document, ordinal)
            for (document, ordinal), vector in vectors.items()
        ]
        with self._database.writing() as connection:
            connection.executemany(_PUT, values)

    def ranked(
        self, model: str, vector: ArrayLike, limit: int, documents: Sequence[str] | None
    ) -> list[tuple[int, float]]:
        """Row ids of passages with their cosines, best first.

        Vectors of another length, from before an endpoint changed its model, are left out.
        """
        asked = _of_length_one(vector)
        with self._database.reading() as connection:
            matrix = self._matrix(connection, model, len(asked))
        rows, vectors = matrix.rows, matrix.vectors
        if documents is not None:
            inside = np.isin(matrix.documents, list(documents))
            rows, vectors = rows[inside], vectors[inside]
        scores = vectors @ asked
        best = np.lexsort((rows, -scores))[: max(limit, 0)]
        return [(int(rows[i]), float(scores[i])) for i in best]

    def _matrix(self, connection: sqlite3.Connection, model: str, length: int) -> _Matrix:
        (generation,) = connection.execute("SELECT generation FROM state").fetchone()
        with self._lock:
            known = self._matrices.get((model, length))
        if known is not None and known.generation == generation:
            return known
        found = [row for row in connection.execute(_MATRIX, (model,)) if len(row[1]) == length * 4]
        matrix = _Matrix(
            generation=generation,
            rows=np.array([row[0] for row in found], dtype=np.int64),
            documents=np.array([row[2] for row in found], dtype=np.str_),
            vectors=np.frombuffer(b"".join(row[1] for row in found), dtype="<f4").reshape(
                len(found), length
            ),
        )
        with self._lock:
            self._matrices[model, length] = matrix
        return matrix


def _of_length_one(vector: ArrayLike) -> NDArray[np.float32]:
    values = np.asarray(vector, dtype=np.float64)
    length = float(np.linalg.norm(values)) if values.ndim == 1 else 0.0
    if not (np.isfinite(length) and length > 0):
        raise ValueError("a vector needs to be a list of finite numbers that are not all 0")
    return (values / length).astype("<f4")
