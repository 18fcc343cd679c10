"""What a program is written from: prompts as templates, models, and the way of combining."""

from __future__ import annotations

from dataclasses import dataclass, field

from fanout.export.code.literals import Slot, Text
from fanout.snapshot import Snapshot
from fanout.types import BranchPlan, Form
from fanout.voting.plans import Comparison, VotePlan
from fanout.workflows.definition import Workflow
from fanout.workflows.specs import AggregateSpec

TOPIC: Text = (Slot(code="TOPIC"),)
QUOTED_TOPIC: Text = (Slot(code="quoted(TOPIC)"),)
CONTENT: Text = (Slot(code="content"),)
"""What is judged, where each judge sees it in another order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One branch of the program."""

    plan: BranchPlan
    prompt: Text
    """Its own part of the prompt."""
    variables: dict[str, str] | None = None
    """What the prompt that several branches share takes; None where its prompt is its own."""


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
    def variables(self) -> dict[str, Text]:
        """The workflow's own, as its combining templates may use them."""
        held = self.workflow.variables if self.workflow is not None else {}
        return {name: (text,) for name, text in held.items()}

    @property
    def ranks(self) -> bool:
        """Whether the branches rank several texts, which each sees in another order."""
        return isinstance(self.vote, Comparison)

    @property
    def texts(self) -> tuple[Text, ...]:
        """Every text of the branches' prompts."""
        own = (one.prompt for one in self.branches)
        return (self.system, self.shared, self.prompt, *self.constants.values(), *own)
