"""What is told over a line: one frozen model per kind, as text that fits into any line.

What comes in is checked field by field. A long text travels compressed, and in parts where a line
takes only short ones.
"""

from __future__ import annotations

import base64
import secrets
import zlib
from collections import OrderedDict
from typing import Annotated, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

PLAIN_CHARS = 400
"""Shorter texts are not compressed."""
MOST_BYTES = 8_000_000
"""Of one message; what unfolds to more is dropped."""
KEPT_PARTS = 200
"""Messages of which some parts came; the oldest go first."""


class _Message(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Watch(_Message):
    """Somebody at the process `by` looks at that run: its events are wanted, for some seconds."""

    kind: Literal["watch"] = "watch"
    by: str
    run: str
    go: int
    """Counts how often it was begun anew; what is sent for an earlier one is ignored."""
    first: int
    """The number of the first event that is wanted, by the record's count."""


class News(_Message):
    """The next events of a run."""

    kind: Literal["news"] = "news"
    run: str
    go: int
    first: int
    count: int
    """By the record's count; `lines` hold fewer where pieces of text were joined."""
    now: float
    """The run's clock, in seconds."""
    lines: str
    """As `timeline.encode_lines` writes them."""


class Look(_Message):
    """That can't be told here: the record knows."""

    kind: Literal["look"] = "look"
    run: str
    go: int


class Act(_Message):
    """A person at the process `by` wants something done about their run, as it saw to there."""

    kind: Literal["act"] = "act"
    id: str
    by: str
    run: str
    act: Literal["stop", "combine"]
    branch: str | None = None
    """What to stop; None is the whole run."""
    spec: dict[str, object] | None = None
    """How to combine."""
    left_out: tuple[str, ...] = ()


class Told(_Message):
    """An act was done, or why it wasn't."""

    kind: Literal["told"] = "told"
    id: str
    problem: str = ""


class WentOn(_Message):
    """A run that had ended goes on at the process `by`."""

    kind: Literal["went_on"] = "went_on"
    by: str
    run: str


class Forgotten(_Message):
    """These runs were deleted at the process `by`."""

    kind: Literal["forgotten"] = "forgotten"
    by: str
    runs: tuple[str, ...]


Message: TypeAlias = Watch | News | Look | Act | Told | WentOn | Forgotten
_ANY: TypeAdapter[Message] = TypeAdapter(Annotated[Message, Field(discriminator="kind")])


def parts(message: Message, longest: int) -> list[str]:
    """The message as ASCII texts, none longer than that."""
    text = message.model_dump_json()
    if len(text) > PLAIN_CHARS or not text.isascii():
        packed = zlib.compress(text.encode(), 3)
        text = "z" + base64.b64encode(packed).decode("ascii")
    if len(text) <= longest:
        return [text]
    # 8 bytes of name, two numbers and their signs.
    room = longest - 32
    name = secrets.token_hex(4)
    pieces = [text[start : start + room] for start in range(0, len(text), room)]
    return [f"p{name}/{n}/{len(pieces)}/{piece}" for n, piece in enumerate(pieces)]


class Joiner:
    """Makes messages of the texts that came, whichever process sent them."""

    def __init__(self) -> None:
        self._open: OrderedDict[str, list[str]] = OrderedDict()

    def take(self, text: str) -> Message | None:
        """The message that this text completes; None where there is none, or it makes no sense."""
        try:
            whole = self._joined(text) if text.startswith("p") else text
            return None if whole is None else _ANY.validate_json(_unfolded(whole))
        except (ValueError, ValidationError, zlib.error):
            return None

    def _joined(self, text: str) -> str | None:
        name, number, count, piece = text.split("/", 3)
        came = self._open.setdefault(name, [])
        if int(number) != len(came):
            # One was lost: the whole is asked again.
            self._open.pop(name)
            return None
        came.append(piece)
        if len(came) == int(count):
            return "".join(self._open.pop(name))
        while len(self._open) > KEPT_PARTS:
            self._open.popitem(last=False)
        return None


def _unfolded(text: str) -> bytes:
    if not text.startswith("z"):
        return text.encode()
    unfolding = zlib.decompressobj()
    data = unfolding.decompress(base64.b64decode(text[1:], validate=True), MOST_BYTES)
    if not unfolding.eof:
        raise ValueError("too long, or cut short")
    return data
