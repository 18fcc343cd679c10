"""What a card and a run's line are drawn from: small JSON-able values that hold every word."""

from __future__ import annotations

from typing import Literal, NotRequired, TypedDict

Clock = tuple[float, float | None]
"""Seconds so far, and the second of the run since which they go on counting; None: they stand."""

Tone = Literal["", "vote", "abstained", "idle", "thinking"]
Act = Literal["", "stop", "retry", "fold"]


class Countdown(TypedDict):
    """A wait before the next attempt."""

    at: float
    """Second of the run at which it may start."""
    next: int
    of: int
    to: NotRequired[str]
    """The model that is asked next, where that is a fallback."""


class Preparation(TypedDict):
    """A call that prepared a combined answer, in one line."""

    title: str
    state: str
    word: str
    clock: Clock
    bad: bool


class Face(TypedDict):
    title: str
    label: str
    """The region's accessible name; empty where that is the title."""
    state: str
    tone: Tone
    """How the chip looks where the state alone doesn't say: what it voted, or that it needn't."""
    word: str
    """What the state's chip says; the reader's side adds rates and countdowns."""
    hold: str
    """Stands where the text will be, as long as there is none. Without a full stop where the
    reader's side ends the sentence: by `slot`, by `until`, or with how much was thought."""
    slot: NotRequired[str]
    """The endpoint whose slots are taken; `RunFace.busy` says by how many calls."""
    until: NotRequired[float]
    """Second of the run at which it is expected to go on."""
    marks: NotRequired[list[tuple[str, str]]]
    """Kind and words of what is unusual about this column: a fallback, a restart, a hedge."""
    note: str
    """Stands beside the text: why it failed and what to do, or that it is cut short."""
    bad: bool
    """The note tells of a failure."""
    can: Act
    said: str
    """What is announced when this state is reached."""
    clock: Clock
    pace: Clock
    """Seconds for which the attempt under way has written, under its tokens for a rate."""
    off: Clock
    """Seconds of backing off."""
    first: float | None
    retry: Countdown | None
    foot: list[str] | None
    """The final numbers; None while they are still moving."""
    before: list[Preparation]


class RunFace(TypedDict):
    status: str
    word: str
    said: str
    live: bool
    done: int
    of: int
    idle: int
    """How many were not needed."""
    clock: Clock
    plan: NotRequired[str]
    """When the answer is combined, where that isn't when all have ended."""
    until: NotRequired[float]
    """The whole run's deadline, as long as it is going on."""
    busy: NotRequired[dict[str, int]]
    """Calls being answered by each endpoint, as long as others wait for a slot."""
