"""Real files made on the spot: PDFs with text on their pages, encrypted ones, Word files."""

from __future__ import annotations

import io
import zlib
from collections.abc import Iterable, Sequence

import docx
import pypdf


def pdf(pages: Sequence[str]) -> bytes:
    """A PDF with the lines of each text on a page of its own; "" makes a page without text."""
    objects = [b"<< /Type /Catalog /Pages 2 0 R >>", b"", _FONT]
    kids: list[str] = []
    for text in pages:
        kids.append(f"{len(objects) + 1} 0 R")
        content = len(objects) + 2
        objects += [_page(content), _stream(text)]
    count = len(pages)
    objects[1] = f"<< /Type /Pages /Kids [{' '.join(kids)}] /Count {count} >>".encode()
    return _file(objects)


_FONT = b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>"


def _page(content: int) -> bytes:
    resources = "/Resources << /Font << /F1 3 0 R >> >>"
    box = "/MediaBox [0 0 595 842]"
    return f"<< /Type /Page /Parent 2 0 R {box} {resources} /Contents {content} 0 R >>".encode()


def _stream(text: str) -> bytes:
    escaped = text.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)")
    shown = "".join(f"({line}) Tj T*\n" for line in escaped.splitlines())
    drawn = f"BT /F1 11 Tf 50 780 Td 14 TL\n{shown}ET" if shown else "0 0 m 9 9 l S"
    packed = zlib.compress(drawn.encode("cp1252"))
    head = f"<< /Length {len(packed)} /Filter /FlateDecode >>\nstream\n".encode()
    return head + packed + b"\nendstream"


def _file(objects: Iterable[bytes]) -> bytes:
    body = bytearray(b"%PDF-1.7\n")
    offsets = []
    for number, content in enumerate(objects, start=1):
        offsets.append(len(body))
        body += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    start = len(body)
    body += b"xref\n0 %d\n0000000000 65535 f \n" % (len(offsets) + 1)
    body += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    body += b"trailer << /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (
        len(offsets) + 1,
        start,
    )
    return bytes(body)


def encrypted(data: bytes, password: str, *, owner: str = "owner") -> bytes:
    writer = pypdf.PdfWriter(clone_from=io.BytesIO(data))
    writer.encrypt(user_password=password, owner_password=owner, algorithm="RC4-128")
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def word_file() -> bytes:
    document = docx.Document()
    document.add_heading("Shelter plan", level=1)
    document.add_paragraph("Before the table.")
    table = document.add_table(rows=2, cols=2)
    for cell, text in zip(
        (cell for row in table.rows for cell in row.cells),
        ("Room", "Places", "Assembly room", "80"),
        strict=True,
    ):
        cell.text = text
    document.add_paragraph("After the table.")
    document.add_heading("Keys", level=2)
    document.add_paragraph("The key safe stands beside the gate.")
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()
