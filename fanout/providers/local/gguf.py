"""What a GGUF file says about itself in its first bytes: name, context, memory per token.

Only the head of the file is read, and nothing in it is trusted: a length that points past the head
ends the reading, so a broken or hostile file costs 256 KiB and a clear message.
Format: the GGUF specification in ggml's docs/gguf.md, versions 2 and 3.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from fanout.errors import LocalModelError

HEAD_BYTES: Final = 256 * 1024
MAGIC: Final = b"GGUF"

_SCALARS: Final = {
    0: "<B",
    1: "<b",
    2: "<H",
    3: "<h",
    4: "<I",
    5: "<i",
    6: "<f",
    7: "<?",
    10: "<Q",
    11: "<q",
    12: "<d",
}
_STRING: Final = 8
_ARRAY: Final = 9

Scalar = str | int | float | bool


@dataclass(frozen=True, slots=True, kw_only=True)
class GgufHead:
    """The few facts that we need; None or empty where the file doesn't say."""

    name: str
    context: int | None
    """Tokens the model was trained to read at once."""
    bytes_per_token: int | None
    """Memory that one token of context takes (keys and values in 16 bits)."""


class _EndOfHead(Exception):
    """The next value lies past what was read, or is of a kind that we don't read."""


class _Cursor:
    def __init__(self, head: bytes) -> None:
        self._head = head
        self._at = 0

    def unpack(self, layout: str) -> Scalar:
        size = struct.calcsize(layout)
        (value,) = struct.unpack(layout, self._take(size))
        return value  # type: ignore[no-any-return]

    def count(self, layout: str) -> int:
        return int(self.unpack(layout))

    def text(self) -> str:
        return self._take(self.count("<Q")).decode("utf-8", "replace")

    def value(self) -> Scalar | None:
        """The next value; None for an array, which is passed over."""
        kind = self.count("<I")
        if kind == _ARRAY:
            kind, length = self.count("<I"), self.count("<Q")
            for _ in range(length):
                self._scalar(kind)
            return None
        return self._scalar(kind)

    def _scalar(self, kind: int) -> Scalar:
        if kind == _STRING:
            return self.text()
        if kind in _SCALARS:
            return self.unpack(_SCALARS[kind])
        raise _EndOfHead

    def _take(self, size: int) -> bytes:
        end = self._at + size
        if end > len(self._head):
            raise _EndOfHead
        taken = self._head[self._at : end]
        self._at = end
        return taken


def read_head(path: Path) -> GgufHead:
    """Read the head of a GGUF file; raises LocalModelError where it isn't one."""
    try:
        with path.open("rb") as file:
            head = file.read(HEAD_BYTES)
    except OSError as error:
        raise LocalModelError(f"{path.name} can't be read: {error.strerror}.") from None
    if not head.startswith(MAGIC):
        raise LocalModelError(
            f"{path.name} isn't a GGUF model: its first bytes are not those of the format. "
            "Give the path of a .gguf file."
        )
    return _facts(dict(_pairs(_Cursor(head[len(MAGIC) :]))))


def _pairs(cursor: _Cursor) -> Iterator[tuple[str, Scalar | None]]:
    # The vocabulary, which outgrows the head, comes after the facts that we want.
    try:
        if cursor.count("<I") < 2:
            return
        cursor.count("<Q")
        for _ in range(cursor.count("<Q")):
            key = cursor.text()
            yield key, cursor.value()
    except _EndOfHead:
        return


def _facts(pairs: dict[str, Scalar | None]) -> GgufHead:
    architecture = pairs.get("general.architecture", "")

    def number(key: str) -> int | None:
        value = pairs.get(f"{architecture}.{key}")
        return value if isinstance(value, int) and value > 0 else None

    name = pairs.get("general.name")
    heads = number("attention.head_count")
    kv_heads = number("attention.head_count_kv") or heads
    width, layers = number("embedding_length"), number("block_count")
    head_width = number("attention.key_length") or (width // heads if width and heads else None)
    per_token = None
    if layers and kv_heads and head_width:
        per_token = 2 * 2 * layers * kv_heads * head_width
    return GgufHead(
        name=name if isinstance(name, str) else "",
        context=number("context_length"),
        bytes_per_token=per_token,
    )
