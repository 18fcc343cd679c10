"""Which encoding of before UTF-8 a table was saved in, as far as its bytes tell.

Chinese, Japanese and Korean texts are as valid in each other's encodings, and in Windows-1252, as
in their own. Three things tell them apart: each encoding has its common characters in a few rows of
its own, no text of theirs hangs together with Latin letters all the time as the accents of Western
words do, and where several still fit, how often their characters occur decides.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import BinaryIO

from charset_normalizer import from_bytes

_SAMPLE = 16_000
"""Bytes of lines with letters beyond ASCII; so many tell as much as all of them."""
_PORTION = 1 << 16
_FITS = 0.6
"""Of the characters are common, and stand by themselves."""
_NEAR = 0.05
_HIGH = re.compile(rb"[\x80-\xff]+")
_LONG = 4
"""So many accents in a row are no Western word."""
_WORDS = re.compile(r"[A-Za-z]?[^\x00-\x7f]+[A-Za-z]?")
_SHOWN = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Guess:
    codec: str
    name: str
    """What people know it by."""
    example: str
    """Some of the text, read so."""


def _rows(first: int, last: int, *also: int, trail: int = 0) -> Callable[[bytes], bool]:
    """Whether a character's bytes lie in those rows of its encoding, or in one of `also`."""
    return lambda code: (
        len(code) == 2 and (first <= code[0] <= last or code[0] in also) and code[1] >= trail
    )


_KNOWN = {
    # Kana, and the kanji of the first level.
    "cp932": ("Shift-JIS", _rows(0x88, 0x98, 0x82, 0x83)),
    "euc_jp": ("EUC-JP", _rows(0xB0, 0xCF, 0xA4, 0xA5)),
    # Hanzi of the first level, and the 2,350 Hangul of the standard.
    "gb18030": ("GBK", _rows(0xB0, 0xD7, trail=0xA1)),
    "big5": ("Big5", _rows(0xA4, 0xC6)),
    "cp949": ("EUC-KR", _rows(0xB0, 0xC8, trail=0xA1)),
}


def sample_of(file: BinaryIO) -> bytes:
    """Lines that hold more than ASCII, from anywhere in the file."""
    file.seek(0)
    found, size = [], 0
    while size < _SAMPLE and (line := file.readline(_PORTION)):
        if not line.isascii():
            found.append(line[:_SAMPLE])
            size += len(found[-1])
    return b"".join(found)


def looks_western(sample: bytes) -> bool:
    """Whether its accents stand as those of Western words do: few in a row."""
    runs = [len(run) for run in _HIGH.findall(sample)]
    return 2 * sum(run for run in runs if run >= _LONG) <= sum(runs)


def guesses(sample: bytes) -> Iterator[Guess]:
    """The encodings that fit, likeliest first; each is still to be tried on the whole file."""
    fits = {codec: _fit(sample, codec) for codec in _KNOWN}
    best = max(fits.values())
    if best < _FITS:
        return
    near = [codec for codec, fit in fits.items() if fit >= best - _NEAR]
    likely = from_bytes(sample, cp_isolation=near).best() if len(near) > 1 else None
    first = likely.encoding if likely is not None else near[0]
    for codec in sorted(near, key=lambda one: one != first):
        yield Guess(codec=codec, name=_KNOWN[codec][0], example=_example(sample, codec))


def _fit(sample: bytes, codec: str) -> float:
    """The share of its characters that are common ones in words of their own."""
    common = _KNOWN[codec][1]
    known = fit = 0
    for word in _words(sample, codec):
        signs = [
            sign for sign in word if sign == "\ufffd" or (not sign.isascii() and sign.isalnum())
        ]
        known += len(signs)
        if not (word[0].isascii() or word[-1].isascii()):
            fit += sum(common(sign.encode(codec, "ignore")) for sign in signs)
    return fit / known if known else 0.0


def _words(sample: bytes, codec: str) -> list[str]:
    # A sample may begin or end within a character; that it fits strictly is seen on the file.
    return _WORDS.findall(sample.decode(codec, "replace"))


def _example(sample: bytes, codec: str) -> str:
    word = max(_words(sample, codec), key=len)
    return word if len(word) <= _SHOWN else f"{word[:_SHOWN]}…"
