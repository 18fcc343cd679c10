"""A workflow as data: what its branches are and how their results are combined.

Text from outside (TOML files, forms, imports) becomes one of these frozen models or a
DefinitionError; behind this line nobody checks again.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal, Self, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from fanout.errors import DefinitionError
from fanout.types import AGGREGATE, Deadlines
from fanout.workflows.templates import check

MAX_BRANCHES = 50

Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=40)]
Title = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=80)]
Temperature = Annotated[float, Field(ge=0, le=2)]
MaxTokens = Annotated[int, Field(ge=1, le=200_000)]
Seconds = Annotated[float, Field(gt=0, le=86_400)]


class _Spec(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class CallDefaults(_Spec):
    """What a branch does where it says nothing of its own."""

    temperature: Temperature | None = None
    max_tokens: MaxTokens | None = None


class DeadlineSpec(_Spec):
    """Seconds that one attempt may take."""

    first_token_s: Seconds | None = Deadlines().first_token_s
    idle_s: Seconds | None = Deadlines().idle_s
    total_s: Seconds | None = Deadlines().total_s

    def value(self) -> Deadlines:
        return Deadlines(first_token_s=self.first_token_s, idle_s=self.idle_s, total_s=self.total_s)


class BranchSpec(_Spec):
    id: Slug
    title: Title
    prompt: str | None = None
    """A template; where it is None the workflow's own prompt serves."""
    variables: dict[str, str] = Field(default_factory=dict)
    model: str = ""
    """Empty: the model chosen for the run. "name", or "endpoint/name" for another endpoint."""
    temperature: Temperature | None = None
    max_tokens: MaxTokens | None = None
    enabled: bool = True


class AggregateSpec(_Spec):
    """How results become one answer."""

    kind: Literal["synthesis", "concatenation"] = "synthesis"
    title: Title = "Synthesis"
    prompt: str = "{results}"
    """The combining prompt; for a concatenation, the text itself."""
    result: str = "{title}:\n{text}"
    """How one branch's result is written; joined by blank lines they make {results}."""
    model: str = ""
    temperature: Temperature | None = None
    max_tokens: MaxTokens | None = None


class Sectioning(_Spec):
    """Independent subtasks of one topic, run at once, then combined."""

    kind: Literal["sectioning"] = "sectioning"
    name: Slug
    title: Title
    promise: Annotated[str, StringConstraints(max_length=200)] = ""
    examples: tuple[str, ...] = ()
    topic_hint: str = ""
    system: str = ""
    shared: str = ""
    """Text that all branches share; it comes first in the prompt, so that prefix caches work."""
    prompt: str = ""
    defaults: CallDefaults = CallDefaults()
    deadlines: DeadlineSpec = DeadlineSpec()
    branches: Annotated[tuple[BranchSpec, ...], Field(min_length=1, max_length=MAX_BRANCHES)]
    aggregate: AggregateSpec | None = None

    @property
    def active(self) -> tuple[BranchSpec, ...]:
        """The branches that are switched on."""
        return tuple(branch for branch in self.branches if branch.enabled)

    def prompt_of(self, branch: BranchSpec) -> str:
        return self.prompt if branch.prompt is None else branch.prompt

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        _unique("id", [branch.id for branch in self.branches])
        _unique("title", [branch.title for branch in self.branches])
        if AGGREGATE in {branch.id for branch in self.branches}:
            raise DefinitionError(f'no branch may have the id "{AGGREGATE}"; choose another')
        if not self.active:
            raise DefinitionError("every branch is switched off; switch one on to run")
        for branch in self.branches:
            self._check_branch(branch)
        if self.aggregate is not None:
            check(self.aggregate.prompt, {"topic", "results"}, "aggregate.prompt")
            check(self.aggregate.result, {"title", "text"}, "aggregate.result")
        return self

    def _check_branch(self, branch: BranchSpec) -> None:
        given = {"topic", "title", *branch.variables}
        where = f'branch "{branch.id}"'
        prompt = self.prompt_of(branch)
        if not prompt.strip():
            raise DefinitionError(f"{where} has no prompt, and the workflow has none for all")
        check(self.system, {"topic"}, "system")
        check(self.shared, {"topic"}, "shared")
        check(prompt, given, f"{where}: prompt")


Workflow: TypeAlias = Sectioning
"""Every kind of workflow; a new kind joins this union and `fanout.workflows.run` must handle it."""


def parse(data: Mapping[str, object], *, name: str, source: str = "") -> Workflow:
    """A checked workflow from plain data; DefinitionError names its source and each bad field."""
    source = source or name
    kind = data.get("kind", "sectioning")
    if kind != "sectioning":
        raise DefinitionError(f'{source}: there is no workflow kind "{kind}"; use "sectioning".')
    try:
        return Sectioning.model_validate({**data, "name": name})
    except DefinitionError as error:
        raise DefinitionError(f"{source}: {error}") from None
    except ValueError as error:
        raise DefinitionError(f"{source}: {_in_words(error)}") from None


def with_max_tokens(workflow: Workflow, max_tokens: int) -> Workflow:
    """The same workflow with one length limit for every call."""
    limit = {"max_tokens": max_tokens}
    changes: dict[str, object] = {
        "branches": tuple(branch.model_copy(update=limit) for branch in workflow.branches),
    }
    if workflow.aggregate is not None:
        changes["aggregate"] = workflow.aggregate.model_copy(update=limit)
    return workflow.model_copy(update=changes)


def _unique(what: str, values: list[str]) -> None:
    twice = sorted({value for value in values if values.count(value) > 1})
    if twice:
        raise DefinitionError(
            f'two branches have the {what} "{twice[0]}"; each {what} may stand once'
        )


def _in_words(error: ValueError) -> str:
    details = getattr(error, "errors", None)
    if details is None:
        return str(error)
    return "; ".join(
        f"{_field(item['loc'])} {_COMPLAINTS.get(item['type'], item['msg'].lower())}"
        for item in details(include_url=False, include_input=False)
    )


_COMPLAINTS = {
    "extra_forbidden": "is not a known field",
    "missing": "is missing",
    "string_too_short": "is empty",
    "too_short": "needs at least one entry",
    "too_long": f"has more than {MAX_BRANCHES} entries",
    "string_pattern_mismatch": "may hold small letters, digits and single hyphens only",
    "string_too_long": "is too long",
    "string_type": "should be text",
}
"""pydantic's types of error as a person says them; others keep pydantic's words."""


def _field(path: tuple[str | int, ...]) -> str:
    """A place in a file, counted as people count: "branch 2: title"."""
    words = ""
    for part in path:
        if isinstance(part, int):
            words = f"{words.removesuffix('es')} {part + 1}"
        else:
            words = f"{words}: {part}" if words else part
    return words or "the file"
