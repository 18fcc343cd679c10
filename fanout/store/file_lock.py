"""A lock on a file that the system itself lets go of when its process ends, however it ends."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path
from time import monotonic, sleep

_LOOK_S = 0.05


class FileLock:
    """Not held until `take` says so. Another holder may be another process or another lock here."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: int | None = None

    def take(self, wait_s: float = 0.0) -> bool:
        """Whether it is held now; OSError if its file can't be made."""
        until = monotonic() + wait_s
        file = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
        while not _lock(file):
            if monotonic() >= until:
                os.close(file)
                return False
            sleep(_LOOK_S)
        self._file = file
        return True

    def release(self, *, remove: bool = False) -> None:
        """Let go of it; harmless where it isn't held."""
        if self._file is None:
            return
        if remove:
            with suppress(OSError):
                self.path.unlink()
        os.close(self._file)
        self._file = None


def taken(path: Path) -> bool:
    """Whether somebody holds the lock of that file right now."""
    try:
        file = os.open(path, os.O_RDWR)
    except OSError:
        return False
    try:
        return not _lock(file, shared=True)
    finally:
        os.close(file)


if sys.platform == "win32":
    import msvcrt

    def _lock(file: int, *, shared: bool = False) -> bool:
        try:
            msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        if shared:
            msvcrt.locking(file, msvcrt.LK_UNLCK, 1)
        return True

else:
    import fcntl

    def _lock(file: int, *, shared: bool = False) -> bool:
        # Those who only look share it, so that none of them takes another for the holder.
        try:
            fcntl.flock(file, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
        except OSError:
            return False
        return True
