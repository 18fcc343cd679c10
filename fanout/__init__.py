"""One topic, several LLM branches at once, one combined answer.

For programs: `await fanout.run("creative-trio", topic="rain")`, see docs/python.md. Public names
are loaded when they are first used, so that `import fanout` itself costs nothing; `__init__.pyi`
tells them to type checkers.
"""

from __future__ import annotations

from importlib import import_module

__version__ = "0.1.0"

_PUBLIC = {
    "fanout.endpoint": (
        "Endpoint",
        "Secret",
    ),
    "fanout.errors": (
        "DefinitionError",
        "FanoutError",
        "InputError",
        "SettingsError",
        "StoreError",
    ),
    "fanout.events": (
        "AggregatePlanned",
        "AggregateWritten",
        "AttemptFailed",
        "AttemptStarted",
        "BallotCast",
        "BranchFinished",
        "BranchHeld",
        "BranchQueued",
        "BranchThought",
        "BranchWrote",
        "Event",
        "FanInReached",
        "HedgeSent",
        "HedgeSettled",
        "MeaningMeasured",
        "PassagesFound",
        "PrefixOpened",
        "RunFinished",
        "RunResumed",
        "RunStarted",
    ),
    "fanout.program.live": ("Live",),
    "fanout.program.once": (
        "run",
        "run_sync",
        "stream",
    ),
    "fanout.program.result": (
        "BranchResult",
        "Result",
    ),
    "fanout.program.session": ("Session",),
    "fanout.snapshot": (
        "Aggregate",
        "Branch",
        "Snapshot",
    ),
    "fanout.types": (
        "BranchState",
        "Cost",
        "Failure",
        "FailureKind",
        "ModelRef",
        "RunStatus",
        "Usage",
    ),
    "fanout.workflows.definition": (
        "Judges",
        "Models",
        "Moderation",
        "Reasoning",
        "Research",
        "Sectioning",
        "Workflow",
    ),
    "fanout.workflows.library": (
        "load_file",
        "shipped",
    ),
    "fanout.workflows.parsing": ("parse",),
    "fanout.workflows.policy_specs": (
        "BudgetSpec",
        "FanInSpec",
        "HedgingSpec",
        "PolicySpec",
        "RetrySpec",
    ),
    "fanout.workflows.specs": (
        "AggregateSpec",
        "BranchSpec",
        "CallDefaults",
        "CriterionSpec",
        "DeadlineSpec",
        "ScaleSpec",
        "VoteSpec",
    ),
}
_HOMES = {name: module for module, names in _PUBLIC.items() for name in names}

__all__ = ["__version__", *_HOMES]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
