"""What the command line writes, fit for a terminal: no text of a run can move, recolour or name it.

A sign that a terminal would obey, or that turns a line around, is written as JSON writes it, such
as \\u001b. So what is printed as JSON is still the same JSON.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from typing import TextIO, cast

_OBEYED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def printable(text: str) -> str:
    """The text with every such sign spelt out; newlines and tabs stay."""
    return _OBEYED.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


class Printable:
    """A stream that writes only what is printable; `codes` is for the program's own."""

    def __init__(self, out: TextIO) -> None:
        self._out = out

    def write(self, text: str) -> int:
        return self._out.write(printable(text))

    def codes(self, text: str) -> None:
        """Write as it is: never anything that came from outside."""
        self._out.write(text)

    def __getattr__(self, name: str) -> object:
        return getattr(self._out, name)


def write_codes(out: TextIO, text: str) -> None:
    """Terminal codes of our own, through a `Printable` or any other stream."""
    if isinstance(out, Printable):
        out.codes(text)
    else:
        out.write(text)


@contextmanager
def printing() -> Iterator[None]:
    """All that is printed within is printable, errors too."""
    out, errors = cast("TextIO", Printable(sys.stdout)), cast("TextIO", Printable(sys.stderr))
    with redirect_stdout(out), redirect_stderr(errors):
        yield
