"""A batch as its provider tells of it. Source: OpenAI API reference, "Batch"."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

FINAL = frozenset({"completed", "failed", "expired", "cancelled"})
MARK = "fanout_job"
"""The name under which a batch's metadata says which job of ours it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobError:
    """Why a batch failed as a whole."""

    code: str
    message: str
    line: int | None = None
    """Of its file, from 1; None where it is about all of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteJob:
    id: str
    status: str
    input_file: str = ""
    output_file: str = ""
    error_file: str = ""
    mark: str = ""
    """Which job of ours it says it is."""
    created_at: float = 0.0
    """Unix time by the provider's clock."""
    told: int | None = None
    """How many lines its two files have, if it says so."""
    errors: tuple[JobError, ...] = ()

    @property
    def over(self) -> bool:
        return self.status in FINAL


def remote_job(fields: object) -> RemoteJob | None:
    """Read leniently; None for what is no batch."""
    if not isinstance(fields, dict) or not isinstance(fields.get("id"), str):
        return None
    batch = cast("dict[str, object]", fields)
    marks = batch.get("metadata")
    return RemoteJob(
        id=str(batch["id"]),
        status=_text(batch, "status"),
        input_file=_text(batch, "input_file_id"),
        output_file=_text(batch, "output_file_id"),
        error_file=_text(batch, "error_file_id"),
        mark=_text(cast("dict[str, object]", marks), MARK) if isinstance(marks, dict) else "",
        created_at=_number(batch.get("created_at")) or 0.0,
        told=_told(batch.get("request_counts")),
        errors=_errors(batch.get("errors")),
    )


def _told(counts: object) -> int | None:
    if not isinstance(counts, dict):
        return None
    ended = (_number(counts.get("completed")), _number(counts.get("failed")))
    return None if None in ended else int(sum(n or 0 for n in ended))


def _errors(said: object) -> tuple[JobError, ...]:
    entries = said.get("data") if isinstance(said, dict) else said
    if not isinstance(entries, list):
        return ()
    return tuple(
        JobError(
            code=_text(each, "code"),
            message=_text(each, "message"),
            line=None if (line := _number(each.get("line"))) is None else int(line),
        )
        for each in entries
        if isinstance(each, dict)
    )


def _text(fields: Mapping[str, object], name: str) -> str:
    value = fields.get(name)
    return value if isinstance(value, str) else ""


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value)
