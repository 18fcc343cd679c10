"""A person's documents, kept between runs and searched by words and by vectors.

Removing is undoable: a removed document leaves every search at once, citations of earlier runs
still open it, and it is purged KEPT_S later. Nothing here is fetched from anywhere, and what a
document says is data.
"""

from __future__ import annotations

import hashlib
import sqlite3
import time
from collections.abc import Callable, Collection, Mapping
from pathlib import Path, PurePosixPath

from numpy.typing import ArrayLike

from fanout.retrieval import keyword_search, records
from fanout.retrieval.database import Database
from fanout.retrieval.documents import Added, Document
from fanout.retrieval.errors import DocumentError
from fanout.retrieval.extracted import Extracted
from fanout.retrieval.passages import Hit, Passage
from fanout.retrieval.reading import kind_of, read_document, shown_name
from fanout.retrieval.splitting import split, word_count
from fanout.retrieval.vector_index import VectorIndex
from fanout.shipped_files import shipped

SHIPPED = shipped("library")
KEPT_S = 30 * 24 * 3600.0
"""How long a removed document can be restored."""


class Library:
    """Usable from any thread, and by several processes at once."""

    def __init__(self, path: Path) -> None:
        """SettingsError if the file can't be used. Documents removed long ago are purged."""
        self._database = Database(path)
        self._vectors = VectorIndex(self._database)
        self.purge(removed_before=time.time() - KEPT_S)

    def close(self) -> None:
        self._database.close()

    def add(self, name: str, data: bytes, *, stopped: Callable[[], bool] | None = None) -> Added:
        """Read, split and keep a file; DocumentError, fit for the screen, if that can't be done.

        The same bytes are kept once, whatever their name, and come back if they were removed.
        Another file of the same name is kept beside it as "name (2)", because a name alone does
        not tell a new version from another document; `namesake` says which one it may replace.
        """
        return self._add(name, data, sample=False, stopped=stopped)

    def remove(self, id: str) -> bool:
        """False if there is no such document."""
        with self._database.writing() as connection:
            return records.set_removed(connection, id, time.time())

    def restore(self, id: str) -> bool:
        """Undo remove; False if it is not removed, or was purged meanwhile."""
        with self._database.writing() as connection:
            return records.set_removed(connection, id, None)

    def purge(self, *, removed_before: float) -> int:
        """Delete for good what was removed before that moment; how many documents went."""
        gone = "FROM documents WHERE removed_at < ?"
        with self._database.reading() as connection:
            (count,) = connection.execute("SELECT count(*) " + gone, (removed_before,)).fetchone()
        if count:
            with self._database.writing() as connection:
                count = connection.execute("DELETE " + gone, (removed_before,)).rowcount
        return int(count)

    def documents(self) -> tuple[Document, ...]:
        """Those not removed, in the order in which they came."""
        with self._database.reading() as connection:
            return records.documents(connection)

    def sample(self, folder: Path = SHIPPED) -> tuple[Document, ...]:
        """The shipped documents, added unless they once were: one that was removed stays away."""
        with self._database.reading() as connection:
            seen = {row[0] for row in connection.execute("SELECT name FROM samples")}
        for path in sorted(folder.glob("*.*")):
            if path.name not in seen:
                added = self._add(path.name, path.read_bytes(), sample=True)
                with self._database.writing() as connection:
                    row = (path.name, added.document.id)
                    connection.execute("INSERT OR IGNORE INTO samples VALUES (?, ?)", row)
        return tuple(document for document in self.documents() if document.sample)

    def document_text(self, id: str) -> str | None:
        """The extracted text, of a removed document too; None if there is no such document."""
        with self._database.reading() as connection:
            found = connection.execute("SELECT text FROM documents WHERE id = ?", (id,)).fetchone()
        return str(found[0]) if found else None

    def passage(self, id: str) -> Passage | None:
        """A passage, of a removed document too, so that old citations open."""
        with self._database.reading() as connection:
            return records.passage(connection, id)

    def context(self, passage_id: str, around: int | None = 1500) -> tuple[str, str, str] | None:
        """The document's text before the passage, the passage, and the text after it.

        About `around` characters each side, cut between words; None gives the whole document.
        None is also the answer if there is no such passage.
        """
        passage = self.passage(passage_id)
        text = self.document_text(passage.document) if passage else None
        if passage is None or text is None:
            return None
        before, after = text[: passage.start], text[passage.end :]
        if around is not None and len(before) > around:
            before = "…" + before[len(before) - around :].partition(" ")[2]
        if around is not None and len(after) > around:
            after = after[:around].rpartition(" ")[0] + "…"
        return before, passage.text, after

    def search(
        self, query: str, limit: int = 10, documents: Collection[str] | None = None
    ) -> tuple[Hit, ...]:
        """Passages that hold any of the query's words, ranked by BM25; English is stemmed.

        `documents` searches only those. Nothing in the query is syntax.
        """
        with self._database.reading() as connection:
            found = keyword_search.ranked(connection, query, limit, documents)
            return records.hits(connection, found, "bm25")

    def search_vector(
        self,
        model: str,
        vector: ArrayLike,
        limit: int = 10,
        documents: Collection[str] | None = None,
    ) -> tuple[Hit, ...]:
        """Passages by the cosine of this vector with theirs, of those that `model` made."""
        chosen = None if documents is None else tuple(documents)
        found = self._vectors.ranked(model, vector, limit, chosen)
        with self._database.reading() as connection:
            return records.hits(connection, found, "vectors")

    def put_vectors(self, model: str, vectors: Mapping[str, ArrayLike]) -> None:
        """Keep vectors by passage id; an id that is gone meanwhile is left out."""
        self._vectors.put(model, {records.parsed(id): vector for id, vector in vectors.items()})

    def missing_vectors(self, model: str, limit: int | None = None) -> tuple[Passage, ...]:
        """Passages that have no vector of this model yet."""
        with self._database.reading() as connection:
            return records.without_vector(connection, model, -1 if limit is None else limit)

    def _add(
        self,
        name: str,
        data: bytes,
        *,
        sample: bool,
        stopped: Callable[[], bool] | None = None,
    ) -> Added:
        name = shown_name(name)
        kind_of(name, data)
        id = hashlib.sha256(data).hexdigest()[:16]
        try:
            with self._database.writing() as connection:
                again = _again(connection, id, name)
            if again is not None:
                return again
            extracted = read_document(name, data, stopped=stopped)
            return self._keep(id, name, len(data), extracted, sample=sample)
        except sqlite3.Error as error:
            raise DocumentError(
                f"{name} can't be kept: {error}. "
                "Look for free space in FANOUT_HOME and add it again."
            ) from None

    def _keep(self, id: str, name: str, size: int, read: Extracted, *, sample: bool) -> Added:
        spans = split(read)
        words = word_count(read.text)
        with self._database.writing() as connection:
            # Another thread may have kept the same file while this one read it.
            again = _again(connection, id, name)
            if again is not None:
                return again
            names = {document.name: document.id for document in records.documents(connection)}
            document = Document(
                id=id, name=_free(name, names), kind=read.kind, bytes=size, passages=len(spans),
                words=words, pages=read.pages, added_at=time.time(), note=read.note, sample=sample,
            )  # fmt: skip
            records.insert(connection, document, read.text, spans)
        other = (
            f"{name} was here already with other content, so this one is {document.name}. "
            "If it replaces that one, remove that one."
        )
        note = " ".join(filter(None, (read.note, other if name in names else "")))
        namesake = names.get(name, "")
        return Added(
            document=document, passages=len(spans), note=note, again=False, namesake=namesake
        )


def _again(connection: sqlite3.Connection, id: str, name: str) -> Added | None:
    document = records.document(connection, id)
    if document is None:
        return None
    back = records.set_removed(connection, id, None)
    known = "" if document.name == name else f" as {document.name}"
    note = f"It had been removed{known}; it is back." if back else f"It is already here{known}."
    return Added(document=document, passages=document.passages, note=note, again=True)


def _free(name: str, taken: Collection[str]) -> str:
    path = PurePosixPath(name)
    number = 1
    free = name
    while free in taken:
        number += 1
        free = f"{path.stem} ({number}){path.suffix}"
    return free
