"""What Fanout is made of: every package of its lock files, what it is and under which licence.

Read from what is installed, since only that tells its licence; the locks say which of the installed
packages are Fanout's and by which hashes they were let in.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from types import MappingProxyType

ROOT = Path(__file__).resolve().parents[1]
LOCKS = ("requirements.lock", "requirements-model.lock")

_LOCKED = re.compile(
    r"^(?P<name>[\w.-]+)==(?P<version>[^\s;]+)(?: ; (?P<where>[^\\\n]+?))? \\\n"
    r"(?P<hashes>(?:    --hash=\S+(?: \\)?\n?)+)",
    re.MULTILINE,
)
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")
_REQUIRED = re.compile(r"[\w.-]+")
_SPDX = re.compile(r"[A-Za-z0-9.+-]+(?: (?:AND|OR|WITH) [A-Za-z0-9.+-]+)*")
_SPDX_OF_WORDS = MappingProxyType(
    {
        "apache 2": "Apache-2.0",
        "apache license 2.0": "Apache-2.0",
        "apache software license": "Apache-2.0",
        "3-clause bsd license": "BSD-3-Clause",
        "mit license": "MIT",
        "mozilla public license 2.0 (mpl 2.0)": "MPL-2.0",
    }
)
_ELSEWHERE: Mapping[str, str] = MappingProxyType(
    {
        "async-timeout": "Apache-2.0",
        "colorama": "BSD License",
        "dill": "BSD-3-Clause",
        "httpx2-jsfetch": "BSD-3-Clause",
        "uvloop": "MIT",
    }
)
"""Of packages that only other platforms or Pythons need, so that theirs can't be read here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    name: str
    version: str
    licence: str = ""
    """An SPDX expression where the package gives one; "" where nothing is known."""
    where: str = ""
    """Which platforms or Pythons need it, as a marker; "" for all."""
    installed: bool = True
    hashes: tuple[str, ...] = ()
    """SHA-256 of every file that may be installed as this package."""
    needs: tuple[str, ...] = field(default=())
    """Names of the packages it needs that are in the inventory too."""

    @property
    def purl(self) -> str:
        return f"pkg:pypi/{self.name}@{self.version}"

    @property
    def spdx(self) -> bool:
        return _SPDX.fullmatch(self.licence) is not None


def packages(root: Path = ROOT) -> tuple[Package, ...]:
    """Those of the locks below `root`, by name; without locks, all that is installed."""
    locked = tuple(
        package
        for name in LOCKS
        if (root / name).exists()
        for package in read_lock((root / name).read_text("utf-8"))
    )
    if not locked:
        locked = tuple(
            Package(name=normal(each.metadata["Name"]), version=each.version)
            for each in metadata.distributions()
        )
    known = frozenset(package.name for package in locked)
    return tuple(sorted((_seen(each, known) for each in set(locked)), key=lambda each: each.name))


def read_lock(text: str) -> tuple[Package, ...]:
    return tuple(
        Package(
            name=normal(found["name"]),
            version=found["version"],
            where=found["where"] or "",
            hashes=tuple(_HASH.findall(found["hashes"])),
        )
        for found in _LOCKED.finditer(text)
    )


def normal(name: str) -> str:
    """A package's name as indexes compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _seen(locked: Package, known: frozenset[str]) -> Package:
    """The package as it is installed here."""
    try:
        found = metadata.distribution(locked.name)
    except metadata.PackageNotFoundError:
        return Package(
            name=locked.name,
            version=locked.version,
            licence=_ELSEWHERE.get(locked.name, ""),
            where=locked.where,
            installed=False,
            hashes=locked.hashes,
        )
    needed = {normal(_REQUIRED.match(each)[0]) for each in _requirements(found)}  # type: ignore[index]
    return Package(
        name=locked.name,
        version=found.version,
        licence=_licence(found),
        where=locked.where,
        hashes=locked.hashes if found.version == locked.version else (),
        needs=tuple(sorted(needed & known - {locked.name})),
    )


def _requirements(found: metadata.Distribution) -> Iterable[str]:
    return (each for each in found.requires or () if "extra ==" not in each)


def _licence(found: metadata.Distribution) -> str:
    said: Mapping[str, str] = found.metadata  # type: ignore[assignment]
    expression = (said.get("License-Expression") or "").strip()
    if expression:
        return expression
    words = (said.get("License") or "").strip()
    classified = [
        entry.rpartition("::")[2].strip()
        for entry in found.metadata.get_all("Classifier") or []
        if entry.startswith("License ::")
    ]
    # Some put the whole text there.
    if not words or "\n" in words or len(words) > 60:
        words = " AND ".join(_SPDX_OF_WORDS.get(each.lower(), each) for each in classified)
    return _SPDX_OF_WORDS.get(words.lower(), words)
