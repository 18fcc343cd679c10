"""A workflow as data: what its branches are and how their results are combined.

Text from outside (TOML files, forms, imports) becomes one of these frozen models or a
DefinitionError; behind this line nobody checks again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Literal, Self, TypeAlias

from pydantic import Field, StringConstraints, model_validator

from fanout.errors import DefinitionError
from fanout.types import AGGREGATE
from fanout.workflows.policy_specs import PolicySpec
from fanout.workflows.specs import (
    MAX_BRANCHES,
    AggregateSpec,
    BranchSpec,
    CallDefaults,
    CriterionSpec,
    DeadlineSpec,
    ScaleSpec,
    Slug,
    Spec,
    Temperature,
    Title,
    VoteSpec,
)
from fanout.workflows.templates import check
from fanout.workflows.variables import Variables, check_variables, replaced


class WorkflowBase(Spec):
    """What every kind has."""

    name: Slug
    title: Title
    promise: Annotated[str, StringConstraints(max_length=200)] = ""
    examples: tuple[str, ...] = ()
    topic_hint: str = ""
    system: str = ""
    shared: str = ""
    """Text that all branches share; it comes first in the prompt, so that prefix caches work."""
    prompt: str = ""
    variables: Variables = Field(default_factory=dict)
    """Default texts for {name} in every template; a branch's own variables win."""
    defaults: CallDefaults = CallDefaults()
    deadlines: DeadlineSpec = DeadlineSpec()
    policies: PolicySpec = PolicySpec()
    branches: Annotated[tuple[BranchSpec, ...], Field(min_length=1, max_length=MAX_BRANCHES)]
    aggregate: AggregateSpec | None = None

    def fallback_of(self, own: tuple[str, ...] | None) -> tuple[str, ...]:
        """The models to fall back to, of a branch or an aggregate that names its own or none."""
        return self.defaults.fallback if own is None else own

    @property
    def active(self) -> tuple[BranchSpec, ...]:
        """One spec per branch that will run: switched on, and as often as it is to be asked."""
        return tuple(one for branch in self.branches if branch.enabled for one in branch.copies())

    def prompt_of(self, branch: BranchSpec) -> str:
        return self.prompt if branch.prompt is None else branch.prompt

    def with_variables(self, values: Mapping[str, str]) -> Self:
        """The same workflow with these texts for its variables, in a person's own words.

        Names that it doesn't have are ignored; a blank text leaves the default.
        """
        if not self.variables:
            return self
        return self.model_copy(update={"variables": replaced(self.variables, values)})

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        check_variables(self.variables)
        if not self.active:
            raise DefinitionError("every branch is switched off; switch one on to run")
        if len(self.active) > MAX_BRANCHES:
            raise DefinitionError(
                f"it would run {len(self.active)} branches; {MAX_BRANCHES} is the most, "
                "so lower a branch's times"
            )
        every = [one for branch in self.branches for one in branch.copies()]
        _unique("id", [branch.id for branch in every])
        _unique("title", [branch.title for branch in every])
        for branch in every:
            if branch.id == AGGREGATE or branch.id.startswith(f"{AGGREGATE}-"):
                raise DefinitionError(
                    f'no branch may have the id "{branch.id}"; choose one without "{AGGREGATE}"'
                )
        check(self.system, {"topic", "content", *self.variables}, "system")
        check(self.shared, {"topic", "content", *self.variables}, "shared")
        for branch in self.branches:
            self._check_branch(branch)
        if self.aggregate is not None:
            check_templates(self.aggregate, "aggregate.", self.variables)
        return self

    def _check_branch(self, branch: BranchSpec) -> None:
        where = f'branch "{branch.id}"'
        prompt = self.prompt_of(branch)
        if not prompt.strip():
            raise DefinitionError(f"{where} has no prompt, and the workflow has none for all")
        check(prompt, self._given(branch), f"{where}: prompt")

    def _given(self, branch: BranchSpec) -> Iterable[str]:
        return {"topic", "content", "title", *self.variables, *branch.variables}


class Sectioning(WorkflowBase):
    """Independent subtasks of one topic, run at once, then combined."""

    kind: Literal["sectioning"] = "sectioning"


class Models(WorkflowBase):
    """One prompt to several models; where none are named, to the run's model at several
    temperatures."""

    kind: Literal["models"] = "models"
    branches: Annotated[tuple[BranchSpec, ...], Field(max_length=MAX_BRANCHES)] = ()
    models: Annotated[tuple[str, ...], Field(max_length=MAX_BRANCHES)] = ()
    """ "name", or "endpoint/name"; "" is the run's own."""
    temperatures: Annotated[tuple[Temperature, ...], Field(min_length=1, max_length=10)] = (
        0.1,
        0.7,
        1.1,
    )

    @property
    def active(self) -> tuple[BranchSpec, ...]:
        own = tuple(one for branch in self.branches if branch.enabled for one in branch.copies())
        if own:
            return own
        if self.models:
            return tuple(
                BranchSpec(id=f"model-{i}", title=title, model=name)
                for i, (name, title) in enumerate(
                    zip(self.models, _titles(self.models), strict=True), 1
                )
            )
        return tuple(
            BranchSpec(id=f"model-{i}", title=f"Temperature {value:g}", temperature=value)
            for i, value in enumerate(dict.fromkeys(self.temperatures), 1)
        )

    @model_validator(mode="after")
    def _has_prompt(self) -> Self:
        if not self.prompt.strip() and any(branch.prompt is None for branch in self.active):
            raise DefinitionError("prompt is missing: it is what every model is asked")
        check(self.prompt, {"topic", "content", "title", *self.variables}, "prompt")
        return self


