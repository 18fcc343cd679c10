"""`python -m fanout export` and `import`: runs as files to hand over, and back."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from shutil import copyfileobj

from fanout.cli.records import opened, stored
from fanout.errors import InputError
from fanout.export.bundle import zip_export
from fanout.export.bundle_formats import FORMATS, file_stem
from fanout.export.importing import import_run
from fanout.store.store import Store
from fanout.store.values import Label, StoredRun

ALL, SOME, NONE = 0, 3, 1


def export_command(options: argparse.Namespace) -> int:
    """One run to standard output or a file; several as a zip."""
    if len(options.runs) > 1 and options.format != "zip":
        raise InputError("Several runs make a zip: use --format zip.")
    with opened() as store:
        if options.format == "zip":
            return _zip(store, options.runs, options.output)
        run = stored(store, options.runs[0])
    how = FORMATS[options.format]
    content = how.make(run)
    if options.output == "-" or (not options.output and not _is_screen(how.mime)):
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()
        return ALL
    path = _path(options.output, f"{file_stem(run)}{how.ending}")
    path.write_bytes(content)
    print(path)
    return ALL


def import_command(options: argparse.Namespace) -> int:
    """Exit status: 0 all are there, 3 some, 1 none."""
    there = 0
    with opened() as store:
        for name in options.files:
            try:
                print(_imported(store, Path(name)))
                there += 1
            except InputError as error:
                print(f"fanout: {Path(name).name}: {error}", file=sys.stderr)
    if there == len(options.files):
        return ALL
    return SOME if there else NONE


def _imported(store: Store, path: Path) -> str:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"can't be read: {error.strerror}.") from None
    done = import_run(store, data)
    if done.how == "there":
        return f"{done.id}  was here already"
    if done.run.label != Label():
        store.history.label(done.id, done.run.label)
    return f"{done.id}  imported"


def _zip(store: Store, names: Sequence[str], output: str) -> int:
    def runs() -> Iterator[StoredRun]:
        for name in names:
            yield stored(store, name)

    with zip_export(runs()) as archive:
        if output == "-":
            copyfileobj(archive, sys.stdout.buffer)
            return ALL
        path = _path(output, "fanout-runs.zip")
        with path.open("wb") as file:
            copyfileobj(archive, file)
    print(path)
    return ALL


def _is_screen(mime: str) -> bool:
    """Whether a terminal can't show it, so that it had better be a file."""
    return not mime.startswith("text/") and mime != "application/json" and sys.stdout.isatty()


def _path(output: str, name: str) -> Path:
    """Where to write: a folder takes the file under its own name."""
    path = Path(output or ".")
    return path / name if path.is_dir() else path
