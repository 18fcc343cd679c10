"""An incremental decoder of server-sent events: bytes in at any boundary, payloads out.

It is pure, and works on bytes: a multi-byte character that two network reads cut in half never
needs decoding, since only whole payloads leave here. Event names, ids and comments are dropped;
OpenAI's protocol says everything in `data`. Rules: https://html.spec.whatwg.org/#event-stream-interpretation
"""

from __future__ import annotations

MAX_EVENT_BYTES = 16 * 1024 * 1024
"""No honest event is this long; past it the stream is given up instead of filling memory."""

_BOM = b"\xef\xbb\xbf"


class EventTooLong(ValueError):
    """One event outgrew MAX_EVENT_BYTES."""


class Decoder:
    """Turns the bytes of one event stream into the `data` of its events, in order."""

    __slots__ = ("_held_cr", "_rest", "_started")

    def __init__(self) -> None:
        self._rest = b""
        self._held_cr = False
        self._started = False

    def feed(self, data: bytes) -> list[bytes]:
        """The payloads of the events that these bytes complete."""
        if self._held_cr:
            data = b"\r" + data
            self._held_cr = False
        if b"\r" in data:
            data = self._unix_lines(data)
        blocks = (self._rest + data).split(b"\n\n")
        if not self._started and not self._skip_bom(blocks):
            return []
        self._rest = blocks.pop()
        if len(self._rest) > MAX_EVENT_BYTES:
            raise EventTooLong
        return _payloads(blocks)

    def flush(self) -> list[bytes]:
        """The payload of a last event whose closing blank line never came."""
        tail = self._rest + b"\n" if self._held_cr else self._rest
        self._rest, self._held_cr = b"", False
        return _payloads([tail])

    def _unix_lines(self, data: bytes) -> bytes:
        # A trailing CR may be the first half of a CRLF, so it waits for the next read.
        if data.endswith(b"\r"):
            self._held_cr = True
            data = data[:-1]
        return data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")

    def _skip_bom(self, blocks: list[bytes]) -> bool:
        first = blocks[0]
        if len(blocks) == 1 and len(first) < len(_BOM) and _BOM.startswith(first):
            self._rest = first
            return False
        self._started = True
        blocks[0] = first.removeprefix(_BOM)
        return True


def _payloads(blocks: list[bytes]) -> list[bytes]:
    found = []
    for block in blocks:
        # Nearly every event is this one line, so it is spared the walk over fields.
        if block.startswith(b"data: ") and b"\n" not in block:
            found.append(block[6:])
            continue
        lines = [_value(line) for line in block.split(b"\n") if _is_data(line)]
        if lines:
            found.append(b"\n".join(lines))
    return found


def _is_data(line: bytes) -> bool:
    return line.startswith(b"data:") or line == b"data"


def _value(line: bytes) -> bytes:
    return line[5:].removeprefix(b" ")
