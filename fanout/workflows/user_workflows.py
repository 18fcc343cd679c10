"""The workflows that people made: TOML files in FANOUT_HOME, each read and changed alone.

A file that was broken by hand is listed with what is wrong and disturbs no other. A deleted one
lies in a folder of its own until it is restored, so that Undo outlives a refresh.
"""

from __future__ import annotations

import os
import secrets
import tomllib
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from pathlib import Path

from fanout.errors import DefinitionError, InputError, SettingsError
from fanout.workflows.definition import Workflow
from fanout.workflows.names import name_of
from fanout.workflows.parsing import parse
from fanout.workflows.written import written

MAX_BYTES = 1_000_000
KEPT_DELETED = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredWorkflow:
    """One file: the workflow in it, or why there is none."""

    name: str
    workflow: Workflow | None
    problem: str = ""
    version: str = ""
    """Changes with the file; "" for a file that isn't there."""
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deleted:
    """A workflow that can be brought back."""

    name: str
    file: str
    """Its file among the deleted ones."""


class UserWorkflows:
    """The folder FANOUT_HOME/workflows. `reserved` names are the shipped ones."""

    def __init__(self, home: Path, reserved: Collection[str] = ()) -> None:
        self.folder = home / "workflows"
        self._trash = self.folder / ".deleted"
        self._reserved = frozenset(reserved)

    def all(self) -> tuple[StoredWorkflow, ...]:
        """Every file by name, the broken ones too."""
        try:
            paths = sorted(self.folder.glob("*.toml"), key=lambda path: path.stem)
        except OSError:
            return ()
        return tuple(self._read(path) for path in paths)

    def get(self, name: str) -> StoredWorkflow | None:
        path = self._path(name)
        return self._read(path) if path.is_file() else None

    def version(self, name: str) -> str:
        """To be compared with that of an earlier look: has somebody else changed the file since."""
        try:
            return _version(self._path(name).read_bytes())
        except OSError:
            return ""

    def save(self, workflow: Workflow) -> str:
        """Write it, over what has this name; the file's new version. InputError: a shipped name."""
        self._not_shipped(workflow.name)
        return self._write(self._path(workflow.name), written(workflow))

    def add(self, workflow: Workflow) -> str:
        """Write a new one; InputError if the name is taken."""
        self.check_free(workflow.name)
        return self.save(workflow)

    def rename(self, old: str, new: str) -> None:
        """InputError, and no change, if the new name is taken or the old one is gone."""
        if old == new:
            return
        self.check_free(new)
        source, target = self._path(old), self._path(new)
        try:
            # A link fails where the name is taken meanwhile; a rename would write over it.
            os.link(source, target)
            source.unlink()
        except FileExistsError:
            raise InputError(_taken(new)) from None
        except FileNotFoundError:
            raise InputError(_gone(old)) from None
        except OSError:
            self._moved(source, target, old)

    def delete(self, name: str) -> Deleted:
        """Take it away, to be had again by `restore`. InputError if there is none."""
        deleted = Deleted(name=name, file=f"{name}.{secrets.token_hex(4)}.toml")
        source = self._path(name)
        try:
            self._trash.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise _disk(error) from None
        self._moved(source, self._trash / deleted.file, name)
        os.utime(self._trash / deleted.file)
        for path in self._trashed()[KEPT_DELETED:]:
            path.unlink(missing_ok=True)
        return deleted

    def restore(self, deleted: Deleted) -> str:
        """Bring it back; the name it has now. InputError if its name was given away meanwhile."""
        self.check_free(deleted.name)
        self._moved(self._trash / Path(deleted.file).name, self._path(deleted.name), deleted.name)
        return deleted.name

    def deleted(self) -> tuple[Deleted, ...]:
        """What can be brought back, newest first."""
        names = (path.name for path in self._trashed())
        return tuple(Deleted(name=name.rsplit(".", 2)[0], file=name) for name in names)

    def import_toml(self, text: str | bytes, name: str) -> Workflow:
        """Check a text and keep it under that name. DefinitionError says what is wrong with it,
        InputError that the name is taken."""
        name = name_of(name)
        self.check_free(name)
        workflow = read_toml(text, name=name)
        self._write(self._path(name), written(workflow))
        return workflow

    def mend(self, name: str, text: str) -> str:
        """Replace the text of a file; DefinitionError, and no change, if it is no workflow."""
        self._not_shipped(name)
        read_toml(text, name=name)
        return self._write(self._path(name), text)

    def check_free(self, name: str) -> None:
        """InputError if a workflow has this name, or none could."""
        self._not_shipped(name)
        if self._path(name).exists():
            raise InputError(_taken(name))

    def _not_shipped(self, name: str) -> None:
        if name in self._reserved:
            raise InputError(f'"{name}" is the name of a shipped workflow; choose another.')

    def _path(self, name: str) -> Path:
        if not name or name.startswith(".") or Path(name).name != name or "\\" in name:
            raise InputError(f'"{name}" can\'t be the name of a workflow.')
        return self.folder / f"{name}.toml"

    def _read(self, path: Path) -> StoredWorkflow:
        name, raw = path.stem, b""
        try:
            raw = path.read_bytes()[: MAX_BYTES + 1]
            self._not_shipped(name)
            workflow, problem = read_toml(raw, name=name), ""
        except OSError as error:
            workflow, problem = None, f"{path.name} can't be read: {error.strerror}"
        except (DefinitionError, InputError) as error:
            workflow, problem = None, str(error)
        return StoredWorkflow(
            name=name,
            workflow=workflow,
            problem=problem,
            version=_version(raw),
            text=raw.decode("utf-8", errors="replace") if len(raw) <= MAX_BYTES else "",
        )

    def _write(self, path: Path, text: str) -> str:
        """All of it or nothing: a reader never sees half a file."""
        raw = text.encode()
        partial = path.with_name(f".{path.stem}.{secrets.token_hex(4)}.part")
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            partial.write_bytes(raw)
            partial.replace(path)
        except OSError as error:
            with suppress(OSError):
                partial.unlink(missing_ok=True)
            raise _disk(error) from None
        return _version(raw)

    def _moved(self, source: Path, target: Path, name: str) -> None:
        try:
            source.rename(target)
        except FileNotFoundError:
            raise InputError(_gone(name)) from None
        except OSError as error:
            raise _disk(error) from None

    def _trashed(self) -> list[Path]:
        """Newest first; the file's name decides between two of one moment."""
        try:
            paths = list(self._trash.glob("*.toml"))
            return sorted(paths, key=lambda p: (p.stat().st_mtime_ns, p.name), reverse=True)
        except OSError:
            return []


