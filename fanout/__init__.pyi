from fanout.endpoint import Endpoint, Secret
from fanout.errors import DefinitionError, FanoutError, InputError, SettingsError, StoreError
from fanout.events import (
    AttemptFailed,
    AttemptStarted,
    BranchFinished,
    BranchWrote,
    Event,
    RunFinished,
    RunStarted,
)
from fanout.program.live import Live
from fanout.program.once import run, run_sync, stream
from fanout.program.result import BranchResult, Result
from fanout.program.session import Session
from fanout.snapshot import Aggregate, Branch, Snapshot
from fanout.types import BranchState, Cost, Failure, FailureKind, ModelRef, RunStatus, Usage
from fanout.workflows.definition import (
    Judges,
    Models,
    Moderation,
    Reasoning,
    Research,
    Sectioning,
    Workflow,
)
from fanout.workflows.library import load_file, shipped
from fanout.workflows.parsing import parse
from fanout.workflows.specs import AggregateSpec, BranchSpec

__version__: str

__all__ = [
    "Aggregate",
    "AggregateSpec",
    "AttemptFailed",
    "AttemptStarted",
    "Branch",
    "BranchFinished",
    "BranchResult",
    "BranchSpec",
    "BranchState",
    "BranchWrote",
    "Cost",
    "DefinitionError",
    "Endpoint",
    "Event",
    "Failure",
    "FailureKind",
    "FanoutError",
    "InputError",
    "Judges",
    "Live",
    "ModelRef",
    "Models",
    "Moderation",
    "Reasoning",
    "Research",
    "Result",
    "RunFinished",
    "RunStarted",
    "RunStatus",
    "Secret",
    "Sectioning",
    "Session",
    "SettingsError",
    "Snapshot",
    "StoreError",
    "Usage",
    "Workflow",
    "__version__",
    "load_file",
    "parse",
    "run",
    "run_sync",
    "shipped",
    "stream",
]
