"""Bytes become text without being held: by byte-order mark, as UTF-8, else as a told guess."""

from __future__ import annotations

import codecs
import io
import re
from typing import BinaryIO

from fanout.errors import InputError

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_PORTION = 1 << 20
_BINARY = re.compile(rb"[\x00-\x06\x0e-\x1a\x1c-\x1f]")
_FEW = 50
"""One control character in so many bytes is a slip; more are no text."""
_ASSUMED = {"cp1252": "Windows-1252", "latin-1": "Latin-1"}


def text_of(file: BinaryIO, name: str) -> tuple[io.TextIOWrapper, str]:
    """The text to be read line by line, and a note where its encoding had to be guessed.

    InputError for what is no text. Line ends are left as they are.
    """
    encoding, note = _encoding(file, name)
    file.seek(0)
    return io.TextIOWrapper(file, encoding=encoding, newline=""), note


def _encoding(file: BinaryIO, name: str) -> tuple[str, str]:
    head = file.read(_PORTION)
    for mark, encoding in _MARKS:
        if head.startswith(mark):
            if (bad := _first_bad(file, encoding)) is not None:
                said = encoding.removesuffix("-sig").upper()
                raise InputError(
                    f"{name} begins like {said} text and is damaged {_at(bad)}. Save it again as "
                    "CSV UTF-8."
                )
            return encoding, ""
    if guessed := _wide_without_mark(head):
        if _first_bad(file, guessed) is None:
            return guessed, ""
        raise InputError(_no_text(name))
    if b"\0" in head or len(_BINARY.findall(head)) * _FEW > len(head):
        raise InputError(_no_text(name))
    for encoding in ("utf-8", *_ASSUMED):
        if _first_bad(file, encoding) is None:
            return encoding, _guess(encoding)
    raise AssertionError("every byte is a letter of Latin-1")


def _first_bad(file: BinaryIO, encoding: str) -> int | None:
    """The byte from which on it is no such text; None: it is, to the end."""
    decoder = codecs.getincrementaldecoder(encoding)()
    file.seek(0)
    done = 0
    try:
        while portion := file.read(_PORTION):
            decoder.decode(portion)
            done += len(portion)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return done
    return None


def _wide_without_mark(head: bytes) -> str:
    """UTF-16 that has lost its mark: every other byte of a European text is nothing."""
    sample = head[:2000]
    if len(sample) < 4:
        return ""
    even, odd = sample[::2].count(0), sample[1::2].count(0)
    half = len(sample) // 2
    if odd > half * 0.7 and not even:
        return "utf-16-le"
    return "utf-16-be" if even > half * 0.7 and not odd else ""


def _guess(encoding: str) -> str:
    if encoding not in _ASSUMED:
        return ""
    return (
        f"It is not UTF-8, so {_ASSUMED[encoding]} was assumed. If letters look wrong in the "
        "preview, save it as CSV UTF-8 and choose it again."
    )


def _at(place: int) -> str:
    return f"after {place // 1_000_000:,} MB" if place >= _PORTION else "near its beginning"


def _no_text(name: str) -> str:
    return (
        f"{name} holds binary data, no table. Choose a CSV, XLSX or JSONL file, or paste one topic "
        "a line."
    )
