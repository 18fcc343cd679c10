"""Which process listens on a port of this machine, as far as Linux tells this user."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

_LISTENS = "0A"
PROC = Path("/proc")


def who_listens(port: int, proc: Path = PROC) -> str:
    """ " (python, process 123)" to put behind a sentence; "" where it can't be told."""
    sockets = set(_sockets(port, proc))
    if not sockets:
        return ""
    for folder in proc.glob("[0-9]*"):
        with suppress(OSError):
            for handle in (folder / "fd").iterdir():
                if str(handle.readlink()) in sockets:
                    name = (folder / "comm").read_text().strip()
                    return f" ({name}, process {folder.name})"
    return ""


def _sockets(port: int, proc: Path) -> Iterator[str]:
    for table in ("tcp", "tcp6"):
        with suppress(OSError):
            for line in (proc / "net" / table).read_text().splitlines()[1:]:
                fields = line.split()
                if fields[3] == _LISTENS and int(fields[1].rpartition(":")[2], 16) == port:
                    yield f"socket:[{fields[9]}]"
