"""What was observed of every fault, as the tables of docs/faults.md.

python -m tests.faults.table        # writes them anew
"""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Sequence
from pathlib import Path

from fanout.snapshot import Branch
from fanout.types import BranchState
from tests.faults.cases import CASES, Case
from tests.faults.matrix import CELLS, ONCE, Cell, Observed, arrives, observe
from tests.workflows.documents import filled

PAGE = Path(__file__).parents[2] / "docs" / "faults.md"
OUTDATED = "docs/faults.md is out of date: python -m tests.faults.table"

_TITLE = """\
# What happens when a provider fails

The tables are written by `python -m tests.faults.table` from what was observed: a real HTTP server
on loopback does each of these things to the queries of a research run, the branches of a fan-out,
the ballots of judges and the combining call; to one call, to several and to all, and Fanout's real
client and engine meet it. `tests/faults/test_matrix.py` fails where a row is no longer true. In
every case it also holds that siblings end with their exact text after one attempt, that the server
saw as many requests as the column counts, that no key or prompt is in any text, that the run's
events are legal and fold to its picture, and that no task, thread, socket, connection or slot is
left behind.

## The call

At most two requests per call here (`attempts = 2`; the default is four). "If it passes" is the
end where the second request is answered as it should be. The host is left out.
"""
_HEAD = """\
| What the server does | Ends as | Requests | If it passes | Its text | What the column says |
|---|---|---|---|---|---|"""
_RUNS = """\

## The run

The same in every fault that makes a call fail; where it is a deadline, "failed" is "timed out".
"""
_RUNS_HEAD = """\
| Where | Calls hit | Run | The combined answer's heading |
|---|---|---|---|"""
_NOTES = """\

## What can't be told

OpenAI's protocol numbers no chunks. A chunk that comes twice is a word that was written twice, and
text in the wrong order is text: both are shown as they came. What can be told is: the role, the
finish_reason and the usage count once however often they come, and text that follows the
finish_reason is part of the answer.

A connection that is reset takes along what had arrived and was not read yet, so less text than was
sent may be kept.
"""


def row(case: Case, seen: Observed) -> str:
    """The row of a fault, from the run in which one of four branches met it."""
    cell = next(one for one in CELLS if one.phase == "branches")
    call = seen.call(cell, "p1")
    kind = f" ({call.failure.kind.value.replace('_', ' ')})" if call.failure else ""
    columns = [
        case.does,
        f"{call.state.value.replace('_', ' ')}{kind}",
        str(call.attempts),
        _passed(seen),
        _text(case, cell, call),
        _said(call),
    ]
    return f"| {' | '.join(columns)} |"


def runs(seen: Observed) -> list[str]:
    """How runs end, from those of one fault."""
    lines = []
    for cell in CELLS:
        snapshot = seen.snapshot(cell)
        made = snapshot.aggregate
        heading = made.heading if made is not None else "nothing is combined"
        hit = f"{cell.hit} of {cell.of}"
        lines.append(f"| {cell.phase} | {hit} | {snapshot.status.value} | {heading} |")
    return lines


def page(rows: Sequence[str], how_runs_end: Sequence[str]) -> str:
    calls = "\n".join([_HEAD, *rows])
    ends = "\n".join([_RUNS_HEAD, *how_runs_end])
    return f"{_TITLE}\n{calls}\n{_RUNS}\n{ends}\n{_NOTES}"


def frame(text: str) -> str:
    """The page without the rows of its tables."""
    return re.sub(r"(?m)^\| .*\n", "", text)


def fate(branch: Branch) -> str:
    return "timed out" if branch.state is BranchState.TIMED_OUT else "failed"


def _passed(seen: Observed) -> str:
    if ONCE not in seen.runs:
        return "–"
    call = seen.call(ONCE, "p1")
    return f"{call.state.value.replace('_', ' ')} after {call.attempts}"


def _text(case: Case, cell: Cell, call: Branch) -> str:
    if not call.text:
        return "none"
    if call.failure is not None:
        return "what came before the break"
    return (
        "whole" if call.text == cell.text else f"{len(arrives(case, cell)):,} characters, as sent"
    )


def _said(call: Branch) -> str:
    if call.failure is None:
        estimated = call.usage is not None and call.usage.estimated
        return "nothing; its tokens are marked as estimated (≈)" if estimated else "nothing"
    return re.sub(r"127\.0\.0\.1:\d+", "…", call.failure.message)


def main() -> None:
    os.environ["FANOUT_HOME"] = tempfile.mkdtemp(prefix="fanout-faults-")
    folder = Path(tempfile.mkdtemp(prefix="fanout-faults-"))
    rows: list[str] = []
    how_runs_end: list[str] = []
    with filled(folder) as library:
        for name, case in CASES.items():
            seen = observe(case, library, folder)
            rows.append(row(case, seen))
            if name == "500":
                how_runs_end = runs(seen)
    PAGE.write_text(page(rows, how_runs_end), encoding="utf-8")


if __name__ == "__main__":
    main()
