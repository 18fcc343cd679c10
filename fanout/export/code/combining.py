"""The second half of a program: one answer out of the branches' answers, in the run's own way."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import assert_never

from fanout.export.code.counting import counted
from fanout.export.code.forms import form_source
from fanout.export.code.literals import TAB, Slot, Text, filled, in_line, literal, stripped
from fanout.export.code.parts import Piece, part
from fanout.export.code.passages import brought, found
from fanout.export.code.recipe import TOPIC, Recipe
from fanout.export.code.source import call, value
from fanout.structured import schema as says
from fanout.workflows.combining.defaults import PROMPTS, prompt_of
from fanout.workflows.combining.guided import MOST_POINTS, POINTS
from fanout.workflows.combining.table import MOST_ROWS
from fanout.workflows.specs import AggregateSpec

_TEXTS: Text = (Slot(code="texts"),)
_POINTS: Text = (Slot(code="points"),)
_FIELD = "**{title}** {said[name]}"


def combining(recipe: Recipe) -> Iterator[Piece]:
    """The function `combine` and what it needs; nothing where nothing is combined."""
    spec = recipe.aggregate
    if spec is None:
        return
    if reads_searches(recipe):
        yield brought(recipe)
        yield part("searched")
    match spec.kind:
        case "synthesis":
            yield from _material(recipe, spec, spec.prompt)
            yield part("synthesis", call=_call(recipe, spec))
        case "concatenation":
            yield from _material(recipe, spec, spec.prompt)
            yield part("concatenation", title=in_line(spec.title))
            yield part("settled")
        case "guided":
            yield from _guided(recipe, spec)
        case "table":
            yield from _table(recipe, spec)
        case "best":
            yield from _best(recipe, spec)
        case "vote" | "scores" | "ranking":
            yield from counted(recipe, spec.title)
        case "cited":
            yield found(recipe)
            yield part("fused")
            yield _prompt_function(recipe, prompt_of(spec))
            yield part("cited", title=in_line(spec.title), call=_call(recipe, spec))
            yield part("settled")
        case "fused":
            yield found(recipe)
            yield part("fused")
            yield part("passages", title=in_line(spec.title))
            yield part("settled")
        case _:
            assert_never(spec.kind)


def material(recipe: Recipe) -> str:
    """What `combine` is called with."""
    return "searched(answers)" if reads_searches(recipe) else "answers"


def reads_searches(recipe: Recipe) -> bool:
    """Whether it combines what the searches wrote, and not the passages themselves."""
    spec = recipe.aggregate
    by_passages = spec is not None and spec.kind in ("cited", "fused")
    return recipe.snapshot.kind == "research" and not by_passages


def in_form(recipe: Recipe) -> bool:
    """Whether any call of the program asks for an answer in a form."""
    spec = recipe.aggregate
    if recipe.form is not None or spec is None:
        return recipe.form is not None
    return spec.kind in ("table", "best") or (spec.kind == "guided" and not spec.points)


def _material(
    recipe: Recipe, spec: AggregateSpec, prompt: str, points: str = ""
) -> Iterator[Piece]:
    """What the combining prompt is made of."""
    blank_ends = spec.result != spec.result.strip()
    yield _prompt_function(recipe, prompt, points=(points,), blank_ends=blank_ends)
    yield from _results(recipe, spec)


def _results(recipe: Recipe, spec: AggregateSpec) -> Iterator[Piece]:
    formed = recipe.form is not None and not recipe.ranks
    said = "readable(one.text)" if formed else "one.text.strip()"
    if spec.kind != "concatenation":
        said = f"quoted({said.removesuffix('.strip()')})"
    values: Mapping[str, Text] = {
        **recipe.variables,
        "title": (Slot(code="one.call.title"),),
        "text": (Slot(code=said),),
    }
    result = filled(spec.result, values)
    written = in_line(result)
    if len(written) > 88:
        written = literal(result, indent=4, before=11)
    yield Piece(source=f"def result(one: Answer) -> str:\n{TAB}return {written}")
    yield part("results" if spec.kind == "concatenation" else "quoted_results")
    if recipe.form is not None and formed:
        kinds = [says.kind(each) for each in says.properties(recipe.form.schema).values()]
        scores = kinds.count("integer") > 1
        row, joint = ("- {title} **{said[name]}**", "\\n") if scores else (_FIELD, " · ")
        yield part("readable", row=row, joint=joint)
        yield part("fields")


def _prompt_function(
    recipe: Recipe,
    prompt: str,
    *,
    points: Text = (),
    given: bool = False,
    blank_ends: bool = False,
) -> Piece:
    """The combining prompt; `given` lets the program say its points."""
    values: Mapping[str, Text] = {
        **recipe.variables,
        "topic": TOPIC,
        "results": _TEXTS,
        "points": _POINTS if given else points,
    }
    text = stripped(filled(prompt, values))
    strip = ".strip()" if blank_ends and _TEXTS[0] in (*text[:1], *text[-1:]) else ""
    parameters = "texts: str, points: str" if given else "texts: str"
    body = literal(text, indent=4, before=11, after=len(strip))
    return Piece(source=f"def combining_prompt({parameters}) -> str:\n{TAB}return {body}{strip}")


def _call(recipe: Recipe, spec: AggregateSpec, **changes: str) -> str:
    """The combining call, assigned to `call` in a function."""
    indent = 8 if spec.kind == "best" else 4
    given = {"title": in_line(spec.title), "prompt": "prompt"}
    if recipe.aggregate_model != recipe.model:
        given["model"] = in_line(recipe.aggregate_model)
    if spec.temperature is not None:
        given["temperature"] = value(spec.temperature)
    if spec.max_tokens is not None:
        given["max_tokens"] = value(spec.max_tokens)
    made = call("Call", {**given, **changes}, indent=indent, before=indent + 7)
    return f"{' ' * indent}call = {made}"


def _guided(recipe: Recipe, spec: AggregateSpec) -> Iterator[Piece]:
    prompt = spec.prompt if "{points}" in spec.prompt else PROMPTS["guided"]
    if spec.points:
        points = "\n".join(f"- {point}" for point in spec.points)
        yield from _material(recipe, spec, prompt, points)
        yield part("synthesis", call=_call(recipe, spec))
        return
    yield Piece(source=f"POINTS = {form_source(POINTS)}")
    yield _prompt_function(
        recipe, prompt, given=True, blank_ends=spec.result != spec.result.strip()
    )
    yield from _results(recipe, spec)
    propose = _call(recipe, spec, title='"Points"', form="POINTS")
    yield part("guided", propose=propose, call=_call(recipe, spec), most=str(MOST_POINTS))
    yield part("fields")


def _table(recipe: Recipe, spec: AggregateSpec) -> Iterator[Piece]:
    criteria = {f"criterion_{n}": one for n, one in enumerate(dict.fromkeys(spec.criteria), 1)}
    named = ", ".join(f"{one} ({key})" for key, one in criteria.items())
    yield from _material(recipe, spec, prompt_of(spec), named or "the criteria that matter most")
    *first, last = (f'"{key}"' for key in criteria or ("rows",))
    names = " and ".join(filter(None, [", ".join(first), last]))
    words = f"Answer as a JSON object with {names}, in this order."
    drawn = _call(recipe, spec, form="comparison(titles)")
    if criteria:
        yield Piece(source=f"CRITERIA = {value(criteria, before=11)}")
    yield part("table", call=drawn)
    yield part("table_of_criteria" if criteria else "table_of_rows", most=str(MOST_ROWS))
    yield part("comparison", in_json=value(words, indent=8, before=16, after=1))
    if recipe.form is None:
        yield part("fields")


def _best(recipe: Recipe, spec: AggregateSpec) -> Iterator[Piece]:
    models = [one.plan.model for one in recipe.branches]
    each_other = len(set(models)) == len(models) > 2 and not spec.model
    model = "MODEL" if recipe.aggregate_model == recipe.model else in_line(recipe.aggregate_model)
    usual = f'[({model}, "")] * {spec.judges}'
    yield Piece(source=f"RUN = {in_line(recipe.snapshot.run_id)}")
    yield _prompt_function(recipe, prompt_of(spec), points=(", ".join(spec.criteria),))
    made = _call(
        recipe, spec, title='f"Judge {number}"', model="model", form="ranking_form(len(order))"
    )
    title = in_line(spec.title)
    yield part("best", title=title, judges="authors(answers)" if each_other else usual, call=made)
    if each_other:
        yield part("authors", usual=usual)
    if not recipe.ranks:
        yield part("ranked")
    if not recipe.ranks or recipe.frozen:
        yield part("shuffled")
    yield part("borda")
    yield part("settled")
    yield part("fields")
