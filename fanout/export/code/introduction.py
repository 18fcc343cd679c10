"""What a program says of itself on top: what it is, where it comes from, how it is run."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from textwrap import fill

from fanout.export.code.recipe import Recipe
from fanout.voting.plans import Poll

_MOST_CHARS = 80
_WIDTH = 98


def introduction(recipe: Recipe, *, needs: str, graph: bool) -> str:
    """The docstring, quotation marks included."""
    snapshot = recipe.snapshot
    paragraphs = [_claim(recipe, graph=graph)]
    kept = "the same prompts, models and parameters"
    paragraphs.append(
        f"Written by Fanout from its run {_plain(snapshot.run_id)} of {_day(snapshot.started_at)}: "
        f"{kept}. " + _about_topic(recipe)
    )
    paragraphs += _notes(recipe)
    commands = (
        f"    pip install {needs}\n    OPENAI_API_KEY=... python {file_name(recipe, graph=graph)}"
    )
    status = (
        "OPENAI_BASE_URL names another endpoint than OpenAI's. The exit status is 0, or 3 where "
        "something is missing from the answer, or 1 where there is none."
    )
    blocks = [*(fill(one, _WIDTH, break_long_words=False) for one in paragraphs), commands]
    blocks.append(fill(status, _WIDTH))
    return '"""' + "\n\n".join(blocks) + '\n"""'


def file_name(recipe: Recipe, *, graph: bool) -> str:
    """What the file may be called."""
    words = re.findall(r"[a-z0-9]+", recipe.snapshot.workflow.lower())[:6]
    stem = "_".join(words) or "run"
    return f"{stem}_graph.py" if graph else f"{stem}.py"


def _claim(recipe: Recipe, *, graph: bool) -> str:
    count = len(recipe.branches)
    branches = "one branch" if count == 1 else f"{count} branches at once"
    then = "" if recipe.aggregate is None else ", then one answer out of theirs"
    way = " as a LangGraph program" if graph else ""
    return f"{_plain(recipe.snapshot.title)}{way}: {branches}{then}."


def _about_topic(recipe: Recipe) -> str:
    if not recipe.frozen:
        return "Change TOPIC and it asks about that instead."
    return (
        "The workflow was not kept with that run, so the prompts stand here as they were sent, "
        "its topic inside them, and what combines them is Fanout's usual way of doing so."
    )


def _notes(recipe: Recipe) -> list[str]:
    notes = []
    endpoints = {one.plan.model.endpoint for one in recipe.branches}
    if len(endpoints) > 1:
        notes.append(
            f"The run asked {len(endpoints)} endpoints; this program asks one for all models."
        )
    if isinstance(recipe.vote, Poll) and recipe.vote.early_stop != "never":
        notes.append(
            "All votes are waited for; Fanout calls off those that can't change the outcome."
        )
    if recipe.snapshot.kind == "research":
        notes.append(
            "Fanout's library can't be searched from here, so it answers from the passages that "
            "the run found for its own topic."
        )
    return notes


def _plain(text: str) -> str:
    """Fit for a docstring: nothing in it ends or escapes anything."""
    words = " ".join(text.split())[:_MOST_CHARS]
    return "".join(
        one if one.isprintable() and one not in '\\"' else "'" if one == '"' else "?"
        for one in words
    )


def _day(started_at: float) -> str:
    try:
        return datetime.fromtimestamp(started_at, UTC).date().isoformat()
    except (ValueError, OverflowError, OSError):
        return "an unknown day"
