"""Values and calls as formatted source: what fits stands on one line, the rest an entry a line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isfinite

from fanout.export.code.literals import TAB, WIDTH, literal, width


def value(thing: object, *, indent: int = 0, before: int = 0, after: int = 0) -> str:
    """Plain data as source; it begins `before` columns into a line that is indented so far."""
    if isinstance(thing, str):
        return literal(thing, indent=indent, before=before, after=after)
    flat = _flat(thing)
    if isinstance(thing, Mapping | Sequence) and (
        before + width(flat) + after > WIDTH or "\n" in flat
    ):
        inside = " " * indent + TAB
        rows = [f"{inside}{row}," for row in _rows(thing, indent + len(TAB))]
        opening, closing = _brackets(thing)
        return "\n".join([opening, *rows, " " * indent + closing])
    return flat


def call(name: str, given: Mapping[str, str], *, indent: int = 0, before: int = 0) -> str:
    """A call with keyword arguments, whose values are source already."""
    pairs = [f"{key}={code}" for key, code in given.items()]
    flat = f"{name}({', '.join(pairs)})"
    if "\n" not in flat and before + width(flat) <= WIDTH:
        return flat
    inside = " " * indent + TAB
    return "\n".join([f"{name}(", *(f"{inside}{pair}," for pair in pairs), f"{' ' * indent})"])


def _flat(thing: object) -> str:
    if isinstance(thing, Mapping):
        return f"{{{', '.join(f'{_flat(k)}: {_flat(v)}' for k, v in thing.items())}}}"
    if isinstance(thing, str):
        return literal(thing, before=-10_000)
    if isinstance(thing, Sequence):
        opening, closing = _brackets(thing)
        comma = "," if isinstance(thing, tuple) and len(thing) == 1 else ""
        return f"{opening}{', '.join(map(_flat, thing))}{comma}{closing}"
    if isinstance(thing, float) and not isfinite(thing):
        return f'float("{thing}")'
    return repr(thing)


def _rows(thing: Mapping[object, object] | Sequence[object], indent: int) -> list[str]:
    if not isinstance(thing, Mapping):
        return [value(one, indent=indent, before=indent, after=1) for one in thing]
    rows = []
    for key, one in thing.items():
        name = f"{_flat(key)}: "
        rows.append(name + value(one, indent=indent, before=indent + width(name), after=1))
    return rows


def _brackets(thing: object) -> tuple[str, str]:
    if isinstance(thing, Mapping):
        return "{", "}"
    return ("(", ")") if isinstance(thing, tuple) else ("[", "]")