def read_toml(text: str | bytes, *, name: str) -> Workflow:
    """The workflow of a TOML text; DefinitionError says what keeps it from being one."""
    raw = text.encode("utf-8", errors="surrogatepass") if isinstance(text, str) else text
    if len(raw) > MAX_BYTES:
        raise DefinitionError(
            f"{name}.toml has more than {MAX_BYTES // 1000:,} kB, which is no workflow's size; "
            "long texts belong into the topic or the documents"
        )
    return _parsed(raw, name)


@lru_cache(maxsize=256)
def _parsed(raw: bytes, name: str) -> Workflow:
    try:
        data = tomllib.loads(raw.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise DefinitionError(f"{name}.toml is not TOML: it isn't UTF-8 text") from None
    except tomllib.TOMLDecodeError as error:
        raise DefinitionError(f"{name}.toml is not TOML: {error}") from None
    except RecursionError:
        raise DefinitionError(f"{name}.toml is nested too deeply to be read") from None
    return parse(data, name=name, source=f"{name}.toml")


def _version(raw: bytes) -> str:
    return sha256(raw).hexdigest()


def _taken(name: str) -> str:
    return f'There is a workflow "{name}" already; choose another name.'


def _gone(name: str) -> str:
    return f'The workflow "{name}" is not there any more; it may have been renamed or deleted.'


def _disk(error: OSError) -> SettingsError:
    return SettingsError(
        f"This could not be written into FANOUT_HOME: {error.strerror}. Free some space or correct "
        "FANOUT_HOME; nothing that was there is lost."
    )
