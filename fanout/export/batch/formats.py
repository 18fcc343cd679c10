"""The forms in which a batch can be handed over, and the one way to write each of them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, TypeAlias

from fanout.batches import Batch, RowRecord, WorkerSeen
from fanout.errors import InputError
from fanout.export.bundle_formats import stem_of

Rows: TypeAlias = Iterable[RowRecord]
Writer: TypeAlias = Callable[[Batch, Rows, IO[bytes], Sequence[WorkerSeen]], int]


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchFormat:
    name: str
    label: str
    about: str
    """What it is good for, in a few words."""
    ending: str
    mime: str
    write: Writer


def write(
    batch: Batch,
    rows: Rows,
    format: str,
    target: Path | IO[bytes],
    *,
    workers: Sequence[WorkerSeen] = (),
) -> int:
    """Write a batch as the format of that name says; how many rows there were.

    `rows` is read once and never held whole: `store.batches.each(batch.id)`. A path gets the file
    only once it is complete. `workers` name the processes in a report. InputError for a format
    that there isn't; OSError where the file can't be written.
    """
    if format not in BATCH_FORMATS:
        raise InputError(f"A batch can't be exported as {format[:40]}: use {_offered()}.")
    how = BATCH_FORMATS[format]
    if not isinstance(target, Path):
        return how.write(batch, rows, target, workers)
    with _complete(target) as file:
        return how.write(batch, rows, file, workers)


def batch_file_name(batch: Batch, format: str) -> str:
    """ "reviews-2026-11-23-Xy12.csv": title, date and id; a file's name on any system."""
    day = datetime.fromtimestamp(batch.created_at, UTC).strftime("%Y-%m-%d")
    safe = "".join(sign for sign in batch.id if sign.isascii() and (sign.isalnum() or sign in "_-"))
    return f"{stem_of(batch.title)}-{day}-{safe[:64] or 'batch'}{BATCH_FORMATS[format].ending}"


@contextmanager
def _complete(path: Path) -> Iterator[IO[bytes]]:
    """A file beside the wanted one, which takes its place at the end; gone where that fails."""
    partial = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        with partial.open("wb") as file:
            yield file
        partial.replace(path)
    except BaseException:
        with suppress(OSError):
            partial.unlink()
        raise


def _csv(batch: Batch, rows: Rows, target: IO[bytes], _workers: Sequence[WorkerSeen]) -> int:
    from fanout.export.batch.csv_rows import write_csv

    return write_csv(batch, rows, target)


def _xlsx(batch: Batch, rows: Rows, target: IO[bytes], _workers: Sequence[WorkerSeen]) -> int:
    from fanout.export.batch.xlsx_rows import write_xlsx

    return write_xlsx(batch, rows, target)


def _jsonl(batch: Batch, rows: Rows, target: IO[bytes], _workers: Sequence[WorkerSeen]) -> int:
    from fanout.export.batch.jsonl_rows import write_jsonl

    return write_jsonl(batch, rows, target)


def _parquet(batch: Batch, rows: Rows, target: IO[bytes], _workers: Sequence[WorkerSeen]) -> int:
    from fanout.export.batch.parquet_rows import write_parquet

    return write_parquet(batch, rows, target)


def _html(batch: Batch, rows: Rows, target: IO[bytes], workers: Sequence[WorkerSeen]) -> int:
    from fanout.export.batch.report import html_report
    from fanout.export.batch.summary import summary

    found = summary(batch, rows, workers)
    target.write(html_report(found).encode("utf-8", "replace"))
    return found.figures.total


def _md(batch: Batch, rows: Rows, target: IO[bytes], workers: Sequence[WorkerSeen]) -> int:
    from fanout.export.batch.markdown_report import markdown_report
    from fanout.export.batch.summary import summary

    found = summary(batch, rows, workers)
    target.write(markdown_report(found).encode("utf-8", "replace"))
    return found.figures.total


def _offered() -> str:
    *most, last = BATCH_FORMATS
    return f"{', '.join(most)} or {last}"


_SHEET = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_ALL = (
    ("csv", "CSV", "every row, for any program", ".csv", "text/csv", _csv),
    ("xlsx", "Workbook", "every row, for a spreadsheet", ".xlsx", _SHEET, _xlsx),
    ("jsonl", "JSON lines", "every row, for a script", ".jsonl", "application/jsonl", _jsonl),
    ("parquet", "Parquet", "every row, for data tools", ".parquet",
     "application/vnd.apache.parquet", _parquet),
    ("html", "Summary report", "figures and charts in one file", ".html", "text/html", _html),
    ("md", "Markdown", "the summary for notes and wikis", ".md", "text/markdown", _md),
)  # fmt: skip
BATCH_FORMATS: Mapping[str, BatchFormat] = {
    name: BatchFormat(name=name, label=label, about=about, ending=end, mime=mime, write=how)
    for name, label, about, end, mime, how in _ALL
}
"""By name, in the order in which they are offered."""
