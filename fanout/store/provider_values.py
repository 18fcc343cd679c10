"""What is kept of a batch at the provider: requests that are parked, and the jobs they go in."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from fanout.people import NOBODY, PersonId
from fanout.types import EndpointId


class JobState(StrEnum):
    MAKING = "making"
    """Written down; whether anything of it is at the provider is not known for sure."""
    UPLOADED = "uploaded"
    """Its file is there; whether the job is, not for sure."""
    SENT = "sent"
    CANCELLING = "cancelling"
    """This side has called it off."""
    ANSWERED = "answered"
    """Nothing more comes of it; its files may still lie at the provider."""
    OVER = "over"


@dataclass(frozen=True, slots=True, kw_only=True)
class Queue:
    """Where requests go that can share a job."""

    person: PersonId = NOBODY
    endpoint: EndpointId
    model: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Parked:
    """One request that waits for its job."""

    key: str
    """What it is called at the provider; the same whenever the same question is asked again."""
    run: str
    call: str
    queue: Queue
    body: str
    """The request's JSON, in ASCII."""
    shape: str
    """Tells bodies apart that ask the same in another form."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What was answered, as its provider's module packed it."""

    answer: str
    shape: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """How much of a queue is parked for this process, and since when (Unix time)."""

    queue: Queue
    count: int
    size: int
    oldest: float
    newest: float
    now: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    id: str
    queue: Queue
    host: str
    """Host and port that it was sent to: an endpoint of that name may lie elsewhere by now."""
    state: JobState
    requests: int
    size: int
    made_at: float
    remote: str = ""
    """What the provider calls it; "" until that is known."""
    input_file: str = ""
    adopted: bool = False
    """Whether another process, or an earlier life of this one, had it before."""
