"""Guided synthesis: the model proposes points, a person ticks them, then it is written."""

from __future__ import annotations

from collections.abc import Sequence

from fanout.kernel.context import RunContext
from fanout.structured.reading import read
from fanout.types import Form
from fanout.workflows.combining.defaults import PROMPTS
from fanout.workflows.combining.material import Material, begin, quoted_results
from fanout.workflows.quoting import quoted
from fanout.workflows.specs import AggregateSpec

MOST_POINTS = 9
POINTS = Form(
    name="checklist",
    schema={
        "type": "object",
        "properties": {
            "points": {
                "type": "array",
                "items": {"type": "string", "maxLength": 120},
                "minItems": 3,
                "maxItems": MOST_POINTS,
            }
        },
        "required": ["points"],
    },
)


async def guided(spec: AggregateSpec, material: Material, context: RunContext) -> None:
    """Write about the ticked points; where none were given, about all that the model proposes."""
    answers = quoted_results(spec, material)
    propose = material.call(
        spec,
        f"{answers}\n\nThese are several answers about: {material.topic}\n"
        "List the points that one combined answer should cover, each in a few words.",
        name="points",
        title="Points",
        form=POINTS,
    )
    points = listed(spec.points)
    if not points:
        plan = material.call(spec, _writing(spec, material, answers, ""))
        begin(spec, material, context, plan, before=(propose,))
        proposed = await context.ask(propose)
        points = _as_proposed(proposed_points(proposed.text), material.marker)
    plan = material.call(spec, _writing(spec, material, answers, points))
    begin(spec, material, context, plan)
    await context.ask(plan)


def proposed_points(text: str) -> tuple[str, ...]:
    """The checklist in a proposal's raw text; empty where it holds none."""
    value = read(POINTS, text).value
    listed = value["points"] if value else ()
    found = [str(one).strip() for one in listed] if isinstance(listed, list | tuple) else []
    return tuple(dict.fromkeys(one for one in found if one))[:MOST_POINTS]


def listed(points: Sequence[str]) -> str:
    """The points as the prompt names them."""
    return "\n".join(f"- {point}" for point in points)


def _as_proposed(points: tuple[str, ...], marker: str) -> str:
    """Nobody has looked at them: a text may have put an order among them."""
    lines = listed([" ".join(point.split()) for point in points])
    return quoted(lines, marker) if points else ""


def _writing(spec: AggregateSpec, material: Material, answers: str, points: str) -> str:
    prompt = spec.prompt if "{points}" in spec.prompt else PROMPTS["guided"]
    points = points or "- what matters most in each answer"
    return material.filled(prompt, answers, points)
