"""A stretch of a run's events as the database holds it: compacted JSON lines, compressed."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Sequence

from fanout.errors import InputError
from fanout.events import BranchWrote, Event
from fanout.timeline import compact, decode_lines, encode_lines
from fanout.types import BranchId

MOST_BYTES = 1 << 30
"""A chunk that unfolds to more is damaged or was made to do harm."""


def pack(events: Sequence[Event]) -> bytes:
    """Fewer events may come back: text that came within one frame of the board is one."""
    return zlib.compress(encode_lines(compact(events)).encode("ascii"))


def unpack(data: bytes) -> tuple[Event, ...]:
    """ValueError if it is damaged."""
    try:
        return decode_lines(_text(data).decode("ascii"))
    except InputError as error:
        raise ValueError(f"a chunk of the timeline is damaged: {error}") from None


def joined(chunks: Iterable[bytes]) -> bytes:
    """Several stretches as one, event by event the same; ValueError if one is damaged."""
    return zlib.compress(b"".join(_text(data) for data in chunks))


def retold(written: Sequence[Event], told: Sequence[Event]) -> bool:
    """Whether the events told are among those written, however their text was cut."""
    others = [event for event in told if not isinstance(event, BranchWrote)]
    kept = [event for event in written if not isinstance(event, BranchWrote)]
    starts = range(len(kept) - len(others) + 1)
    if not any(kept[start : start + len(others)] == others for start in starts):
        return False
    texts = _texts(written)
    return all(text in texts.get(id, "") for id, text in _texts(told).items())


def _text(data: bytes) -> bytes:
    try:
        unfolding = zlib.decompressobj()
        text = unfolding.decompress(data, MOST_BYTES)
    except zlib.error as error:
        raise ValueError(f"a chunk of the timeline is damaged: {error}") from None
    if not unfolding.eof:
        raise ValueError("a chunk of the timeline is cut short")
    return text


def _texts(events: Sequence[Event]) -> dict[BranchId, str]:
    pieces: dict[BranchId, list[str]] = {}
    for event in events:
        if isinstance(event, BranchWrote):
            pieces.setdefault(event.id, []).append(event.text)
    return {id: "".join(texts) for id, texts in pieces.items()}
