"""The exported runs in a dropped file: the file itself, or each JSON file in a zip.

Nothing of a zip is ever written to disk, so the names in it lead nowhere.
"""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Iterator

from fanout.errors import InputError
from fanout.export.importing_limits import MOST_BYTES, refused

MOST_FILES = 1000
MOST_UNPACKED = 1_000_000_000
"""Bytes of all files of a zip together."""
_BROKEN = (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, OSError)


def exported_files(name: str, data: bytes) -> Iterator[tuple[str, bytes | InputError]]:
    """Each file that may hold a run, with its name, or why it can't be read; one at a time."""
    if not data.startswith(b"PK"):
        yield name, data
        return
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
        entries = [one for one in archive.infolist() if _may_hold_a_run(one)]
    except (*_BROKEN, ValueError):
        yield name, refused("it is a zip that can't be opened", do="Make the zip again.")
        return
    if not entries:
        yield name, refused("there is no JSON in this zip", do="Export the runs as JSON too.")
    unpacked = 0
    with archive:
        for number, entry in enumerate(entries, 1):
            if number > MOST_FILES or unpacked + entry.file_size > MOST_UNPACKED:
                yield (
                    name,
                    refused(
                        f"it holds more than is read at once ({MOST_FILES} runs, "
                        f"{MOST_UNPACKED / 1e9:.0f} GB)",
                        do=f"The first {number - 1} of its runs were read; put the others into "
                        "another zip.",
                    ),
                )
                return
            content = _unpacked(archive, entry)
            unpacked += len(content) if isinstance(content, bytes) else 0
            yield f"{name}: {entry.filename.rpartition('/')[2]}", content


def _may_hold_a_run(entry: zipfile.ZipInfo) -> bool:
    name = entry.filename
    return name.casefold().endswith(".json") and not name.startswith("__MACOSX/")


def _unpacked(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes | InputError:
    """At most one byte more than an import takes, whatever size the zip claims."""
    try:
        with archive.open(entry) as file:
            return file.read(MOST_BYTES + 1)
    except _BROKEN:
        return refused("it can't be unpacked; it is damaged, or needs a password")
