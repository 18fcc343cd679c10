"""What retrieval speaks of: passages of documents, hits of one ranking, and fused hits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Source = Literal["bm25", "vectors"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """A stretch of a document's extracted text, small enough to be cited."""

    id: str
    """The document's id, "-" and the ordinal: the same file gives the same ids anywhere."""
    document: str
    title: str
    """The document's shown name."""
    text: str
    ordinal: int
    """1 is the document's first passage."""
    start: int
    end: int
    """Offsets in the document's extracted text: text == extracted[start:end]."""
    place: str
    """Where a person finds it: "page 12", "rows 3-9", "section: Storage", or ""."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    passage: Passage
    rank: int
    """1 is the best of its ranking."""
    score: float
    """Higher is better; only comparable within one ranking."""
    source: Source


@dataclass(frozen=True, slots=True, kw_only=True)
class Fused:
    passage: Passage
    rank: int
    score: float
    found_by: Mapping[str, int]
    """Which rankings hold it, and at which rank there."""
