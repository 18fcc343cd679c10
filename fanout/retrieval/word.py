"""A Word document as parts: paragraphs and tables in their order, one part per heading."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator

import docx
from docx.table import Table
from docx.text.paragraph import Paragraph

from fanout.retrieval.errors import DocumentError
from fanout.retrieval.extracted import Part

MOST_UNPACKED = 200_000_000
"""Bytes of everything inside the file; pictures are counted, too."""


def check_archive(name: str, data: bytes) -> None:
    """DocumentError unless it unpacks to a Word document of bearable size.

    The sizes that an archive declares can be trusted here: no more than that is ever unpacked.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = archive.infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError):
        raise DocumentError(
            f"{name} is damaged: it can't be unpacked. Save it again from Word."
        ) from None
    if not any(member.filename == "word/document.xml" for member in members):
        raise DocumentError(
            f"{name} is an archive or an office file of another kind, not a Word document. "
            "Export it as PDF or CSV and add that."
        )
    if sum(member.file_size for member in members) > MOST_UNPACKED:
        raise DocumentError(
            f"{name} would unpack to more than {MOST_UNPACKED // 1_000_000} MB. "
            "Save its text as .txt or PDF and add that."
        )


def docx_parts(name: str, data: bytes) -> Iterator[Part]:
    try:
        yield from _parts(data)
    except MemoryError:
        raise
    # python-docx meets damage with KeyError, lxml's errors and more.
    except Exception:
        raise DocumentError(
            f"{name} is damaged: it isn't the Word document that it claims to be. "
            "Open it in Word and save it again."
        ) from None


def _parts(data: bytes) -> Iterator[Part]:
    lines: list[str] = []
    heading = ""
    for block in docx.Document(io.BytesIO(data)).iter_inner_content():
        if isinstance(block, Table):
            lines.append("\n".join(_rows(block)))
        elif block.text.strip() and _is_heading(block):
            yield Part(text="\n\n".join(lines), unit="section", name=heading)
            heading = block.text.strip()
            lines = [heading]
        else:
            lines.append(block.text)
    yield Part(text="\n\n".join(lines), unit="section", name=heading)


def _is_heading(paragraph: Paragraph) -> bool:
    style = paragraph.style
    return style is not None and (style.name or "").startswith(("Heading", "Title"))


def _rows(table: Table) -> Iterator[str]:
    for row in table.rows:
        cells: list[str] = []
        seen: list[object] = []
        for cell in row.cells:
            # A merged cell is listed once for every column that it spans.
            if not any(cell._tc is other for other in seen):
                seen.append(cell._tc)
                cells.append(" ".join(cell.text.split()))
        yield " | ".join(cells)
