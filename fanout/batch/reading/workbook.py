"""An XLSX workbook, read in a process of its own, with a deadline and a memory limit.

A workbook is an archive of XML from anywhere: it can be made so that whatever reads it loops or
eats all memory. What its formulas came to when it was saved is read as a text; nothing is worked
out.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import IO, BinaryIO

from fanout.batch.reading.gathering import Record, gathered
from fanout.batch.reading.table import Table
from fanout.bounds import Bounds
from fanout.errors import InputError
from fanout.redaction import without_secrets

READ_S = 120.0
MOST_UNPACKED = 1_000_000_000
"""Bytes that the archive says it holds; no more is ever unpacked."""
LONGEST_LINE = 10_000_000
"""Characters of a row; as many as its cells can hold come to less."""
_ROOT = Path(__file__).resolve().parents[3]


def workbook(
    file: BinaryIO,
    name: str,
    limits: Bounds,
    *,
    sheet: str = "",
    header: bool | None = None,
    notes: Sequence[str] = (),
) -> Table:
    """The rows of a sheet, the first that holds anything where none is chosen."""
    _check_archive(file, name)
    with _reader(file, sheet) as lines:
        opened = _said(next(lines, ""), name)
        sheets, chosen = _names(opened.get("sheets")), str(opened.get("sheet", ""))
        ending: dict[str, object] = {}
        rows = _records(lines, name, ending)
        table = gathered(rows, name, limits, header=header, notes=notes, ragged=False)
    told = []
    if len(sheets) > 1 and not sheet:
        told.append(f'It has {len(sheets)} sheets; "{chosen}" was read, the first with rows.')
    if errors := ending.get("errors"):
        hold = "cell holds an error" if errors == 1 else "cells hold an error"
        told.append(
            f'{errors} {hold}, such as "{ending.get("error")}", and no value, so that stays empty.'
        )
    if bare := ending.get("bare"):
        formulas = "formula has" if bare == 1 else "formulas have"
        told.append(
            f"{bare} {formulas} no result in the file, so that stays empty. Open it in a "
            "spreadsheet program and save it again."
        )
    return replace(table, notes=(*table.notes, *told), sheets=sheets, sheet=chosen)


def _check_archive(file: BinaryIO, name: str) -> None:
    """InputError unless it is a workbook that unpacks to a bearable size."""
    try:
        with zipfile.ZipFile(file) as archive:
            members = archive.infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError, EOFError):
        raise InputError(
            f"{name} is damaged: it can't be unpacked. Save it again from its program."
        ) from None
    if not any(member.filename == "xl/workbook.xml" for member in members):
        raise InputError(
            f"{name} is an archive or an office file of another kind, not an XLSX workbook. Save "
            "its table as XLSX or CSV UTF-8."
        )
    if sum(member.file_size for member in members) > MOST_UNPACKED:
        raise InputError(
            f"{name} would unpack to more than {MOST_UNPACKED // 1_000_000:,} MB. Save the sheet "
            "as CSV UTF-8 and choose that."
        )


@contextmanager
def _reader(file: BinaryIO, sheet: str) -> Iterator[Iterator[str]]:
    """The lines that the child writes. It ends with this, whether it has written all or not."""
    command = [sys.executable, "-m", "fanout.batch.reading.workbook_process", sheet]
    # A workbook may be hostile: what reads it holds no key.
    environment = without_secrets(os.environ)
    environment |= {"PYTHONPATH": str(_ROOT), "PYTHONIOENCODING": "utf-8:replace"}
    with tempfile.TemporaryFile() as given:
        file.seek(0)
        shutil.copyfileobj(file, given)
        given.seek(0)
        with subprocess.Popen(
            command,
            stdin=given,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
            encoding="utf-8",
        ) as child:
            deadline = threading.Timer(READ_S, child.kill)
            deadline.start()
            try:
                yield iter(partial(_pipe(child).readline, LONGEST_LINE), "")
            finally:
                deadline.cancel()
                child.kill()


def _pipe(child: subprocess.Popen[str]) -> IO[str]:
    assert child.stdout is not None
    return child.stdout


def _records(lines: Iterator[str], name: str, ending: dict[str, object]) -> Iterator[Record]:
    """The rows up to the child's last word, which goes to `ending`."""
    for line in lines:
        if len(line) >= LONGEST_LINE:
            number = line[1 : line.find(",")]
            raise InputError(
                f"{name}, line {number}: it holds more text than can be read at once. Shorten it."
            )
        if line.startswith("["):
            number, *cells = json.loads(line)
            yield number, cells
        else:
            ending |= _said(line, name)
            return
    raise InputError(_broke(name))


def _said(line: str, name: str) -> Mapping[str, object]:
    if not line.endswith("\n"):
        raise InputError(_broke(name))
    said: dict[str, object] = json.loads(line)
    if "problem" in said:
        raise InputError(f"{name}{said['problem']}")
    return said


def _names(value: object) -> tuple[str, ...]:
    return tuple(map(str, value)) if isinstance(value, list) else ()


def _broke(name: str) -> str:
    return (
        f"{name} could not be read within {READ_S:g} seconds, or broke its reader. Save the sheet "
        "as CSV UTF-8 and choose that."
    )
