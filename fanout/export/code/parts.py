"""The pieces of Python that programs are put together from: real code, in the folder parts/.

A piece begins with the imports it needs; `$name` is a place that is filled in with source.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from string import Template

FOLDER = Path(__file__).parent / "parts"
_THIRD_PARTY = ("anyio", "langgraph", "openai")


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """Source for the top level of a program, and what it imports."""

    source: str
    imports: tuple[str, ...] = ()


def part(name: str, /, **places: str) -> Piece:
    """The piece of that name with its places filled in. A place alone on its line may be empty."""
    imports, body = _read(name)
    for place, source in places.items():
        if not source:
            body = re.sub(rf"^\${place}\n", "", body, flags=re.MULTILINE)
    return Piece(source=Template(body).substitute(places).strip("\n"), imports=imports)


def assembled(docstring: str, pieces: Iterable[Piece]) -> str:
    """A whole module: its docstring, its imports as ruff sorts them, and the pieces in order."""
    kept = list(pieces)
    imports = _imports([line for piece in kept for line in piece.imports])
    sources = [piece.source for piece in kept if piece.source]
    head = f"{docstring}\n\nfrom __future__ import annotations\n\n{imports}\n\n"
    return head + "\n\n\n".join(sources) + "\n"


@cache
def _read(name: str) -> tuple[tuple[str, ...], str]:
    text = (FOLDER / f"{name}.py.txt").read_text(encoding="utf-8")
    imports, _, body = (
        text.partition("\n\n") if text.startswith(("import", "from")) else ("", "", text)
    )
    return tuple(imports.splitlines()), body


def _imports(lines: Iterable[str]) -> str:
    modules: dict[str, set[str]] = {}
    for line in lines:
        source, _, names = line.removeprefix("from ").partition(" import ")
        modules.setdefault(source, set()).update(filter(None, names.split(", ")))
    ours = [name for name in modules if name.removeprefix("import ").split(".")[0] in _THIRD_PARTY]
    groups = ([name for name in modules if name not in ours], ours)
    return "\n\n".join("\n".join(_sorted(group, modules)) for group in groups if group)


def _sorted(group: list[str], modules: dict[str, set[str]]) -> Iterable[str]:
    """Whole modules first, then names out of modules: constants, classes, functions."""
    yield from sorted(name for name in group if name.startswith("import "))
    for name in sorted(name for name in group if not name.startswith("import ")):
        names = sorted(modules[name], key=lambda one: (not one.isupper(), one[0].islower(), one))
        yield f"from {name} import {', '.join(names)}"
