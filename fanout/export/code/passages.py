"""The passages that a run's searches found, as data for a program that can't search."""

from __future__ import annotations

from fanout.export.code.literals import TAB, in_line, literal
from fanout.export.code.parts import Piece
from fanout.export.code.recipe import Recipe
from fanout.export.code.source import value
from fanout.workflows.definition import Research
from fanout.workflows.research import found_words

_CITED = 6
_K = 60
_FOUND = "FOUND: dict[str, list[str]]"


def found(recipe: Recipe) -> Piece:
    """K, CITED and FOUND: which strategy found which passages, best first."""
    workflow = recipe.workflow
    k, cited = _K, _CITED
    if isinstance(workflow, Research):
        k, cited = workflow.rrf_k, workflow.cited
    hits = {
        branch.title: [hit.passage.id for hit in branch.hits] for branch in recipe.snapshot.branches
    }
    return Piece(
        source=f"K, CITED = {k}, {cited}\n{_FOUND} = {value(hits, before=len(_FOUND) + 3)}"
    )


def brought(recipe: Recipe) -> Piece:
    """BROUGHT: what each search of the run wrote down."""
    words = {
        branch.title: found_words(branch.queries, branch.hits, rewritten=bool(branch.plan.messages))
        for branch in recipe.snapshot.branches
        if branch.queries
    }
    return Piece(source=f"BROUGHT: dict[str, str] = {value(words, before=26)}")


def passages(recipe: Recipe) -> Piece:
    """PASSAGES: all that were found, by their ids. Long, so it stands at the program's end."""
    known = {
        hit.passage.id: hit.passage for branch in recipe.snapshot.branches for hit in branch.hits
    }
    rows: list[str] = []
    for name, one in known.items():
        rows += [
            f"{TAB}{in_line(name)}: Passage(",
            f"{TAB * 2}{literal(one.title, indent=8, before=8, after=1)},",
            f"{TAB * 2}{literal(one.text, indent=8, before=8, after=1)},",
            f"{TAB}),",
        ]
    if not rows:
        return Piece(source="PASSAGES: dict[str, Passage] = {}")
    return Piece(source="\n".join(["PASSAGES = {", *rows, "}"]))
