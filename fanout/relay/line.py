"""A way for short texts from one process to others, at once and without a promise to arrive.

Everything that travels here is also in the record, or is asked again: a text that is lost costs a
moment. So nothing is kept for who isn't listening, and nobody waits long for an answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

EVERYBODY = "everybody"
"""The address at which all processes listen."""
WAIT_S = 2.0
"""Longest that sending or connecting should take, and that a server is given for it. One that goes
away without a word may hold up the thread that sends for some seconds longer, and nothing else."""


class Lost(Exception):
    """The line is broken; its text is fit for the log."""


class Ear(Protocol):
    """Hears what is sent to some addresses, from when it was made. Used by one thread."""

    def hear(self, timeout_s: float) -> Sequence[str]:
        """What came, in order; empty where nothing has within that time. Lost."""
        ...

    def close(self) -> None: ...


class Line(Protocol):
    """Every method may raise Lost; the next call then tries anew."""

    @property
    def name(self) -> str:
        """As the log says it."""
        ...

    @property
    def longest(self) -> int:
        """How many ASCII characters one text may have."""
        ...

    def ear(self, addresses: Sequence[str]) -> Ear:
        """Connected and listening when this returns."""
        ...

    def send(self, texts: Sequence[tuple[str, str]]) -> None:
        """Each an address and what it is sent, in order. Used by one thread."""
        ...

    def close(self) -> None: ...
