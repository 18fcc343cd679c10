"""Runs as a store would hold them, for tests of exports: every shipped workflow, and bad ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from fanout.engine.handle import RunHandle
from fanout.events import BranchWrote, RunStarted
from fanout.providers.script import Reply, Rule, Script
from fanout.store.values import Label, StoredRun, Update
from fanout.types import BranchId
from fanout.workflows.library import shipped
from tests.folding import folded
from tests.rig import rig, script, trio
from tests.workflows.documents import filled, searching
from tests.workflows.panels import afterwards

TOPICS = {"research": "Why was the wind project delayed?", "judges": "One text.\n---\nAnother one."}
LABEL = Label(name="Rain, again", notes="Show on Friday.", tags=("demo", "öffentlich"))
NASTY = (
    "# Out\n\n<script>alert(1)</script> ```\n=1+1\n<!-- [x]: http://evil.test\n"
    "![p](http://evil.test/p.png) [l](javascript:alert(1))\x00\x07\x1b[31m \u202eback\u2066 "
    "\ud800 _x0041_ \uff1dSUM(A1) \u05e9\u05dc\u05d5\u05dd </w:t> ]]> \ufffe"
)
NAMES = tuple(workflow.name for workflow in shipped().workflows)


JUDGED = Rule(
    prompt="Policy:",
    replies=(
        Reply(
            text='{"reason": "It breaks the policy.", "category": "spam", "severity": 3, '
            '"verdict": "block"}'
        ),
    ),
)
"""What every moderator says: improvised verdicts vary with the marks of each run."""


@cache
def shipped_runs() -> dict[str, StoredRun]:
    """One run of each shipped workflow."""
    runs = {}
    with (
        TemporaryDirectory() as folder,
        filled(Path(folder)) as library,
        searching(library, Script(rules=(JUDGED,)), embedding_model="e") as here,
    ):
        for workflow in shipped().workflows:
            handle = here.start(workflow, TOPICS.get(workflow.kind, "rain"))
            handle.wait(timeout_s=30)
            runs[workflow.name] = stored(handle)
    return runs


@cache
def failed_run() -> StoredRun:
    """The poem fails, the others are combined; then it is asked again and fails again."""
    said = script(poem=Reply(status=401), combine=Reply(text="Both say *rain*."))
    with rig(said) as here:
        handle = here.start(trio())
        handle.wait(timeout_s=20)
        afterwards(here, handle, lambda: handle.retry(BranchId("poem")))
        return stored(handle)


def nasty_run(text: str = NASTY) -> StoredRun:
    """Everything that a model or a person writes in it is `text`."""
    with rig(Script(otherwise=Reply(text="word"))) as here:
        handle = here.start(trio())
        handle.wait(timeout_s=20)
    events = []
    for event in handle.events:
        if isinstance(event, RunStarted):
            plans = tuple(
                replace(
                    plan,
                    title=text,
                    messages=tuple(replace(m, content=text) for m in plan.messages),
                )
                for plan in event.branches
            )
            event = replace(event, topic=text, title=text, branches=plans)
        elif isinstance(event, BranchWrote):
            event = replace(event, text=text)
        events.append(event)
    label = Label(name=text[:200], notes=text, tags=(text[:60],))
    return StoredRun(events=tuple(events), snapshot=folded(events), label=label)


def stored(handle: RunHandle, label: Label = LABEL) -> StoredRun:
    return StoredRun(events=handle.events, snapshot=handle.snapshot, label=label)


class Shelf:
    """A store's two methods that an import needs, in memory."""

    def __init__(self, *runs: StoredRun) -> None:
        self.runs = {str(run.id): run for run in runs}

    def load(self, run_id: str) -> StoredRun | None:
        return self.runs.get(run_id)

    def write(self, updates: Sequence[Update], *, imported: bool = False) -> None:
        for update in updates:
            assert update.first == 0 and imported
            run = StoredRun(events=update.events, snapshot=update.snapshot)
            self.runs[str(run.id)] = run
