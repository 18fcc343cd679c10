"""The first part of a program: what a person may change in it, and the texts of its prompts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from fanout.export.code.literals import TAB, Text, in_line, literal, needs, width
from fanout.export.code.parts import Piece, part
from fanout.export.code.recipe import QUOTED_TOPIC, Recipe
from fanout.workflows.quoting import in_one_turn, marker_of
from fanout.workflows.specs import WRITTEN_BY_A_MODEL

AT_ONCE = 8
"""What an endpoint takes at once where nobody said otherwise."""
SHORT = 70
"""Columns; a longer prompt has a constant of its own."""


def settings(recipe: Recipe) -> Piece:
    """What a person may want to change, on top."""
    made_with = recipe.snapshot.made_with
    at_once = 1 if made_with is not None and made_with.sequential else AT_ONCE
    lines = [
        _constant("TOPIC", (in_one_turn(recipe.snapshot.topic),)),
        _constant("MODEL", (recipe.model,)),
        f"AT_ONCE = {at_once}",
    ]
    return Piece(source="\n".join(lines))


def prompts(recipe: Recipe) -> Iterator[Piece]:
    """The texts of the prompts: what all share, then each branch's own."""
    if _quotes(recipe):
        yield Piece(source=_constant("MARKER", (marker_of(recipe.snapshot.run_id),)))
        yield part("quoted")
    texts = {name: text for name, text in recipe.constants.items() if _used(recipe, name)}
    texts["SYSTEM"] = recipe.system
    texts["SHARED"] = () if recipe.ranks else recipe.shared
    texts["PROMPT"] = () if recipe.parameters else recipe.prompt
    names = prompt_names(recipe)
    own = {str(one.plan.id): one.prompt for one in recipe.branches}
    texts |= {name: own[branch] for branch, name in names.items()}
    lines = [_constant(name, text) for name, text in texts.items() if text]
    if lines:
        yield Piece(source="\n".join(lines))
    if recipe.shared and recipe.ranks:
        yield _function("shared", ["content"], recipe.shared)
    if recipe.prompt and recipe.parameters:
        yield _function("prompt", recipe.parameters, recipe.prompt)


def prompt_names(recipe: Recipe) -> dict[str, str]:
    """The constants of the branches' own prompts, where one is too long for the list of calls."""
    own = [one for one in recipe.branches if one.variables is None and one.plan.messages]
    if all(width(in_line(one.prompt)) < SHORT for one in own):
        return {}
    names: dict[str, str] = {}
    for one in own:
        name = f"{one.plan.id.upper().replace('-', '_')}_PROMPT"
        fit = name.isascii() and name.isidentifier() and name not in names.values()
        names[one.plan.id] = name if fit else f"PROMPT_{len(names) + 1}"
    return names


def _constant(name: str, text: Text) -> str:
    return f"{name} = {literal(text, before=len(name) + 3)}"


def _function(name: str, parameters: Sequence[str], text: Text) -> Piece:
    given = ", ".join(f"{one}: str" for one in parameters)
    body = literal(text, indent=4, before=len("    return "))
    return Piece(source=f"def {name}({given}) -> str:\n{TAB}return {body}")


def _quotes(recipe: Recipe) -> bool:
    spec = recipe.aggregate
    combining = spec is not None and spec.kind in WRITTEN_BY_A_MODEL
    return recipe.ranks or combining or any(QUOTED_TOPIC[0] in text for text in recipe.texts)


def _used(recipe: Recipe, name: str) -> bool:
    return any(name in needs(text) for text in recipe.texts)
