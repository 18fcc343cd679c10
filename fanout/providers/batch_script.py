"""What becomes of batches at the scripted server, and what it has seen of them."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class JobScript:
    """What becomes of one job."""

    takes_s: float = 0.0
    """From its making to its end; what is called off before is answered in part."""
    status: str = "completed"
    errors: tuple[Mapping[str, object], ...] = ()
    """Where it fails as a whole: code, message, perhaps line."""
    share: float = 1.0
    """Of its requests, how many are answered, where it expires or is cancelled."""
    shuffled: bool = False
    missing: int = 0
    """Lines that are left out of its files, though counted as answered."""
    doubled: bool = False
    """Every line comes twice, the second time with another text."""


@dataclass(slots=True)
class BatchLedger:
    """Written by the server's thread; `jobs`, `hold` and the faults may be set by any."""

    jobs: deque[JobScript] = field(default_factory=deque)
    """What the next ones do; then all go well."""
    usual: JobScript = field(default_factory=JobScript)
    refusals: dict[str, deque[int]] = field(default_factory=dict)
    """Statuses that the next requests of a kind are answered with, by `files`, `batches`, `poll`,
    `content` and `list`."""
    cut: deque[int] = field(default_factory=deque)
    """The next downloads break off after so many bytes."""
    hold: str = ""
    """Which requests are held: "before files", "after batches", "after poll" and so on."""
    offered: bool = True
    held: list[str] = field(default_factory=list)
    answered: list[str] = field(default_factory=list)
    """The custom ids of the requests that were answered, each time: what would be paid for."""
    prompts: list[str] = field(default_factory=list)
    """The bodies of these, as JSON."""
    made: list[str] = field(default_factory=list)
    """The ids of all jobs."""
    cancelled: list[str] = field(default_factory=list)
    files: dict[str, bytes] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    uploads: int = 0
    polls: int = 0
    changed: threading.Condition = field(default_factory=threading.Condition)

    def wait_until_held(self, times: int = 1, timeout_s: float = 20.0) -> bool:
        """Block until so many requests are, or were, held."""
        with self.changed:
            return self.changed.wait_for(lambda: len(self.held) >= times, timeout_s)
