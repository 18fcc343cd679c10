"""The first half of a program: its topic, its prompts and its calls."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from fanout.export.code.literals import TAB, Text, in_line, literal, needs, width
from fanout.export.code.parts import Piece, part
from fanout.export.code.recipe import FENCED_TOPIC, Asked, Recipe
from fanout.export.code.source import call, value
from fanout.structured.asking import Rung, asked
from fanout.structured.strict import strict
from fanout.types import Form
from fanout.voting.plans import Comparison

AT_ONCE = 8
"""What an endpoint takes at once where nobody said otherwise."""


EACH = object()
"""In place of what most branches have, where each has something else."""


def settings(recipe: Recipe) -> Piece:
    """What a person may want to change, on top."""
    made_with = recipe.snapshot.made_with
    at_once = 1 if made_with is not None and made_with.sequential else AT_ONCE
    topic = recipe.snapshot.topic
    lines = [
        constant("TOPIC", (topic,)),
        constant("MODEL", (recipe.model,)),
        f"AT_ONCE = {at_once}",
    ]
    return Piece(source="\n".join(lines))


def prompts(recipe: Recipe) -> Iterator[Piece]:
    """The texts of the prompts: what all share, then each branch's own."""
    if needs_fence(recipe):
        yield part("fenced")
    lines = [constant(name, text) for name, text in recipe.constants.items() if _used(recipe, name)]
    lines += [constant("SYSTEM", recipe.system)] if recipe.system else []
    if recipe.shared and not recipe.ranks:
        lines.append(constant("SHARED", recipe.shared))
    if recipe.prompt and not recipe.parameters:
        lines.append(constant("PROMPT", recipe.prompt))
    own = _constants(recipe)
    lines += [
        constant(own[one.plan.id], one.prompt) for one in recipe.branches if one.plan.id in own
    ]
    if lines:
        yield Piece(source="\n".join(lines))
    if recipe.shared and recipe.ranks:
        yield Piece(source=_function("shared", ["content"], recipe.shared))
    if recipe.prompt and recipe.parameters:
        yield Piece(source=_function("prompt", recipe.parameters, recipe.prompt))


def branches(recipe: Recipe, *, named: bool) -> Iterator[Piece]:
    """The calls, by name where the program needs names."""
    if recipe.form is not None and not recipe.ranks:
        yield Piece(source=f"FORM = {form_source(recipe.form)}")
    if isinstance(recipe.vote, Comparison):
        yield from _orders(recipe, recipe.vote)
    yield Piece(source=_helper(recipe))
    own = _constants(recipe)
    rows = []
    for one in recipe.branches:
        if not one.plan.messages:
            continue
        name = f"{in_line(one.plan.id)}: " if named else ""
        rows.append(TAB + name + _row(recipe, one, own.get(one.plan.id), len(TAB) + width(name)))
    opening, closing = "{}" if named else "[]"
    listed = "\n".join([opening, *(f"{row}," for row in rows), closing]) if rows else "[]"
    kind = "" if rows else f": {'dict[str, Call]' if named else 'list[Call]'}"
    listed = listed if rows else opening + closing
    yield Piece(source=f"BRANCHES{kind} = {listed}")


def constant(name: str, text: Text) -> str:
    return f"{name} = {literal(text, before=len(name) + 3)}"


def form_source(form: Form) -> str:
    """The form as the endpoint is told it, and how the prompt asks for it."""
    words = {rung: asked((), form, rung)[-1].content for rung in (Rung.JSON_SCHEMA, Rung.LINES)}
    given = {
        "name": value(form.name),
        "schema": value(strict(form.schema), indent=4, before=len("    schema="), after=1),
        "in_json": value(words[Rung.JSON_SCHEMA], indent=4, before=12, after=1),
        "in_lines": value(words[Rung.LINES], indent=4, before=13, after=1),
    }
    return call("Form", given)


def needs_fence(recipe: Recipe) -> bool:
    fence = FENCED_TOPIC[0]
    combined = recipe.aggregate is not None and recipe.aggregate.kind in ("best", "cited")
    return recipe.ranks or combined or any(fence in text for text in recipe.texts)


def _used(recipe: Recipe, name: str) -> bool:
    return any(name in needs(text) for text in recipe.texts)


def _function(name: str, parameters: Sequence[str], text: Text) -> str:
    given = ", ".join(f"{one}: str" for one in parameters)
    return f"def {name}({given}) -> str:\n    return {literal(text, indent=4, before=11)}"


