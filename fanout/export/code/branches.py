"""The calls of a program, one a branch, through a function that gives each what all have."""

from __future__ import annotations

from collections.abc import Iterator

from fanout.export.code.asking import prompt_names
from fanout.export.code.forms import form_source
from fanout.export.code.literals import TAB, WIDTH, in_line, literal, width
from fanout.export.code.parts import Piece, part
from fanout.export.code.recipe import Asked, Recipe
from fanout.export.code.source import call, value
from fanout.types import BranchPlan
from fanout.voting.plans import Comparison

_TYPES = {"model": "str", "temperature": "float | None", "max_tokens": "int | None"}
_EACH = object()
"""In place of what most branches have, where each has something else."""


def branches(recipe: Recipe, *, named: bool) -> Iterator[Piece]:
    """BRANCHES and what it needs; the calls have names where the program asks for them."""
    if recipe.form is not None and not recipe.ranks:
        yield Piece(source=f"FORM = {form_source(recipe.form)}")
    if isinstance(recipe.vote, Comparison):
        yield from _orders(recipe, recipe.vote)
    yield _helper(recipe)
    names = prompt_names(recipe)
    rows = []
    for one in recipe.branches:
        if one.plan.messages:
            key = f"{in_line(one.plan.id)}: " if named else ""
            rows.append(f"{TAB}{key}{_row(recipe, one, names.get(one.plan.id), width(key))},")
    opening, closing = "{}" if named else "[]"
    if rows:
        yield Piece(source="\n".join([f"BRANCHES = {opening}", *rows, closing]))
    else:
        kind = "dict[str, Call]" if named else "list[Call]"
        yield Piece(source=f"BRANCHES: {kind} = {opening}{closing}")


def _row(recipe: Recipe, one: Asked, name: str | None, key: int) -> str:
    """One branch, on one line where it fits behind a key of so many columns."""
    options = [f"{option}={value(said)}" for option, said in _options(recipe, one).items()]
    given = [in_line(one.plan.title), _prompt(one, name, flat=True), *options]
    flat = f"branch({', '.join(given)})"
    if width(flat) + key + len(TAB) + 1 <= WIDTH:
        return flat
    given[1] = _prompt(one, name, flat=False)
    return "\n".join(["branch(", *(f"{TAB * 2}{argument}," for argument in given), f"{TAB})"])


def _prompt(one: Asked, name: str | None, *, flat: bool) -> str:
    """The prompt as an argument, which stands on a line of its own where it isn't flat."""
    if one.variables is None:
        return name or (in_line(one.prompt) if flat else literal(one.prompt, indent=8, before=9))
    if not one.variables:
        return "PROMPT"
    one_line = (
        f"prompt({', '.join(f'{key}={in_line(text)}' for key, text in one.variables.items())})"
    )
    if flat or width(one_line) + 9 <= WIDTH:
        return one_line
    rows = [
        f"{TAB * 3}{key}={literal(text, indent=12, before=14 + len(key))},"
        for key, text in one.variables.items()
    ]
    return "\n".join(["prompt(", *rows, f"{TAB * 2})"])


def _said(plan: BranchPlan) -> dict[str, object]:
    given = (plan.model.model, plan.temperature, plan.max_tokens)
    return dict(zip(_TYPES, given, strict=True))


def _options(recipe: Recipe, one: Asked) -> dict[str, object]:
    """What this branch has of its own."""
    varied = _varied(recipe)
    return {
        key: said for key, said in _said(one.plan).items() if key in varied and said != varied[key]
    }


def _varied(recipe: Recipe) -> dict[str, object]:
    """What the branches differ in, with what most of them have."""
    plans = [_said(one.plan) for one in recipe.branches if one.plan.messages]
    found: dict[str, object] = {}
    for key in _TYPES:
        said = [plan[key] for plan in plans]
        common = max(said, key=said.count, default=None)
        if key == "model" and any(model != recipe.model for model in said):
            found[key] = recipe.model
        elif key != "model" and said.count(common) < len(said):
            found[key] = common if said.count(common) > 1 else _EACH
    return found


def _helper(recipe: Recipe) -> Piece:
    """The function that gives each branch what all have."""
    varied = _varied(recipe)
    parameters = ["title: str", "prompt: str", *(["*"] if varied else [])]
    for key, common in varied.items():
        default = "" if common is _EACH else f" = {'MODEL' if key == 'model' else value(common)}"
        parameters.append(f"{key}: {_TYPES[key]}{default}")
    head = f"def branch({', '.join(parameters)}) -> Call:"
    if len(head) > WIDTH:
        rows = [f"{TAB}{parameter}," for parameter in parameters]
        head = "\n".join(["def branch(", *rows, ") -> Call:"])
    given = {"title": "title", "prompt": "prompt"}
    if recipe.shared:
        shared = "shared(shown(ORDERS[title], TEXTS))" if recipe.ranks else "SHARED"
        given["prompt"] = f'f"{{{shared}}}\\n\\n{{prompt}}"'
    if recipe.system:
        given["system"] = "SYSTEM"
    plan = next((one.plan for one in recipe.branches if one.plan.messages), None)
    for key, said in _said(plan).items() if plan is not None else ():
        if key in varied:
            given[key] = key
        elif key != "model" and said is not None:
            given[key] = value(said)
    if recipe.form is not None:
        given["form"] = "ranking_form(len(TEXTS))" if recipe.ranks else "FORM"
    docstring = f'{TAB}"""A call with what all branches have in common."""'
    made = call("Call", given, indent=4, before=len("    return "))
    return Piece(source="\n".join([head, docstring, f"{TAB}return {made}"]))


def _orders(recipe: Recipe, vote: Comparison) -> Iterator[Piece]:
    """Which judge sees the texts in which order."""
    if recipe.frozen:
        orders = {one.plan.title: list(vote.orders.get(one.plan.id, ())) for one in recipe.branches}
        yield Piece(source=f"TEXTS = {value(list(vote.candidates), before=8)}")
        yield part("ranked")
        yield Piece(source=f"ORDERS = {value(orders, before=9)}")
        return
    yield part("parted")
    yield part("shuffled")
    yield part("ranked")
    rows = [
        f'{TAB}{in_line(one.plan.title)}: shuffled([*TEXTS], f"{{TOPIC}}\\n{one.plan.id}"),'
        for one in recipe.branches
    ]
    yield Piece(source="\n".join(["ORDERS = {", *rows, "}"]))
