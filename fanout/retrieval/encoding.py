"""Bytes become text: by byte-order mark, by what the page declares, as UTF-8, else assumed."""

from __future__ import annotations

import codecs
import re

from fanout.retrieval.errors import DocumentError

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_DECLARED = re.compile(rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?\s*([A-Za-z0-9_.:-]{1,40})", re.I)
_MARKUP_HEAD = 2048
_SNIFFED = 65_536
_CONTROLS = frozenset(range(32)) - frozenset(b"\t\n\v\f\r\x1b\x08")


def decode(name: str, data: bytes, *, markup: bool = False) -> tuple[str, str]:
    """The text, and a note where its encoding had to be assumed.

    DocumentError if it holds bytes that no text file has.
    """
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            try:
                return data.decode(encoding), ""
            except UnicodeDecodeError:
                raise DocumentError(
                    f"{name} begins like {encoding.removesuffix('-sig').upper()} text and then "
                    "breaks off or is damaged. Save it again as UTF-8."
                ) from None
    if _binary(data):
        raise DocumentError(
            f"{name} holds binary data, not text, whatever its name says. "
            "Export it as text, PDF or docx and add that."
        )
    if markup and (declared := _declared(data)):
        try:
            return data.decode(declared), ""
        except (UnicodeDecodeError, LookupError):
            pass
    try:
        return data.decode("utf-8"), ""
    except UnicodeDecodeError:
        return _assumed(data)


def _binary(data: bytes) -> bool:
    head = data[:_SNIFFED]
    return b"\0" in data or sum(byte in _CONTROLS for byte in head) > len(head) // 50


def _declared(data: bytes) -> str:
    found = _DECLARED.search(data[:_MARKUP_HEAD])
    if not found:
        return ""
    encoding = found[1].decode("ascii")
    try:
        # A page that declares, say, "hex" must not be run through a codec that is no charset.
        return encoding if "a".encode(encoding) == b"a" else ""
    except (LookupError, UnicodeError, TypeError):
        return ""


def _assumed(data: bytes) -> tuple[str, str]:
    advice = "If letters look wrong, save it as UTF-8 and add it again."
    try:
        return data.decode("cp1252"), f"It is not UTF-8; Windows-1252 was assumed. {advice}"
    except UnicodeDecodeError:
        return data.decode("latin-1"), f"It is not UTF-8; Latin-1 was assumed. {advice}"
