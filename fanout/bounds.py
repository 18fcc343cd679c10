"""How much one person may ask for: topic, branches, files, rows, runs at once; and the words then.

On one's own machine the bounds only catch slips of the hand. Where strangers share a machine they
keep one of them from taking it from the others, so they are much closer.
"""

from __future__ import annotations

from dataclasses import dataclass

from fanout.errors import InputError

_MB = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """Each check raises InputError past its bound, saying what the bound is and who sets it."""

    topic_chars: int = 200_000
    branches: int = 1000
    """Of one run."""
    upload_bytes: int = 50 * _MB
    """One file, a document or an import."""
    documents: int = 10_000
    """That one person keeps for research."""
    runs: int = 200
    """In flight, of everybody."""
    runs_per_person: int = 200
    """In flight, of one person."""
    batch_rows: int = 100_000
    """Of one batch, and read from one table."""

    def check_topic(self, topic: str) -> None:
        if len(topic) > self.topic_chars:
            raise InputError(
                f"The topic has {len(topic):,} characters; at most {self.topic_chars:,} can be "
                "sent here (FANOUT_MAX_TOPIC_CHARS). Shorten it; what you typed is still in the "
                "field."
            )

    def check_branches(self, count: int) -> None:
        if count > self.branches:
            raise InputError(
                f"This run would have {count:,} branches; at most {self.branches:,} can be run "
                "here (FANOUT_MAX_BRANCHES). Switch some off, or ask each fewer times."
            )

    def check_upload(self, name: str, size: int) -> None:
        """Also for each file in an archive, with its unpacked size."""
        if size > self.upload_bytes:
            raise InputError(
                f"{name} has {_megabytes(size)} MB; at most {_megabytes(self.upload_bytes)} MB are "
                "taken here (FANOUT_MAX_UPLOAD_MB). Split it, or save only its text."
            )

    def check_documents(self, kept: int, new: int = 1) -> None:
        if kept + new > self.documents:
            raise InputError(
                f"{kept:,} documents are kept and {new:,} would be added; at most "
                f"{self.documents:,} are kept here. Remove some first."
            )

    def check_batch_rows(self, there: int, new: int = 0, *, name: str = "This batch") -> None:
        """`there` are in the batch already, `new` would be added."""
        if there + new > self.batch_rows:
            rows = f"{there + new:,} rows"
            raise InputError(
                f"{name} would have {rows}; at most {self.batch_rows:,} can be in one batch here "
                "(FANOUT_MAX_BATCH_ROWS). Split them over several batches."
            )

    def check_runs(self, of_this_person: int, of_all: int) -> None:
        """Before a run is started, with how many are in flight already."""
        if of_this_person >= self.runs_per_person:
            runs = "run is" if of_this_person == 1 else "runs are"
            raise InputError(
                f"{of_this_person:,} of your {runs} still going, and that is as many as one "
                "person may have at once here (FANOUT_MAX_RUNS_PER_PERSON). Wait for one to end, "
                "or stop one."
            )
        if of_all >= self.runs:
            raise InputError(
                f"{of_all:,} runs are going, and that is as many as are run at once here "
                "(FANOUT_MAX_RUNS). Try again in a moment; nothing of yours was lost."
            )


LOCAL = Bounds()
SHARED = Bounds(
    topic_chars=50_000,
    branches=50,
    upload_bytes=20 * _MB,
    documents=200,
    runs=50,
    runs_per_person=3,
    batch_rows=10_000,
)


def _megabytes(size: int) -> str:
    """Rounded up to a tenth, so that what is too large never looks as if it fitted."""
    tenths = -(-size * 10 // _MB)
    return f"{tenths / 10:,.1f}".removesuffix(".0")
