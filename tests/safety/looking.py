"""Looks for secrets in all that was written, also inside archives, however they are coded."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from fanout.redaction import disguises


def written_in(*folders: Path) -> Iterator[tuple[str, bytes]]:
    """Every file below these folders, and every file in those that are archives."""
    for folder in folders:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                yield from unpacked(str(path.relative_to(folder)), path.read_bytes())


def unpacked(name: str, data: bytes) -> Iterator[tuple[str, bytes]]:
    yield name, data
    if zipfile.is_zipfile(io.BytesIO(data)):
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for inner in archive.namelist():
                yield from unpacked(f"{name}:{inner}", archive.read(inner))


def leaks(secrets: Mapping[str, str], written: Iterable[tuple[str, bytes]]) -> list[str]:
    """Which secret stands where; empty is what it should be."""
    wanted = {
        (name, form.encode(coding))
        for name, secret in secrets.items()
        for form in (*disguises(secret), secret[::-1])
        for coding in ("utf-8", "utf-16-le")
    }
    return [
        f"{name} in {place}" for place, data in written for name, form in wanted if form in data
    ]
