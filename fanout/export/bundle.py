"""Many runs as one zip: a folder of files with plain names, and a list of what is in it.

Runs are taken one by one and written to a temporary file, so that five hundred of them take the
memory of one.
"""

from __future__ import annotations

import logging
import os
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from io import BufferedReader

from fanout.errors import InputError
from fanout.export.bundle_formats import FORMATS, ExportFormat, file_stem
from fanout.export.tables import Cell, Column, Table, run_table
from fanout.export.tables_csv import BYTE_ORDER_MARK, joined
from fanout.store.values import StoredRun

log = logging.getLogger(__name__)

INDEX = "index.csv"
LONGEST_TOPIC = 200
"""Characters of a topic in the list."""


def zip_export(
    runs: Iterable[StoredRun],
    formats: Sequence[str] = ("html", "md", "json"),
    *,
    told: Callable[[int], None] | None = None,
) -> BufferedReader:
    """An open file that holds the zip, from its beginning; closing it removes it.

    `runs` may be a generator that loads them; `told` hears after each how many are done. A run
    that one format can't tell is listed with the reason, and the others are there all the same.
    InputError for a format that there isn't, and where no temporary file can be written.
    """
    chosen = [_format(name) for name in dict.fromkeys(formats)]
    try:
        with tempfile.TemporaryFile() as file:
            with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
                _fill(archive, runs, chosen, told)
            file.seek(0)
            return os.fdopen(os.dup(file.fileno()), "rb")
    except OSError as error:
        raise InputError(
            f"The zip can't be written: {error.strerror}. Make room on the disk, or choose fewer "
            "runs."
        ) from None


def _format(name: str) -> ExportFormat:
    if name not in FORMATS:
        raise InputError(f'There is no format "{name[:40]}". Choose from {", ".join(FORMATS)}.')
    return FORMATS[name]


def _fill(
    archive: zipfile.ZipFile,
    runs: Iterable[StoredRun],
    formats: Sequence[ExportFormat],
    told: Callable[[int], None] | None,
) -> None:
    taken: set[str] = set()
    rows: list[tuple[Cell, ...]] = []
    columns: tuple[Column, ...] = ()
    for number, run in enumerate(runs, 1):
        stem = _free(file_stem(run), taken)
        problem = ""
        for each in formats:
            try:
                _add(archive, f"{stem}{each.ending}", run, each)
            except Exception as error:
                # A mistake of ours in one file must not cost the person all the others.
                log.exception("run %s as %s", run.id, each.name)
                problem += f"{each.label} could not be made ({type(error).__name__}). "
        facts = run_table(_short(run))
        columns = (Column(name="files"), *facts.columns, Column(name="problem"))
        rows.append((stem, *facts.rows[0], problem or None))
        if told is not None:
            told(number)
    index = joined([Table(name="run", columns=columns, rows=tuple(rows))])
    archive.writestr(INDEX, (BYTE_ORDER_MARK + index).encode("utf-8", "replace"))


def _short(run: StoredRun) -> StoredRun:
    """For a line of the list, which stays in memory until the end."""
    topic = " ".join(run.snapshot.topic[: 2 * LONGEST_TOPIC].split())[:LONGEST_TOPIC]
    return replace(run, snapshot=replace(run.snapshot, topic=topic))


def _add(archive: zipfile.ZipFile, name: str, run: StoredRun, how: ExportFormat) -> None:
    data = how.make(run)
    # ZIP knows the years from 1980 to 2107, in local time.
    began = time.localtime(min(max(run.snapshot.started_at, 315_619_200.0), 4_354_000_000.0))
    entry = zipfile.ZipInfo(name, began[:6])
    entry.compress_type = zipfile.ZIP_DEFLATED
    archive.writestr(entry, data)


def _free(stem: str, taken: set[str]) -> str:
    """A name that no other run has, also where capitals make no difference."""
    name, number = stem, 1
    while name.casefold() in taken:
        number += 1
        name = f"{stem}-{number}"
    taken.add(name.casefold())
    return name
