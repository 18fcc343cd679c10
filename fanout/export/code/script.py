"""A run as a short Python script that needs nothing of Fanout."""

from __future__ import annotations

from collections.abc import Iterator

from fanout.export.code.asking import prompts, settings
from fanout.export.code.branches import branches
from fanout.export.code.combining import combining, in_form, material
from fanout.export.code.introduction import introduction
from fanout.export.code.literals import TAB
from fanout.export.code.parts import Piece, assembled, part
from fanout.export.code.passages import passages
from fanout.export.code.reading import recipe
from fanout.export.code.recipe import Recipe
from fanout.export.code.source import value
from fanout.snapshot import Snapshot
from fanout.store.values import StoredRun


def python_script(run: StoredRun | Snapshot) -> str:
    """Source of a program that asks and combines as the run did; it needs anyio and openai.

    Its exit status is Fanout's: 0, or 3 where something is missing, or 1 where nothing answered.
    """
    made = recipe(run)
    docstring = introduction(made, needs="anyio openai", graph=False)
    return assembled(docstring, [*calls(made, named=False), part("fan_out"), *_end(made)])


def calls(made: Recipe, *, named: bool) -> Iterator[Piece]:
    """Everything up to one call and its answer."""
    total_s = next((one.plan.deadlines.total_s for one in made.branches), None)
    formed = in_form(made)
    yield settings(made)
    yield part("call_in_form" if formed else "call")
    yield from prompts(made)
    yield from branches(made, named=named)
    yield part("ask", timeout=value(total_s))
    yield part("complete_in_form" if formed else "complete")
    yield part("create")


def ending(made: Recipe) -> Iterator[Piece]:
    """How the answers become one, and the passages that it may be made from."""
    yield from combining(made)
    if made.aggregate is not None and made.aggregate.kind in ("cited", "fused"):
        yield passages(made)


def unanswered(made: Recipe, indent: int) -> str:
    """The lines that end a program without any answer; a search that asks no model is one."""
    if any(not one.plan.messages for one in made.branches):
        return ""
    blank = " " * indent
    return f"{blank}if not any(answer.text for answer in answers):\n{blank}{TAB}return 1"


def _end(made: Recipe) -> Iterator[Piece]:
    yield from ending(made)
    combine = (
        f"{TAB * 2}combined = await combine({material(made)})" if made.aggregate is not None else ""
    )
    body = "\n".join(filter(None, [unanswered(made, 8), combine]))
    everything = "[*answers, combined]" if combine else "answers"
    yield part("main", body=body, all=everything)
