"""The variables of a workflow: names with a default text, that all its templates may use.

A batch fills them from the columns of its rows. What a person wrote goes in as their own words, as
the topic does, and a branch's own variable of the same name wins.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field

from fanout.errors import DefinitionError
from fanout.workflows.topic import clean_words

MOST_VARIABLES = 100
LONGEST_NAME = 40
TAKEN = frozenset({"topic", "content", "title", "results", "points", "text", "rubric", "task"})
"""What Fanout fills in itself, in one template or another."""

Variables = Annotated[dict[str, str], Field(max_length=MOST_VARIABLES)]
"""Name to default text."""


def check_variables(variables: Mapping[str, str]) -> None:
    """DefinitionError for a name that no template could use, or that means something else."""
    for name in variables:
        if not name.isidentifier() or len(name) > LONGEST_NAME:
            raise DefinitionError(
                f'variables: "{name[:LONGEST_NAME]}" can\'t be a name; use letters, digits and _, '
                f"no digit first, at most {LONGEST_NAME}"
            )
        if name in TAKEN:
            raise DefinitionError(
                f'variables: "{name}" is filled in by Fanout itself; choose another name'
            )


def replaced(variables: Mapping[str, str], values: Mapping[str, str]) -> dict[str, str]:
    """The variables with those values that are theirs. A blank one leaves the default."""
    given = {name: clean_words(values[name]) for name in variables if name in values}
    return {**variables, **{name: text for name, text in given.items() if text}}
