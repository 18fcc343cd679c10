"""What a library holds: its documents, and what came of adding one."""

from __future__ import annotations

from dataclasses import dataclass

from fanout.retrieval.extracted import Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    id: str
    """The first 16 hex digits of the file's SHA-256: the same file has it on every machine."""
    name: str
    kind: Kind
    bytes: int
    passages: int
    words: int
    pages: int | None
    """None where the format has no pages."""
    added_at: float
    """Seconds since 1970."""
    note: str
    """What reading it had to assume or leave out, or ""."""
    sample: bool
    """True for the documents that came with Fanout."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Added:
    document: Document
    passages: int
    note: str
    """The document's note, and what happened to its name or to an earlier copy, or ""."""
    again: bool
    """True where the same file was there already, under any name, removed or not."""
    namesake: str = ""
    """The id of another document that already had the name, and may be what this one replaces."""
