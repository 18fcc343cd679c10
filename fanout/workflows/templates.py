"""Prompt templates: `{name}` is a variable, doubled braces are braces, and nothing else is special.

Python's format language would let a template reach into attributes and widths; a prompt needs
neither, and a typo should be found when the file is loaded, not when the money is spent.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from string import Formatter

from fanout.errors import DefinitionError


def variables(template: str) -> frozenset[str]:
    """The names that a template needs. DefinitionError if it isn't a template."""
    return frozenset(name for _, name in _parts(template) if name is not None)


def check(template: str, allowed: Iterable[str], where: str) -> None:
    """DefinitionError, naming `where`, if the template uses a variable it isn't given."""
    known = sorted(allowed)
    try:
        unknown = sorted(variables(template) - set(known))
    except DefinitionError as error:
        raise DefinitionError(f"{where}: {error}") from None
    if unknown:
        names = ", ".join(f"{{{name}}}" for name in unknown)
        offer = ", ".join(f"{{{name}}}" for name in known)
        raise DefinitionError(f"{where} uses {names}, which nothing fills in; it may use {offer}.")


def render(template: str, values: Mapping[str, str]) -> str:
    """The template with its variables filled in; values go in as they are, braces and all."""
    return "".join(
        literal + (values[name] if name is not None else "") for literal, name in _parts(template)
    )


def _parts(template: str) -> list[tuple[str, str | None]]:
    try:
        parsed = list(Formatter().parse(template))
    except ValueError:
        raise DefinitionError(
            "a brace stands alone; write {{ or }} for a brace in the text"
        ) from None
    for _, name, spec, conversion in parsed:
        if name is not None and (spec or conversion or not name.isidentifier()):
            raise DefinitionError(
                f"{{{name}}} is no variable; a name is letters, digits and _ only, "
                "and {{ or }} is a brace in the text"
            )
    return [(literal, name) for literal, name, _, _ in parsed]
