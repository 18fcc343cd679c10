"""The parts of a run that every readable export says: facts, sources, numbers and failures."""

from __future__ import annotations

from collections.abc import Iterator

from fanout.export.tables import Cell, Column, Table, started_text
from fanout.insight.prefix import saved
from fanout.insight.provenance import Provenance
from fanout.insight.sourcing import sourced
from fanout.insight.speed import span_s, speed, usage
from fanout.render.fan_in_words import late_text, plan_text
from fanout.render.live_words import marks
from fanout.render.prefix_words import saving_text
from fanout.render.sources import LONGEST_TRACED
from fanout.render.words import (
    branch_word,
    first_token_wait_s,
    kind_word,
    run_word,
    seconds_text,
    spent_text,
)
from fanout.snapshot import Aggregate, Branch, Snapshot
from fanout.store.values import StoredRun
from fanout.types import BranchId

_QUOTED = 200


def facts(run: StoredRun) -> Iterator[tuple[str, str]]:
    """The run in a few lines: each a name and what to say."""
    snapshot, label = run.snapshot, run.label
    measures = speed(snapshot, snapshot.at)
    yield "Result", f"{run_word(snapshot.status)}, {headline(snapshot)}"
    if measures.ratio is not None and len(snapshot.calls) > 1:
        yield "Speed-up", f"{measures.ratio:.1f} times faster by the calls' own times"
    yield "Cost", spent_text(snapshot.goes)
    yield "Workflow", f"{snapshot.title} ({snapshot.workflow})"
    asked = (m for c in snapshot.calls for m in (c.plan.model.model, c.answered_by.model))
    yield "Models", ", ".join(dict.fromkeys(asked)) or "none"
    if plan := plan_text(snapshot):
        yield "Combining", plan
    if (saving := saved(snapshot)) is not None:
        yield "Shared beginning", saving_text(saving, snapshot)
    yield "Started", started_text(snapshot)
    yield "Run", snapshot.run_id
    if snapshot.failure is not None:
        yield "Problem", snapshot.failure.message
    if label.tags:
        yield "Tags", ", ".join(label.tags)
    if label.notes:
        yield "Notes", label.notes


def headline(snapshot: Snapshot) -> str:
    """ "2.1 s instead of 5.4 s one after another"."""
    measures = speed(snapshot, snapshot.at)
    wall = seconds_text(measures.wall_s)
    if len(snapshot.calls) < 2 or not measures.comparable:
        return f"after {wall}"
    return f"{wall} instead of {seconds_text(measures.sequential_s)} one after another"


def sources(made: Aggregate, snapshot: Snapshot) -> Iterator[str]:
    """Where the answer came from, in a sentence each; nothing where that isn't known."""
    read = made.shown
    if len(read.text) > LONGEST_TRACED:
        return
    found = sourced(read, snapshot)
    if found is None or not found.sentences:
        return
    yield _supported(found)
    names = _names(read, snapshot)
    reached = (f"{names.get(one, one)} {share:.0%}" for one, share in found.reached.items())
    yield f"How much of each source reached it: {', '.join(reached)}."
    for sentence in found.sentences:
        if sentence.supported is False:
            quote = " ".join(sentence.text.split())
            yield f"In no source: “{quote[:_QUOTED]}{'…' if len(quote) > _QUOTED else ''}”"


def _supported(found: Provenance) -> str:
    asked = [sentence for sentence in found.sentences if sentence.supported is not None]
    held = sum(bool(sentence.supported) for sentence in asked)
    return f"{held} of {len(asked)} sentences were found in its sources, by their wording."


def _names(made: Aggregate, snapshot: Snapshot) -> dict[BranchId, str]:
    if made.kind == "cited":
        return {
            BranchId(str(n)): f"[{n}] {one.passage.title}" for n, one in enumerate(made.passages, 1)
        }
    return {branch.id: branch.title for branch in snapshot.branches}


def numbers_table(snapshot: Snapshot) -> Table:
    """A row per call, in words: for people, where `branches_table` is for spreadsheets."""
    names = ("call", "state", "time", "first token", "tokens in", "tokens out", "attempts", "cost")
    return Table(
        name="Numbers",
        columns=tuple(Column(name=name) for name in names),
        rows=tuple(_numbers(call, snapshot.at) for call in snapshot.calls),
    )


def _numbers(call: Branch, now_s: float) -> tuple[Cell, ...]:
    used, first = usage(call), first_token_wait_s(call)
    about = "≈ " if used.estimated else ""
    asked = any(go.started_s is not None for go in call.goes)
    return (
        call.title,
        branch_word(call),
        seconds_text(sum(span_s(go, now_s) for go in call.goes)),
        None if first is None else seconds_text(first),
        f"{about}{used.input:,}" if asked else None,
        f"{about}{used.output:,}" if asked else None,
        str(sum(go.attempts for go in call.goes)),
        spent_text(call.goes) if asked else None,
    )


def failures(snapshot: Snapshot) -> Iterator[tuple[str, str]]:
    """Every failed attempt and every failed call: whose, and what happened; then what was done."""
    for call in snapshot.calls:
        for go in call.goes:
            for setback in go.setbacks:
                yield call.title, f"{kind_word(setback.kind)}, tried again. {setback.message}"
            for mark in marks(go, snapshot):
                yield call.title, f"{mark.text}."
            if go.failure is not None:
                yield call.title, f"{kind_word(go.failure.kind)}. {go.failure.message}"
        if late := late_text(call, snapshot):
            yield call.title, late
