"""`python -m fanout export` and `import`: runs and batches as files to hand over, and back."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from shutil import copyfileobj

from fanout.batches import Batch
from fanout.cli.records import opened, stored
from fanout.errors import InputError
from fanout.export.batch.formats import BATCH_FORMATS, batch_file_name, write
from fanout.export.bundle import zip_export
from fanout.export.bundle_formats import FORMATS, file_stem
from fanout.export.importing import import_run
from fanout.export.importing_files import exported_files
from fanout.store.store import Store
from fanout.store.values import Label, StoredRun

ALL, SOME, NONE = 0, 3, 1
LAST_BATCH = "last-batch"


def export_command(options: argparse.Namespace) -> int:
    """One run, or one batch, to standard output or a file; several runs as a zip."""
    if len(options.runs) > 1 and options.format != "zip":
        raise InputError("Several runs make a zip: use --format zip.")
    with opened() as store:
        if options.format == "zip":
            return _zip(store, options.runs, options.output)
        if (batch := _batch(store, options.runs[0])) is not None:
            return _export_batch(store, batch, options.format, options.output)
        if options.format not in FORMATS:
            offered = ", ".join(FORMATS)
            raise InputError(f"That form is for batches. A run can be exported as {offered}.")
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


def _batch(store: Store, name: str) -> Batch | None:
    """The batch of that id; None where it may be a run. InputError if there is no newest one."""
    if name != LAST_BATCH:
        return store.batches.get(name)
    newest = store.batches.all(limit=1)
    if not newest:
        raise InputError("There are no batches yet. `python -m fanout batch` makes one.")
    return newest[0]


def _export_batch(store: Store, batch: Batch, format: str, output: str) -> int:
    rows, workers = store.batches.each(batch.id), store.batches.workers()
    known = format in BATCH_FORMATS
    if output == "-" or (not output and known and not _is_screen(BATCH_FORMATS[format].mime)):
        write(batch, rows, format, sys.stdout.buffer, workers=workers)
        sys.stdout.buffer.flush()
        return ALL
    path = _path(output, batch_file_name(batch, format) if known else "")
    write(batch, rows, format, path, workers=workers)
    print(path)
    return ALL


def import_command(options: argparse.Namespace) -> int:
    """Exit status: 0 all are there, 3 some, 1 none."""
    results = []
    with opened() as store:
        for path in map(Path, options.files):
            for name, found in _runs_in(path):
                try:
                    print(_imported(store, found))
                    results.append(True)
                except InputError as error:
                    print(f"fanout: {name}: {error}", file=sys.stderr)
                    results.append(False)
    return ALL if all(results) else SOME if any(results) else NONE


def _runs_in(path: Path) -> Iterator[tuple[str, bytes | InputError]]:
    """The exported runs of a file, which may be a zip of them."""
    try:
        data = path.read_bytes()
    except OSError as error:
        yield path.name, InputError(f"can't be read: {error.strerror}.")
    else:
        yield from exported_files(path.name, data)


def _imported(store: Store, found: bytes | InputError) -> str:
    """Keep one run; what became of it."""
    if isinstance(found, InputError):
        raise found
    done = import_run(store, found)
    if done.how == "there":
        if done.run.deleted_at is None:
            return f"{done.id}  was here already"
        store.history.restore([done.id])
        return f"{done.id}  was among the deleted runs and is back"
    if done.run.label != Label():
        store.history.label(done.id, done.run.label)
    return f"{done.id}  imported" + " under a new id" * (done.how == "renamed")


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