class Moderation(WorkflowBase):
    """Several moderators judge one content; a rule chosen beforehand makes the verdict."""

    kind: Literal["moderation"] = "moderation"
    categories: Annotated[tuple[Slug, ...], Field(min_length=1, max_length=30)] = (
        "none", "harassment", "hate", "violence", "sexual", "self-harm", "spam", "privacy", "other",
    )  # fmt: skip
    vote: VoteSpec = VoteSpec(rule="majority")

    @model_validator(mode="after")
    def _countable(self) -> Self:
        _check_vote(self.vote, len(self.active))
        return self


class Judges(WorkflowBase):
    """A rubric scored by several judges; several texts, parted by a line of ---, are ranked."""

    kind: Literal["judges"] = "judges"
    rubric: Annotated[tuple[CriterionSpec, ...], Field(min_length=1, max_length=12)]
    scale: ScaleSpec = ScaleSpec()

    def _given(self, branch: BranchSpec) -> Iterable[str]:
        return {*super()._given(branch), "rubric", "task"}

    @model_validator(mode="after")
    def _fair(self) -> Self:
        _unique("criterion id", [criterion.id for criterion in self.rubric])
        reserved = {"reason", "ranking"} & {criterion.id for criterion in self.rubric}
        if reserved:
            raise DefinitionError(f'a criterion can\'t be called "{reserved.pop()}"; rename it')
        if not 0 <= self.scale.low < self.scale.high <= 100:
            raise DefinitionError("scale: low must be below high, both from 0 to 100")
        return self


class Reasoning(WorkflowBase):
    """Several ways of thinking about one question; their final answers are counted.

    Source: self-consistency, Wang et al. 2022, arXiv 2203.11171.
    """

    kind: Literal["reasoning"] = "reasoning"
    vote: VoteSpec = VoteSpec(rule="plurality")

    @model_validator(mode="after")
    def _countable(self) -> Self:
        if self.vote.rule in ("unanimity", "any_block"):
            raise DefinitionError(
                f'vote.rule "{self.vote.rule}" needs a verdict that is safe; free answers have '
                "none, so use plurality, majority, k_of_n or weighted"
            )
        _check_vote(self.vote, len(self.active))
        return self


class Research(WorkflowBase):
    """Several search strategies over the user's documents, fused, then answered with citations.

    A branch without a prompt searches for the question as it was asked. Source of the fusion:
    Cormack, Clarke and Büttcher 2009, reciprocal rank fusion.
    """

    kind: Literal["research"] = "research"
    documents: tuple[str, ...] = ()
    """Document ids to search in; none: all."""
    found: Annotated[int, Field(ge=1, le=50)] = 8
    """Passages that each strategy brings."""
    cited: Annotated[int, Field(ge=1, le=30)] = 6
    """Passages of the fused list that the answer is written from."""
    rrf_k: Annotated[int, Field(ge=1, le=1000)] = 60

    def _check_branch(self, branch: BranchSpec) -> None:
        check(self.prompt_of(branch), self._given(branch), f'branch "{branch.id}": prompt')


Workflow: TypeAlias = Sectioning | Models | Moderation | Judges | Reasoning | Research
"""Every kind of workflow; a new kind joins this union and `fanout.workflows.run` must handle it."""


def check_templates(spec: AggregateSpec, where: str = "", variables: Iterable[str] = ()) -> None:
    """DefinitionError if the spec's templates use a variable that nothing fills in.

    `variables` are the workflow's own.
    """
    own = frozenset(variables)
    check(spec.prompt, {"topic", "results", "points", *own}, f"{where}prompt")
    check(spec.result, {"title", "text", *own}, f"{where}result")


def with_max_tokens(workflow: Workflow, max_tokens: int) -> Workflow:
    """The same workflow with one length limit for every call."""
    limit = {"max_tokens": max_tokens}
    changes: dict[str, object] = {
        "branches": tuple(branch.model_copy(update=limit) for branch in workflow.branches),
        "defaults": workflow.defaults.model_copy(update=limit),
    }
    if workflow.aggregate is not None:
        changes["aggregate"] = workflow.aggregate.model_copy(update=limit)
    return workflow.model_copy(update=changes)


def _check_vote(vote: VoteSpec, voters: int) -> None:
    if vote.rule == "k_of_n" and vote.k is None:
        raise DefinitionError("vote.k is missing: the rule k_of_n needs to know how many")
    if vote.k is not None and vote.k > voters:
        raise DefinitionError(f"vote.k is {vote.k}, but only {voters} will vote")


def _unique(what: str, values: list[str]) -> None:
    twice = sorted({value for value in values if values.count(value) > 1})
    if twice:
        raise DefinitionError(
            f'two branches have the {what} "{twice[0]}"; each {what} may stand once'
        )


def _titles(models: tuple[str, ...]) -> tuple[str, ...]:
    """Short, and none twice: a model that is named twice is numbered."""
    short = [(name.split("/")[-1] or "The run's model")[:70] for name in models]
    return tuple(
        f"{name} ({short[: i + 1].count(name)})" if short.count(name) > 1 else name
        for i, name in enumerate(short)
    )
