"""The ways to combine that a run offers, each with one sentence."""

from __future__ import annotations

from dataclasses import dataclass

from fanout.engine.handle import RunHandle
from fanout.snapshot import Snapshot
from fanout.voting.plans import Comparison, Poll, Rubric
from fanout.workflows.specs import AggregateKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """One way to combine, as the panel names it."""

    kind: AggregateKind
    title: str
    promise: str


_CITED = Way(
    kind="cited",
    title="Answer with citations",
    promise="A new answer from the fused passages, each claim with the passages that carry it.",
)
_FUSED = Way(
    kind="fused",
    title="Fused list",
    promise="The best passages over all strategies by reciprocal rank. No model is asked.",
)
_WRITTEN = (
    Way(
        kind="synthesis",
        title="Synthesis",
        promise="One new text that keeps what matters in each branch.",
    ),
    Way(
        kind="guided",
        title="Guided synthesis",
        promise="The model proposes points and writes about them all; then you tick the points "
        "that matter, add your own, and it writes again.",
    ),
    Way(
        kind="table",
        title="Comparison table",
        promise="Criteria by branches, with a verdict per row.",
    ),
    Way(
        kind="best",
        title="Best of n",
        promise="Judges rank the texts without knowing whose they are; the best is shown whole.",
    ),
)
_JOINED = Way(
    kind="concatenation",
    title="All in a row",
    promise="The texts one after another, by a template. No model is asked.",
)


def offered(handle: RunHandle) -> tuple[Way, ...]:
    """What makes sense for this run, the likeliest first."""
    found = (_CITED, _FUSED) if handle.snapshot.kind == "research" else ()
    return (*found, *_WRITTEN, _counted(handle.snapshot), _JOINED)


def _counted(snapshot: Snapshot) -> Way:
    no_model = "No model is asked."
    match snapshot.vote:
        case None:
            promise = f"The branches' final answers are counted, equal ones together. {no_model}"
            return Way(kind="vote", title="Vote", promise=promise)
        case Poll():
            promise = f"The votes counted anew, without those you leave out. {no_model}"
            return Way(kind="vote", title="Vote", promise=promise)
        case Rubric():
            promise = f"The scores counted anew, without those you leave out. {no_model}"
            return Way(kind="scores", title="Scores", promise=promise)
        case Comparison():
            promise = f"The rankings counted anew, without those you leave out. {no_model}"
            return Way(kind="ranking", title="Ranking", promise=promise)
