"""A file becomes text: its format is told by content first, by the end of its name second."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import PurePosixPath

from fanout.retrieval.encoding import decode
from fanout.retrieval.errors import DocumentError
from fanout.retrieval.extracted import Extracted, Kind, Part, assemble
from fanout.retrieval.markdown import markdown_parts, plain_parts
from fanout.retrieval.reading_process import Outcome, read_apart
from fanout.retrieval.table import csv_parts, header_line
from fanout.retrieval.word import check_archive

MOST_BYTES = 50_000_000
READABLE = "txt, md, html, csv, pdf and docx"
_KINDS: dict[str, Kind] = {
    "": "txt", ".txt": "txt", ".text": "txt", ".log": "txt", ".md": "md", ".markdown": "md",
    ".html": "html", ".htm": "html", ".xhtml": "html", ".csv": "csv", ".tsv": "csv",
    ".pdf": "pdf", ".docx": "docx",
}  # fmt: skip
_PAGE = re.compile(
    rb"\s*(<\?xml[^>]{0,200}>\s*)?(<!--.{0,500}?-->\s*)?<(!doctype\s+html|html)\b", re.I | re.S
)
_OLD_OFFICE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_FEW_LETTERS = 3
"""A page with no more than this holds a picture, at most with its number beside it."""


def read_document(
    name: str, data: bytes, *, stopped: Callable[[], bool] | None = None
) -> Extracted:
    """The text of a file; DocumentError, naming it and the way out, if there is none to be had.

    May take as long as reading_process.READ_S; `stopped` is asked meanwhile and ends it.
    """
    name = shown_name(name)
    kind = kind_of(name, data)
    match kind:
        case "pdf":
            extracted = _pdf(name, read_apart("pdf", name, data, stopped=stopped))
        case "docx":
            check_archive(name, data)
            extracted = _apart(kind, read_apart("docx", name, data, stopped=stopped))
        case "html":
            extracted = _apart(kind, read_apart("html", name, data, stopped=stopped))
        case _:
            extracted = _text(name, kind, data)
    if not extracted.text:
        raise DocumentError(f"{name} holds no text. Choose a file with something to read in it.")
    return extracted


def shown_name(name: str) -> str:
    """The name without folders and control characters, short enough for a line."""
    last = PurePosixPath(name.replace("\\", "/")).name
    path = PurePosixPath("".join(c for c in last if c.isprintable()).strip() or "document")
    return f"{path.stem[: 120 - len(path.suffix[:10])]}{path.suffix[:10]}"


def kind_of(name: str, data: bytes) -> Kind:
    """DocumentError for what can't be read at all: empty, too large, an unknown format."""
    if not data:
        raise DocumentError(f"{name} is empty: it has 0 bytes. Was it saved before it was added?")
    if len(data) > MOST_BYTES:
        raise DocumentError(
            f"{name} has {len(data) / 1e6:.0f} MB; at most {MOST_BYTES // 1_000_000} MB can be "
            "read. Split it, or save its text alone."
        )
    if b"%PDF-" in data[:1024]:
        return "pdf"
    if data.startswith(b"PK\x03\x04"):
        return "docx"
    if data.startswith(_OLD_OFFICE):
        raise DocumentError(
            f"{name} is an old Office file or one with a password. "
            "Save it as .docx without a password and add that."
        )
    if _PAGE.match(data[:4096]):
        return "html"
    return _by_ending(name)


def _by_ending(name: str) -> Kind:
    ending = PurePosixPath(name).suffix.lower()
    kind = _KINDS.get(ending)
    if kind is None:
        raise DocumentError(
            f"{name} can't be read: {ending} files are not among {READABLE}. "
            "Export it as one of these."
        )
    if kind in ("pdf", "docx"):
        raise DocumentError(
            f"{name} is named {ending} but holds something else, or is damaged at its beginning. "
            "Save it again."
        )
    return kind


def _text(name: str, kind: Kind, data: bytes) -> Extracted:
    text, note = decode(name, data)
    if kind == "csv":
        parts = tuple(csv_parts(name, text)) or (Part(text=header_line(text)),)
    else:
        parts = tuple((markdown_parts if kind == "md" else plain_parts)(text))
    return assemble(parts, kind, pages=None, note=note)


def _apart(kind: Kind, outcome: Outcome) -> Extracted:
    late = "It took too long to read: only its first part is here." if outcome.cut else ""
    note = " ".join(filter(None, (outcome.note, late)))
    return assemble(outcome.parts, kind, pages=None, note=note)


def _pdf(name: str, outcome: Outcome) -> Extracted:
    pages = len(outcome.parts)
    bare = sum(_without_text(part) for part in outcome.parts)
    if bare == pages:
        raise DocumentError(
            f"{name} has no text on its {pages} {'page' if pages == 1 else 'pages'}; it looks "
            "scanned. Run OCR (text recognition) on it first and add the result."
        )
    notes = []
    if bare:
        notes.append(f"{bare} of {pages} pages have no text; they may be scanned.")
    if outcome.cut:
        notes.append(f"It took too long to read: only its first {pages} pages are here.")
    return assemble(outcome.parts, "pdf", pages=pages, note=" ".join(notes))


def _without_text(part: Part) -> bool:
    return sum(c.isalnum() for c in part.text) <= _FEW_LETTERS
