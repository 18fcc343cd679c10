"""BM25 over the index of words, kept quick where a query's words are everywhere.

Terms are joined with OR, and SQLite scores every passage that holds one of them, so common words
are what makes a query slow. Two measures, both measured in benchmarks/retrieval.py:

1. A term in more than half of the passages has no weight in SQLite's bm25() (its inverse document
   frequency would be negative and is set to one millionth): leaving it out changes no ranking.
2. Where the rest still means many entries, the rarest terms choose candidates, and only these are
   scored by all terms.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection

from fanout.retrieval.query import terms

MOST_POSTINGS = 6_000
"""How many entries of the index may be scored to choose candidates, or the rarest term's own."""
CANDIDATES = 400
ENOUGH = 10
"""Entries per wanted hit below which a term without weight is asked for, too."""

_COUNT = "SELECT count(*) FROM passage_index WHERE passage_index MATCH ?"
_PASSAGES = "SELECT coalesce(sum(passages), 0) FROM documents WHERE removed_at IS NULL"
_RANKED = (
    "SELECT rowid, -bm25(passage_index, 1.0, 0.5, 1.0) AS score FROM passage_index "
    "WHERE passage_index MATCH ? {among} ORDER BY score DESC, rowid LIMIT ?"
)
_ANYWHERE = _RANKED.format(among="")
# The plus keeps SQLite from asking the index once for every row of the list.
_AMONG_ROWS = _RANKED.format(among="AND +rowid IN (SELECT value FROM json_each(?))")
_AMONG_DOCUMENTS = _RANKED.format(
    among="AND +rowid IN (SELECT p.id FROM passages p JOIN json_each(?) d ON d.value = p.document)"
)


def ranked(
    connection: sqlite3.Connection, query: str, limit: int, documents: Collection[str] | None
) -> list[tuple[int, float]]:
    """Row ids of passages with their scores, best first; none if the query holds no term."""
    asked = terms(query)
    if limit < 1 or not asked:
        return []
    if documents is not None:
        # What is rare in the whole library may be missing in these: every term counts.
        chosen = (" OR ".join(asked), json.dumps(sorted(documents)), limit)
        return list(connection.execute(_AMONG_DOCUMENTS, chosen))
    weighing, choosing = _telling(connection, asked, limit)
    if not weighing:
        return []
    match = " OR ".join(weighing)
    if choosing == weighing:
        return list(connection.execute(_ANYWHERE, (match, limit)))
    candidates = connection.execute(_ANYWHERE, (" OR ".join(choosing), max(limit, CANDIDATES)))
    rows = json.dumps([row for row, _ in candidates])
    return list(connection.execute(_AMONG_ROWS, (match, rows, limit)))


def _telling(
    connection: sqlite3.Connection, asked: tuple[str, ...], limit: int
) -> tuple[list[str], list[str]]:
    """The terms to score by, and those of them, the rarest, to choose candidates by."""
    half = connection.execute(_PASSAGES).fetchone()[0] / 2
    counted = sorted((connection.execute(_COUNT, (term,)).fetchone()[0], term) for term in asked)
    weighing: list[str] = []
    choosing: list[str] = []
    postings = 0
    for count, term in counted:
        if count and (count <= half or postings < ENOUGH * limit):
            postings += count
            weighing.append(term)
            if postings <= MOST_POSTINGS or not choosing:
                choosing.append(term)
    return weighing, choosing
