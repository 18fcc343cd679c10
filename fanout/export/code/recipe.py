"""What a run was made of, read back from its record: enough to write it down as a program.

The workflow's own definition is kept with a run, so that prompts are templates again and take
another topic. A run without one, or with one that no longer reads, gives its prompts as they were
sent.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from keyword import iskeyword

from fanout.errors import FanoutError
from fanout.export.code.literals import Slot, Text, filled, names_in, stripped
from fanout.snapshot import Snapshot
from fanout.store.values import StoredRun
from fanout.types import BranchPlan, Form
from fanout.voting.plans import Comparison, VotePlan
from fanout.workflows.combining.defaults import default_spec
from fanout.workflows.definition import Judges, Workflow
from fanout.workflows.judges import rubric_words, score_task
from fanout.workflows.parsing import parse
from fanout.workflows.specs import AggregateKind, AggregateSpec

TOPIC: Text = (Slot(code="TOPIC"),)
FENCED_TOPIC: Text = (Slot(code="fenced(TOPIC)"),)
CONTENT: Text = (Slot(code="content"),)
RANKING_TASK = "Rank the texts from best to worst by these criteria, by their letters."
_TAKEN = frozenset({"str", "content"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One branch of the program."""

    plan: BranchPlan
    prompt: Text
    """Its own part of the prompt."""
    variables: dict[str, str] | None = None
    """What the prompt that several branches share takes; None where its prompt is its own."""
    weight: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    snapshot: Snapshot
    model: str
    """What most branches ask."""
    branches: tuple[Asked, ...]
    system: Text = ()
    shared: Text = ()
    prompt: Text = ()
    """The prompt of those branches that have none of their own."""
    parameters: tuple[str, ...] = ()
    """The variables in it."""
    workflow: Workflow | None = None
    """None where the run's definition is not known: all texts are as they were sent."""
    aggregate: AggregateSpec | None = None
    aggregate_model: str = ""
    constants: dict[str, Text] = field(default_factory=dict)
    """Further texts that prompts name."""

    @property
    def vote(self) -> VotePlan | None:
        return self.snapshot.vote

    @property
    def form(self) -> Form | None:
        return next((one.plan.form for one in self.branches if one.plan.form is not None), None)

    @property
    def frozen(self) -> bool:
        return self.workflow is None

    @property
    def ranks(self) -> bool:
        """Whether the branches rank several texts, which each sees in another order."""
        return isinstance(self.vote, Comparison)

    @property
    def texts(self) -> tuple[Text, ...]:
        """Every text of the branches' prompts."""
        own = (one.prompt for one in self.branches)
        return (self.system, self.shared, self.prompt, *self.constants.values(), *own)


def recipe(run: StoredRun | Snapshot) -> Recipe:
    """How to do that run again."""
    snapshot = _printable(run.snapshot if isinstance(run, StoredRun) else run)
    workflow = _definition(snapshot)
    if workflow is not None and _known(workflow, snapshot):
        return _from_templates(snapshot, workflow)
    return _frozen(snapshot)


def _printable(snapshot: Snapshot) -> Snapshot:
    """With titles that a terminal can show, whatever an import held."""
    branches = tuple(
        replace(one, plan=replace(one.plan, title=_shown(one.plan.title)))
        for one in snapshot.branches
    )
    return replace(snapshot, branches=branches)


def _shown(title: str) -> str:
    return title.encode("utf-8", "replace").decode()


def _definition(snapshot: Snapshot) -> Workflow | None:
    if snapshot.made_with is None or not snapshot.made_with.definition:
        return None
    try:
        return parse(snapshot.made_with.definition, name=snapshot.workflow)
    except (FanoutError, RecursionError):
        return None


def _known(workflow: Workflow, snapshot: Snapshot) -> bool:
    """Whether the definition is of these branches, and can be written with one content for all."""
    specs = {one.id: one for one in workflow.active}
    if {branch.id for branch in snapshot.branches} != specs.keys():
        return False
    if not isinstance(snapshot.vote, Comparison):
        return True
    templates = [workflow.system, *(workflow.prompt_of(one) for one in specs.values())]
    return not any("{content}" in template for template in templates)


