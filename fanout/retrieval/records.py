"""Documents and passages as rows of the library's database, and back."""

from __future__ import annotations

import dataclasses
import sqlite3
from collections.abc import Sequence
from typing import Any

from fanout.retrieval.documents import Document
from fanout.retrieval.passages import Hit, Passage, Source
from fanout.retrieval.query import grams
from fanout.retrieval.splitting import Span

_FIELDS = tuple(field.name for field in dataclasses.fields(Document))
_DOCUMENT = f"SELECT {', '.join(_FIELDS)} FROM documents "
_PASSAGE = (
    'SELECT p.document, d.name, p.text, p.ordinal, p."start", p."end", p.place, p.id '
    "FROM passages p JOIN documents d ON d.id = p.document "
)
_INDEX = (
    "INSERT INTO passage_index (rowid, text, heading, grams) "
    "SELECT id, text, heading, grams FROM passages WHERE document = ?"
)
# An index beside its content table has to be told what it forgets.
_UNINDEX = (
    "INSERT INTO passage_index (passage_index, rowid, text, heading, grams) "
    "SELECT 'delete', id, text, heading, grams FROM passages WHERE document = ?"
)
_MISSING = (
    "WHERE d.removed_at IS NULL AND NOT EXISTS "
    "(SELECT 1 FROM vectors v WHERE v.model = ? AND v.passage = p.id) ORDER BY p.id LIMIT ?"
)


def passage_id(document: str, ordinal: int) -> str:
    return f"{document}-{ordinal}"


def parsed(id: str) -> tuple[str, int]:
    """Document and ordinal of a passage id; of anything else a pair that nothing has."""
    document, _, ordinal = id.rpartition("-")
    return document, int(ordinal) if ordinal.isdecimal() and len(ordinal) < 10 else 0


def insert(
    connection: sqlite3.Connection, document: Document, text: str, spans: Sequence[Span]
) -> None:
    values = [getattr(document, name) for name in _FIELDS]
    marks = ", ".join("?" * (len(values) + 1))
    connection.execute(
        f"INSERT INTO documents ({', '.join(_FIELDS)}, text) VALUES ({marks})", (*values, text)
    )
    columns = '(document, ordinal, "start", "end", place, heading, text, grams)'
    connection.executemany(
        f"INSERT INTO passages {columns} VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (_row(document.id, ordinal, span, text) for ordinal, span in enumerate(spans, start=1)),
    )
    connection.execute(_INDEX, (document.id,))


def set_removed(connection: sqlite3.Connection, id: str, at: float | None) -> bool:
    """Out of the index or back into it; False where that is so already."""
    was = "IS NULL" if at is not None else "IS NOT NULL"
    change = f"UPDATE documents SET removed_at = ? WHERE id = ? AND removed_at {was}"
    if not connection.execute(change, (at, id)).rowcount:
        return False
    connection.execute(_INDEX if at is None else _UNINDEX, (id,))
    return True


def document(connection: sqlite3.Connection, id: str) -> Document | None:
    """Removed or not."""
    row = connection.execute(_DOCUMENT + "WHERE id = ?", (id,)).fetchone()
    return _document(row) if row else None


def documents(connection: sqlite3.Connection) -> tuple[Document, ...]:
    rows = connection.execute(_DOCUMENT + "WHERE removed_at IS NULL ORDER BY added_at, rowid")
    return tuple(_document(row) for row in rows)


def passage(connection: sqlite3.Connection, id: str) -> Passage | None:
    where = "WHERE p.document = ? AND p.ordinal = ?"
    row = connection.execute(_PASSAGE + where, parsed(id)).fetchone()
    return _passage(row) if row else None


def without_vector(connection: sqlite3.Connection, model: str, limit: int) -> tuple[Passage, ...]:
    return tuple(_passage(row) for row in connection.execute(_PASSAGE + _MISSING, (model, limit)))


def hits(
    connection: sqlite3.Connection, found: Sequence[tuple[int, float]], source: Source
) -> tuple[Hit, ...]:
    """The ranking's rows as hits; a row purged meanwhile is left out."""
    marks = ", ".join("?" * len(found))
    rows = connection.execute(f"{_PASSAGE} WHERE p.id IN ({marks})", [row for row, _ in found])
    passages = {int(row[7]): _passage(row) for row in rows}
    there = [(passages[row], score) for row, score in found if row in passages]
    return tuple(
        Hit(passage=passage, rank=rank, score=score, source=source)
        for rank, (passage, score) in enumerate(there, start=1)
    )


def _row(id: str, ordinal: int, span: Span, text: str) -> tuple[str | int, ...]:
    own = text[span.start : span.end]
    return id, ordinal, span.start, span.end, span.place, span.heading, own, grams(own)


def _document(row: Sequence[Any]) -> Document:
    fields = dict(zip(_FIELDS, row, strict=True))
    return Document(**{**fields, "sample": bool(fields["sample"])})


def _passage(row: tuple[str, str, str, int, int, int, str, int]) -> Passage:
    id, title, text, ordinal, start, end, place, _ = row
    return Passage(
        id=passage_id(id, ordinal), document=id, title=title, text=text, ordinal=ordinal,
        start=start, end=end, place=place,
    )  # fmt: skip
