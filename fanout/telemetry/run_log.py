"""A line of log for what happens to a run: ids, states, seconds and counts, never a text."""

from __future__ import annotations

import logging

from fanout.events import (
    AttemptFailed,
    BranchFinished,
    Event,
    RunFinished,
    RunResumed,
    RunStarted,
)
from fanout.telemetry.witness import Told
from fanout.types import BranchState

log = logging.getLogger("fanout.runs")

_BAD = (BranchState.FAILED, BranchState.TIMED_OUT)


class RunLog:
    """A witness that writes lines, at the level that each deserves."""

    def saw(self, run: Told, event: Event) -> None:
        run_id = run.snapshot.run_id
        match event:
            case RunStarted():
                _say(
                    logging.INFO,
                    "run started",
                    run=run_id,
                    workflow=event.workflow,
                    branches=len(event.branches),
                    **_row(event),
                )
            case RunResumed():
                _say(logging.INFO, "run resumed", run=run_id, branches=len(event.branches))
            case AttemptFailed():
                _say(
                    logging.WARNING,
                    "attempt failed",
                    run=run_id,
                    branch=event.id,
                    kind=event.failure.kind.value,
                    retry_s=round(max(0.0, event.retry_at - event.at), 3),
                )
            case BranchFinished():
                _say(
                    logging.WARNING if event.state in _BAD else logging.INFO,
                    "branch finished",
                    run=run_id,
                    branch=event.id,
                    state=event.state.value,
                    kind=event.failure.kind.value if event.failure is not None else None,
                    at_s=round(event.at, 3),
                    input_tokens=event.usage.input if event.usage is not None else None,
                    output_tokens=event.usage.output if event.usage is not None else None,
                    cost_usd=float(event.cost.usd) if event.cost is not None else None,
                )
            case RunFinished():
                _say(
                    logging.INFO,
                    "run finished",
                    run=run_id,
                    status=event.status.value,
                    kind=event.failure.kind.value if event.failure is not None else None,
                    at_s=round(event.at, 3),
                )
            case _:
                pass

    def close(self) -> None:
        pass


def _row(event: RunStarted) -> dict[str, object]:
    row = event.made_with.row if event.made_with is not None else None
    return {} if row is None else {"batch": row.batch, "row": row.number}


def _say(level: int, what: str, **fields: object) -> None:
    if log.isEnabledFor(level):
        known = {name: value for name, value in fields.items() if value is not None}
        log.log(level, what, extra={"fields": known})