def _from_templates(snapshot: Snapshot, workflow: Workflow) -> Recipe:
    ranks = isinstance(snapshot.vote, Comparison)
    rubric = _rubric(workflow, ranks=ranks)
    content = CONTENT if ranks else FENCED_TOPIC
    given: dict[str, Text] = {
        "topic": TOPIC,
        **{name.lower(): (Slot(code=name),) for name in rubric},
    }
    sharing = [one for one in workflow.active if one.prompt is None]
    names = [name for name in names_in(workflow.prompt) if name not in {*given, "content"}]
    common = len(sharing) > 1 and all(_fit(name) for name in names)
    plans = {str(branch.id): branch.plan for branch in snapshot.branches}
    branches = []
    for one in workflow.active:
        said = {**one.variables, "title": one.title}
        own: dict[str, Text] = {name: (text,) for name, text in said.items()}
        prompt = filled(workflow.prompt_of(one), {"content": content, **own, **given})
        by_call = common and one.prompt is None and "content" not in one.variables
        branches.append(
            Asked(
                plan=plans[one.id],
                prompt=stripped(prompt),
                variables={name: said[name] for name in names} if by_call else None,
                weight=one.weight,
            )
        )
    slots: dict[str, Text] = {name: (Slot(code=name),) for name in names}
    of_all: dict[str, Text] = {"content": content, **given}
    return Recipe(
        snapshot=snapshot,
        model=_model(snapshot),
        branches=tuple(branches),
        system=stripped(filled(workflow.system, of_all)),
        shared=stripped(filled(workflow.shared, of_all)),
        prompt=stripped(filled(workflow.prompt, {**slots, **of_all})) if common else (),
        parameters=tuple(names) if common else (),
        workflow=workflow,
        aggregate=workflow.aggregate,
        aggregate_model=_aggregate_model(snapshot, workflow.aggregate),
        constants=rubric,
    )


def _rubric(workflow: Workflow, *, ranks: bool) -> dict[str, Text]:
    """What a judge's prompt names beside the topic."""
    if not isinstance(workflow, Judges):
        return {}
    task = RANKING_TASK if ranks else score_task(workflow)
    return {"RUBRIC": (rubric_words(workflow),), "TASK": (task,)}


def _frozen(snapshot: Snapshot) -> Recipe:
    """The prompts as they were sent."""
    plans = [branch.plan for branch in snapshot.branches]
    systems = {m.content for plan in plans for m in plan.messages if m.role == "system"}
    one_system = len(systems) == 1 and all(
        not plan.messages or plan.messages[0].role == "system" for plan in plans
    )
    spec = _usual(snapshot)
    return Recipe(
        snapshot=snapshot,
        model=_model(snapshot),
        branches=tuple(Asked(plan=plan, prompt=_sent(plan, one_system)) for plan in plans),
        system=(next(iter(systems)),) if one_system else (),
        aggregate=spec,
        aggregate_model=_aggregate_model(snapshot, spec),
    )


def _sent(plan: BranchPlan, one_system: bool) -> Text:
    said = [m.content for m in plan.messages if not (one_system and m.role == "system")]
    return ("\n\n".join(said),) if said else ()


def _usual(snapshot: Snapshot) -> AggregateSpec | None:
    """Fanout's usual way of combining so, with the title and limits that the run had."""
    kind = _kind(snapshot.aggregate_kind)
    if kind is None:
        return None
    spec = default_spec(kind)
    if snapshot.aggregate is None:
        return spec
    plan = snapshot.aggregate.branch.plan
    limits = {"temperature": plan.temperature, "max_tokens": plan.max_tokens}
    return spec.model_copy(update={"title": _shown(plan.title), **limits})


def _kind(name: str | None) -> AggregateKind | None:
    try:
        return None if name is None else AggregateSpec.model_validate({"kind": name}).kind
    except ValueError:
        return None


def _fit(name: str) -> bool:
    """Whether a template's variable can be a parameter."""
    return name.isascii() and name.islower() and not iskeyword(name) and name not in _TAKEN


def _model(snapshot: Snapshot) -> str:
    made_with = snapshot.made_with
    if made_with is not None and made_with.model.model:
        return made_with.model.model
    asked = Counter(branch.plan.model.model for branch in snapshot.branches)
    return asked.most_common(1)[0][0] if asked else ""


def _aggregate_model(snapshot: Snapshot, spec: AggregateSpec | None) -> str:
    if snapshot.aggregate is not None:
        return snapshot.aggregate.branch.plan.model.model
    if spec is None or not spec.model:
        return _model(snapshot)
    endpoint, _, name = spec.model.partition("/")
    known = {} if snapshot.made_with is None else snapshot.made_with.endpoints
    return name if endpoint in known else spec.model
