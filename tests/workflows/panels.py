"""Panels of voters for tests of the kinds that vote: their workflows, answers and records."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from fanout.engine.handle import RunHandle
from fanout.insight.votes import run_outcome
from fanout.providers.script import Reply, Rule, Script
from fanout.record import run_record
from fanout.snapshot import Snapshot
from fanout.voting.tally import Tally
from fanout.workflows.definition import Workflow
from fanout.workflows.parsing import parse
from tests.rig import Rig

Answer: TypeAlias = str | Reply | tuple[Reply, ...]


def panel(kind: str, names: Mapping[str, float] | tuple[str, ...], **changes: object) -> Workflow:
    """A workflow whose voters are told apart by "Voter NAME." in their prompts; name to weight."""
    weights = names if isinstance(names, Mapping) else dict.fromkeys(names, 1.0)
    data: dict[str, object] = {
        "kind": kind,
        "title": "Panel",
        "prompt": "Voter {title}.\n\n{content}",
        "branches": [
            {"id": name, "title": name, "weight": weight} for name, weight in weights.items()
        ],
        "aggregate": {"kind": "vote", "title": "Verdict"},
    }
    return parse({**data, **changes}, name="panel")


def moderation(
    names: Mapping[str, float] | tuple[str, ...], rule: str = "majority", **vote: object
) -> Workflow:
    return panel("moderation", names, vote={"rule": rule, "early_stop": "never", **vote})


def verdict(
    choice: str, reason: str = "So it is.", category: str = "none", severity: int = 0
) -> str:
    return json.dumps(
        {"reason": reason, "category": category, "severity": severity, "verdict": choice}
    )


def replies(answers: Mapping[str, Answer]) -> Script:
    """What each voter says."""

    def given(answer: Answer) -> tuple[Reply, ...]:
        if isinstance(answer, tuple):
            return answer
        return (answer if isinstance(answer, Reply) else Reply(text=answer),)

    return Script(
        rules=tuple(
            Rule(prompt=f"Voter {name}.", replies=given(answer)) for name, answer in answers.items()
        )
    )


def tally_of(snapshot: Snapshot) -> Tally:
    found = run_outcome(snapshot)
    assert isinstance(found, Tally)
    return found


def record_of(handle: RunHandle) -> Any:
    """The run's record as a reader of its JSON gets it."""
    return json.loads(json.dumps(run_record(handle.snapshot, handle.now_s()), allow_nan=False))


def afterwards(here: Rig, handle: RunHandle, act: Callable[[], None]) -> Snapshot:
    """The finished run once `act`, which may make it go on, has been carried out."""
    begun(here, act)
    snapshot = handle.wait(timeout_s=20)
    assert snapshot.status.finished, "the run did not end in time"
    return snapshot


def begun(here: Rig, act: Callable[[], None]) -> None:
    """Send an act to the engine, and return once it has begun."""
    act()
    here.engine.call(_turn)


async def _turn() -> None:
    """Let the loop take a turn, so that what was sent to it before has begun."""
