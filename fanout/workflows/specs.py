"""What every kind of workflow is made of: branches, their calls, and how to combine them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from fanout.errors import DefinitionError
from fanout.types import Deadlines
from fanout.workflows.faults import in_words

MAX_BRANCHES = 1000

Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=40)]
Title = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=80)]
Temperature = Annotated[float, Field(ge=0, le=2)]
MaxTokens = Annotated[int, Field(ge=1, le=200_000)]
Seconds = Annotated[float, Field(gt=0, le=86_400)]
Weight = Annotated[float, Field(gt=0, le=1000)]

AggregateKind = Literal[
    "synthesis", "guided", "table", "best", "vote", "scores", "ranking", "cited", "fused",
    "concatenation",
]  # fmt: skip
"""How results become one answer; `fanout.workflows.combining` handles each."""

WRITTEN_BY_A_MODEL = frozenset({"synthesis", "guided", "table", "best", "cited"})


class Spec(BaseModel):
    """Made in code, it raises DefinitionError. What is read as a whole (`model_validate`) keeps
    pydantic's own error, which tells the place of every fault inside it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    if not TYPE_CHECKING:
        # Type checkers know the fields of each kind better than this says them.
        def __init__(self, **fields: object) -> None:
            try:
                super().__init__(**fields)
            except ValidationError as error:
                said = in_words(error)
                raise DefinitionError(f"{_called(type(self), fields)}: {said}") from None

        # Without it pydantic would come through here for what lies inside another one too.
        __init__.__pydantic_base_init__ = True


def _called(kind: type[Spec], fields: Mapping[str, object]) -> str:
    name = fields.get("name", fields.get("id"))
    return f'{kind.__name__} "{name[:40]}"' if isinstance(name, str) else kind.__name__


Fallback = Annotated[tuple[str, ...], Field(max_length=5)]
"""Models that are asked, in this order, where the model itself can't answer: "name", or
"endpoint/name" for another endpoint."""


class CallDefaults(Spec):
    """What a branch does where it says nothing of its own."""

    temperature: Temperature | None = None
    max_tokens: MaxTokens | None = None
    fallback: Fallback = ()


class DeadlineSpec(Spec):
    """Seconds that one attempt may take."""

    first_token_s: Seconds | None = Deadlines().first_token_s
    idle_s: Seconds | None = Deadlines().idle_s
    total_s: Seconds | None = Deadlines().total_s

    def value(self) -> Deadlines:
        return Deadlines(first_token_s=self.first_token_s, idle_s=self.idle_s, total_s=self.total_s)


class BranchSpec(Spec):
    id: Slug
    title: Title
    prompt: str | None = None
    """A template; where it is None the workflow's own prompt serves."""
    variables: dict[str, str] = Field(default_factory=dict)
    model: str = ""
    """Empty: the model chosen for the run. "name", or "endpoint/name" for another endpoint."""
    temperature: Temperature | None = None
    max_tokens: MaxTokens | None = None
    fallback: Fallback | None = None
    """None: as the workflow's defaults say; empty: none."""
    enabled: bool = True
    times: Annotated[int, Field(ge=1, le=MAX_BRANCHES)] = 1
    """Asked so many times, as so many branches: self-consistency, several judges."""
    weight: Weight = 1.0
    """What its vote counts where votes are weighted."""
    queries: Literal["whole", "lines"] = "whole"
    """Research only: the rewriting is one query, or each of its lines is one."""

    def copies(self) -> tuple[BranchSpec, ...]:
        """One spec per call, numbered where there are several."""
        if self.times == 1:
            return (self,)
        return tuple(
            self.model_copy(
                update={"id": f"{self.id}-{n}", "title": f"{self.title} {n}", "times": 1}
            )
            for n in range(1, self.times + 1)
        )


class AggregateSpec(Spec):
    """How results become one answer."""

    kind: AggregateKind = "synthesis"
    title: Title = "Synthesis"
    prompt: str = "{results}"
    """The combining prompt; for a concatenation, the text itself."""
    result: str = "{title}:\n{text}"
    """How one branch's result is written; joined by blank lines they make {results}."""
    model: str = ""
    temperature: Temperature | None = None
    max_tokens: MaxTokens | None = None
    fallback: Fallback | None = None
    """None: as the workflow's defaults say; empty: none."""
    points: tuple[str, ...] = ()
    """Guided only: the points that were ticked; none: all that the model proposes."""
    criteria: tuple[str, ...] = ()
    """Table and best: what to compare by; none: the model chooses."""
    judges: Annotated[int, Field(ge=1, le=15)] = 3
    """Best only: how many judge, where the branches' own models don't."""


class VoteSpec(Spec):
    """How votes are counted, chosen before the run."""

    rule: Literal["plurality", "majority", "unanimity", "any_block", "k_of_n", "weighted"] = (
        "plurality"
    )
    k: Annotated[int, Field(ge=1, le=MAX_BRANCHES)] | None = None
    """Votes needed by k_of_n."""
    early_stop: Literal["never", "decided", "likely"] = "decided"
    """When the votes that are still out are called off: never; when they can't change the outcome
    any more; or when it is decided with 95 %."""


class CriterionSpec(Spec):
    """One line of a rubric."""

    id: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$", max_length=40)]
    title: Title
    question: Annotated[str, StringConstraints(max_length=400)] = ""
    weight: Weight = 1.0


class ScaleSpec(Spec):
    low: int = 1
    high: int = 5
