"""A folder of this process alone for states of the model's memory, gone when the process is.

A state holds what people wrote, so nobody else may read it, and what a killed process left behind
is removed by the next one to start. A lock tells the two apart, and the system drops it with its
holder, however that ends.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, Final

FOLDER: Final = "model-states"
LOCK: Final = "lock"
OLD_S: Final = 24 * 3600
"""Where the system has no such locks, age alone tells what was left behind."""


class StateFolder:
    """Held from `open` to `remove`."""

    def __init__(self, path: Path, lock: BinaryIO) -> None:
        self.path = path
        self._lock = lock

    @classmethod
    def open(cls, home: Path) -> StateFolder | None:
        """None where the home can't be written: then nothing is saved."""
        try:
            parent = home / FOLDER
            parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            for left in parent.iterdir():
                if _abandoned(left):
                    shutil.rmtree(left, ignore_errors=True)
            path = Path(tempfile.mkdtemp(dir=parent))
            lock = (path / LOCK).open("wb")
        except OSError:
            return None
        _locked(lock)
        return cls(path, lock)

    def remove(self) -> None:
        """Delete it and all that is in it; harmless twice."""
        self._lock.close()
        shutil.rmtree(self.path, ignore_errors=True)


def _abandoned(folder: Path) -> bool:
    with suppress(OSError), (folder / LOCK).open("rb+") as lock:
        if os.name != "posix":
            return time.time() - folder.stat().st_mtime > OLD_S
        return _locked(lock)
    # One that is just being made has no lock yet.
    with suppress(OSError):
        return time.time() - folder.stat().st_mtime > 60
    return False


def _locked(lock: BinaryIO) -> bool:
    """Take the lock, held until the file is closed; False where somebody has it."""
    try:
        import fcntl

        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (ImportError, OSError):
        return False
    return True
