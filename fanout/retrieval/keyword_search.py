"""BM25 over the index of words, kept quick where a query's words are everywhere.

Terms are joined with OR, and every passage that holds one of them is scored, so common words are
what makes a query slow. A term in more than half of the passages has no weight in SQLite's bm25()
(its inverse document frequency would be negative and is set to one millionth), so leaving it out
changes no ranking; beyond that the rarest terms go first, up to MOST_POSTINGS.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection

from fanout.retrieval.query import terms

MOST_POSTINGS = 8_000
"""How many entries of the index may be scored, beyond those of the rarest term."""
ENOUGH = 10
"""Entries per wanted hit below which no term is left out."""

_COUNT = "SELECT count(*) FROM passage_index WHERE passage_index MATCH ?"
_PASSAGES = "SELECT coalesce(sum(passages), 0) FROM documents WHERE removed_at IS NULL"
_RANKED = (
    "SELECT rowid, -bm25(passage_index, 1.0, 0.5, 1.0) AS score FROM passage_index "
    "WHERE passage_index MATCH ? {among} ORDER BY score DESC, rowid LIMIT ?"
)
# The plus keeps SQLite from asking the index once for every passage of the chosen documents.
_AMONG = (
    "AND +rowid IN (SELECT id FROM passages WHERE document IN (SELECT value FROM json_each(?)))"
)


def ranked(
    connection: sqlite3.Connection, query: str, limit: int, documents: Collection[str] | None
) -> list[tuple[int, float]]:
    """Row ids of passages with their scores, best first; none if the query holds no term."""
    asked = terms(query)
    if documents is None:
        asked = _telling(connection, asked, limit)
    if not asked or limit < 1:
        return []
    match = " OR ".join(asked)
    if documents is None:
        rows = connection.execute(_RANKED.format(among=""), (match, limit))
    else:
        chosen = json.dumps(sorted(documents))
        rows = connection.execute(_RANKED.format(among=_AMONG), (match, chosen, limit))
    return [(int(row), float(score)) for row, score in rows]


def _telling(connection: sqlite3.Connection, asked: tuple[str, ...], limit: int) -> tuple[str, ...]:
    half = connection.execute(_PASSAGES).fetchone()[0] / 2
    counted = sorted((connection.execute(_COUNT, (t,)).fetchone()[0], t) for t in asked)
    chosen: list[str] = []
    postings = 0
    for count, term in counted:
        telling = count <= half and postings + count <= MOST_POSTINGS
        if count and (telling or postings < ENOUGH * limit):
            chosen.append(term)
            postings += count
    return tuple(chosen)