def _constants(recipe: Recipe) -> dict[str, str]:
    """The names of those prompts that are too long to stand in the list of branches."""
    own = [one for one in recipe.branches if one.variables is None and one.plan.messages]
    if all(width(in_line(one.prompt)) < 70 for one in own):
        return {}
    names: dict[str, str] = {}
    for one in own:
        name = f"{one.plan.id.upper().replace('-', '_')}_PROMPT"
        fit = name.isascii() and name.isidentifier() and name not in names.values()
        names[one.plan.id] = name if fit else f"PROMPT_{len(names) + 1}"
    return names


def _row(recipe: Recipe, one: Asked, name: str | None, before: int) -> str:
    """One branch as a call of the helper, on one line where it fits."""
    title = in_line(one.plan.title)
    options = [f"{key}={code}" for key, code in _options(recipe, one).items()]
    flat = f"branch({', '.join([title, _prompt(one, name, before=-10_000), *options])})"
    if width(flat) + before < 100 and "\n" not in flat:
        return flat
    rows = [title, _prompt(one, name, before=8), *options]
    return "\n".join(["branch(", *(f"        {row}," for row in rows), "    )"])


def _prompt(one: Asked, name: str | None, *, before: int) -> str:
    if one.variables is None:
        return name or literal(one.prompt, indent=8, before=before, after=1)
    if not one.variables:
        return "PROMPT"
    pairs = {key: (f"{key}=", text) for key, text in one.variables.items()}
    flat = ", ".join(key + in_line(text) for key, text in pairs.values())
    if before < 0 or width(flat) + before + len("prompt(),") <= 100:
        return f"prompt({flat})"
    rows = [
        f"            {key}{literal(text, indent=12, before=13 + len(key))},"
        for key, text in pairs.values()
    ]
    return "\n".join(["prompt(", *rows, "        )"])


def _options(recipe: Recipe, one: Asked) -> dict[str, str]:
    """What this branch has of its own."""
    varied = _varied(recipe)
    plan = one.plan
    given = {
        "model": plan.model.model,
        "temperature": plan.temperature,
        "max_tokens": plan.max_tokens,
    }
    return {
        key: _option(said) for key, said in given.items() if key in varied and said != varied[key]
    }


def _varied(recipe: Recipe) -> dict[str, object]:
    """What the branches differ in, with what most of them have."""
    plans = [one.plan for one in recipe.branches if one.plan.messages]
    models = [plan.model.model for plan in plans]
    found: dict[str, object] = {}
    if any(model != recipe.model for model in models):
        found["model"] = recipe.model
    for key in ("temperature", "max_tokens"):
        said = [getattr(plan, key) for plan in plans]
        if len(set(said)) > 1:
            common = max(said, key=said.count)
            found[key] = common if said.count(common) > 1 else EACH
    return found


def _option(said: object) -> str:
    return in_line(said) if isinstance(said, str) else repr(said)


def _helper(recipe: Recipe) -> str:
    """The function that gives each branch what all have."""
    varied = _varied(recipe)
    kinds = {"model": "str", "temperature": "float | None", "max_tokens": "int | None"}
    parameters = ["title: str", "prompt: str"]
    if varied:
        parameters.append("*")
        for key, default in varied.items():
            code = "MODEL" if key == "model" else repr(default)
            usual = "" if default is EACH else f" = {code}"
            parameters.append(f"{key}: {kinds[key]}{usual}")
    head = f"def branch({', '.join(parameters)}) -> Call:"
    if len(head) > 100:
        rows = [f"    {one}," for one in parameters]
        head = "\n".join(["def branch(", *rows, ") -> Call:"])
    said = f'{TAB}"""A call with what all branches have in common."""'
    given = {"title": "title", "prompt": "prompt"}
    if recipe.shared:
        first = "SHARED"
        if recipe.ranks:
            first = "shared(shown(ORDERS[title], TEXTS))"
        given["prompt"] = f'f"{{{first}}}\\n\\n{{prompt}}"'
    given |= {"system": "SYSTEM"} if recipe.system else {}
    first_plan = next((one.plan for one in recipe.branches if one.plan.messages), None)
    for key in kinds:
        common = getattr(first_plan, key) if key != "model" else None
        if key in varied:
            given[key] = key
        elif common is not None:
            given[key] = repr(common)
    if recipe.form is not None:
        given["form"] = "ranking_form(len(TEXTS))" if recipe.ranks else "FORM"
    return "\n".join([head, said, f"{TAB}return {call('Call', given, indent=4, before=11)}"])


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
