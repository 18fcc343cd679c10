"""Scripted embeddings: a bag of words hashed into a vector, so that similar texts lie near."""

from __future__ import annotations

import math
import re
import zlib
from array import array
from collections.abc import Sequence

SIZE = 128

_WORD = re.compile(r"\w+")


def vector_of(text: str) -> array[float]:
    """A vector of length 1, the same for the same words in whatever order and case."""
    numbers = [0.0] * SIZE
    for word in _WORD.findall(text.casefold()):
        mixed = zlib.crc32(word.encode("utf-8", "replace"))
        numbers[mixed % SIZE] += 1.0 if mixed & 0x8000_0000 else -1.0
    length = math.sqrt(sum(number * number for number in numbers))
    if not length:
        numbers[0] = length = 1.0
    return array("f", (number / length for number in numbers))


def tokens_of(texts: Sequence[str]) -> int:
    return sum(len(_WORD.findall(text)) for text in texts)
