"""`python -m fanout documents`: what research runs search, listed, added to and removed from.

Exit status of `add`: 0 all are there, 3 some, 1 none.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from fanout.errors import InputError
from fanout.retrieval.documents import Added, Document
from fanout.retrieval.errors import DocumentError
from fanout.retrieval.library import Library
from fanout.settings import Settings

ALL, SOME, NONE = 0, 3, 1


def list_command(options: argparse.Namespace) -> int:
    """Every document, one line each: its id, what it is and its name."""
    library = _opened()
    try:
        documents = library.documents()
    finally:
        library.close()
    if options.json:
        print(json.dumps([asdict(one) for one in documents], ensure_ascii=False))
        return ALL
    for one in documents:
        print(_line(one))
    if not documents:
        print("There are no documents.", file=sys.stderr)
    return ALL


def add_command(options: argparse.Namespace) -> int:
    """Add files; one that can't be read is told and keeps no other from being added."""
    library = _opened()
    there = 0
    try:
        for path in options.files:
            try:
                added = _add(library, path)
            except DocumentError as error:
                print(f"fanout: {error}", file=sys.stderr)
                continue
            there += 1
            print(_line(added.document))
            if added.note:
                print(f"fanout: {added.document.name}: {added.note}", file=sys.stderr)
    finally:
        library.close()
    if there == len(options.files):
        return ALL
    return SOME if there else NONE


def remove_command(options: argparse.Namespace) -> int:
    """Remove documents by id; adding the same file again brings one back."""
    library = _opened()
    try:
        known = {document.id for document in library.documents()}
        unknown = [id for id in options.ids if id not in known]
        if unknown:
            raise InputError(
                f"There is no document {unknown[0]}, so none was removed. "
                "`python -m fanout documents list` shows their ids."
            )
        for id in options.ids:
            library.remove(id)
            print(f"Removed {id}")
    finally:
        library.close()
    return ALL


def ids_of(library: Library, files: Sequence[str]) -> tuple[str, ...]:
    """The files as documents of the library, added where they weren't yet; InputError for one
    that can't be read."""
    try:
        return tuple(dict.fromkeys(_add(library, file).document.id for file in files))
    except DocumentError as error:
        raise InputError(str(error)) from None


def _add(library: Library, file: str) -> Added:
    path = Path(file)
    try:
        data = path.read_bytes()
    except OSError as error:
        raise DocumentError(f"{path.name or file} can't be read: {error.strerror}.") from None
    return library.add(path.name, data)


def _opened() -> Library:
    settings = Settings.from_environment()
    settings.writable_home()
    library = Library(settings.home / "library.db")
    library.sample()
    return library


def _line(one: Document) -> str:
    pages = f"{one.pages:,} pages, " if one.pages is not None else ""
    facts = f"{pages}{one.passages:,} passages, {one.words:,} words"
    sample = "  (sample)" if one.sample else ""
    return f"{one.id}  {one.kind:<4}  {one.name}  {facts}{sample}"
