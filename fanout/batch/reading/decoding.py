"""Bytes become text without being held: by byte-order mark, as UTF-8, else as a told guess.

Windows-1252 can be told from the others, but for its neighbours. Which of those it is stays a
guess that somebody has to look at, and what fits none is refused: letters that were read wrong are
paid for as if they had been right.
"""

from __future__ import annotations

import codecs
import io
import re
from dataclasses import dataclass
from typing import BinaryIO

from fanout.batch.reading.guessing import Guess, guesses, looks_western, sample_of
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
_WESTERN = "cp1252"


@dataclass(frozen=True, slots=True, kw_only=True)
class Decoded:
    """How a file's bytes are read."""

    encoding: str
    note: str = ""
    """That it had to be guessed, in words."""
    doubt: str = ""
    """What to do before anybody relies on the guess; "": it is as good as sure."""


def text_of(file: BinaryIO, name: str, encoding: str = "") -> tuple[io.TextIOWrapper, Decoded]:
    """The text to be read line by line, and how it was decoded: as `encoding` where that is named.

    InputError for what is no text. Line ends are left as they are.
    """
    found = _as_named(file, name, encoding) if encoding else _decoded(file, name)
    file.seek(0)
    return io.TextIOWrapper(file, encoding=found.encoding, newline=""), found


def _as_named(file: BinaryIO, name: str, encoding: str) -> Decoded:
    try:
        io.TextIOWrapper(io.BytesIO(), encoding=encoding)
        known = codecs.lookup(encoding).name
    except (LookupError, ValueError):
        raise InputError(
            f"No encoding is called {encoding[:40]!r}. Some are utf-8, windows-1252, shift_jis, "
            "euc_jp, gb18030, big5 and euc_kr."
        ) from None
    known = "utf-8-sig" if known == "utf-8" else known
    if (bad := _first_bad(file, known)) is not None:
        raise InputError(
            f"{name} is not {encoding}: {_at(bad)} it holds bytes that are no letters there. Name "
            "another encoding, or save it as CSV UTF-8."
        )
    return Decoded(encoding=known)


def _decoded(file: BinaryIO, name: str) -> Decoded:
    head = file.read(_PORTION)
    for mark, encoding in _MARKS:
        if head.startswith(mark):
            if (bad := _first_bad(file, encoding)) is not None:
                said = encoding.removesuffix("-sig").upper()
                raise InputError(
                    f"{name} begins like {said} text and is damaged {_at(bad)}. Save it again as "
                    "CSV UTF-8."
                )
            return Decoded(encoding=encoding)
    if guessed := _wide_without_mark(head):
        if _first_bad(file, guessed) is None:
            return Decoded(encoding=guessed)
        raise InputError(_no_text(name))
    if b"\0" in head or len(_BINARY.findall(head)) * _FEW > len(head):
        raise InputError(_no_text(name))
    if _first_bad(file, "utf-8") is None:
        return Decoded(encoding="utf-8")
    return _guessed(file, name)


def _guessed(file: BinaryIO, name: str) -> Decoded:
    sample = sample_of(file)
    for guess in guesses(sample):
        if _first_bad(file, guess.codec) is None:
            return _told(guess, name)
    if looks_western(sample) and _first_bad(file, _WESTERN) is None:
        return Decoded(
            encoding=_WESTERN,
            note="It is not UTF-8, so Windows-1252 was assumed. If letters look wrong in the "
            "preview, save it as CSV UTF-8 and choose it again.",
        )
    raise InputError(
        f"{name} is not UTF-8, and which encoding its letters are in can't be told. Save it as CSV "
        "UTF-8 and choose it again."
    )


def _told(guess: Guess, name: str) -> Decoded:
    return Decoded(
        encoding=guess.codec,
        note=f"It is not UTF-8, so {guess.name} was assumed, as which it holds “{guess.example}”. "
        "If that isn't what it says, save it as CSV UTF-8 and choose it again.",
        doubt=f"{name} is not UTF-8. It may be {guess.name}, as which it holds “{guess.example}”, "
        f"but somebody has to look. If that is right, say --encoding {guess.codec}; else save it "
        "as CSV UTF-8.",
    )


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
    except UnicodeError:
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


def _at(place: int) -> str:
    return f"after {place // 1_000_000:,} MB" if place >= _PORTION else "near its beginning"


def _no_text(name: str) -> str:
    return (
        f"{name} holds binary data, no table. Choose a CSV, XLSX or JSONL file, or paste one topic "
        "a line."
    )
