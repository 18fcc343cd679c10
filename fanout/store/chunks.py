"""A stretch of a run's events as the database holds it: compacted JSON lines, compressed."""

from __future__ import annotations

import zlib
from collections.abc import Sequence

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
        unfolding = zlib.decompressobj()
        text = unfolding.decompress(data, MOST_BYTES)
        if not unfolding.eof:
            raise ValueError("a chunk of the timeline is cut short")
        return decode_lines(text.decode("ascii"))
    except (zlib.error, InputError) as error:
        raise ValueError(f"a chunk of the timeline is damaged: {error}") from None


def same_end(written: Sequence[Event], told: Sequence[Event]) -> bool:
    """Whether the events told are the last ones written, however their text was cut."""
    others = [event for event in told if not isinstance(event, BranchWrote)]
    kept = [event for event in written if not isinstance(event, BranchWrote)]
    if others != kept[len(kept) - len(others) :]:
        return False
    texts = _texts(written)
    return all(texts.get(id, "").endswith(text) for id, text in _texts(told).items())


def _texts(events: Sequence[Event]) -> dict[BranchId, str]:
    pieces: dict[BranchId, list[str]] = {}
    for event in events:
        if isinstance(event, BranchWrote):
            pieces.setdefault(event.id, []).append(event.text)
    return {id: "".join(texts) for id, texts in pieces.items()}
