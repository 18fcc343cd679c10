"""What becomes of batches at the scripted server, and what it has seen of them."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass


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


class BatchLedger:
    """Written by the server's thread; `jobs`, `usual`, `hold` and the faults may be set by any."""

    def __init__(self) -> None:
        self.jobs: deque[JobScript] = deque()
        """What the next ones do; then all do as `usual`."""
        self.usual = JobScript()
        self.refusals: dict[str, deque[int]] = {}
        """Statuses that the next requests of a kind are answered with, by `files`, `batches`,
        `poll`, `content` and `list`."""
        self.cut: deque[int] = deque()
        """The next downloads break off after so many bytes."""
        self.hold = ""
        """Which requests are held: "before files", "after batches", "after poll" and so on."""
        self.offered = True
        self.held: list[str] = []
        self.answered: list[str] = []
        """The custom ids of the requests that were answered, each time: what would be paid for."""
        self.prompts: list[str] = []
        """The bodies of these, as JSON."""
        self.made: list[str] = []
        """The ids of all jobs."""
        self.cancelled: list[str] = []
        self.files: dict[str, bytes] = {}
        self.names: dict[str, str] = {}
        self.uploads = 0
        self.polls = 0
        self.changed = threading.Condition()

    def wait_until_held(self, times: int = 1, timeout_s: float = 20.0) -> bool:
        """Block until so many requests are, or were, held."""
        with self.changed:
            return self.changed.wait_for(lambda: len(self.held) >= times, timeout_s)


def wrong_in(lines: list[dict[str, object]], asked: dict[str, object]) -> dict[str, object] | None:
    """What OpenAI's validation would say of a file."""
    ids: set[object] = set()
    models: set[object] = set()
    for number, line in enumerate(lines, 1):
        body = line.get("body")
        if line.get("custom_id") in ids:
            return {"code": "duplicate_custom_id", "message": "Twice.", "line": number}
        if line.get("url") != asked.get("endpoint") or line.get("method") != "POST":
            return {"code": "invalid_url", "message": "Another endpoint.", "line": number}
        if not isinstance(body, dict) or "stream" in body:
            return {"code": "invalid_request", "message": "No such body.", "line": number}
        ids.add(line.get("custom_id"))
        models.add(body.get("model"))
    if len(models) > 1:
        return {"code": "mismatched_model", "message": "One model for each file.", "line": 1}
    if not lines:
        return {"code": "empty_file", "message": "The file is empty."}
    return None
