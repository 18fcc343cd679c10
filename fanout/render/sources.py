"""Where each sentence of a combined answer came from, as a board draws it.

Computing it takes tens of milliseconds, so it is done once per answer: a tracer remembers what it
has traced, says what is due, and leaves it to its owner on which thread that is done.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypedDict

from fanout.insight.provenance import Provenance, SourcedSentence, provenance
from fanout.insight.sourcing import SOURCED
from fanout.render.form_text import form_text
from fanout.render.sanitise import clean_text
from fanout.snapshot import Aggregate, Branch, Snapshot
from fanout.types import BranchId

LONGEST_TRACED = 60_000
"""Characters of an answer; what is longer is shown without its sources."""


class TracedSentence(TypedDict):
    text: str
    """As a reader sees it, without Markdown's marks."""
    found: Literal["found", "none", "plain"]
    """Plain: there is nothing to support, as in a heading."""
    by: list[tuple[str, str]]
    """Source and its sentences that hold this one, best first."""
    why: str
    """What is missing, where no source was found."""


class CitedPassage(TypedDict):
    id: str
    title: str
    place: str
    text: str


class Sources(TypedDict):
    sentences: list[TracedSentence]
    reached: dict[str, float]
    """Share of each source, 0 to 1, that arrived in the answer."""
    passages: list[CitedPassage]
    """What the answer cites, the first as [1]; empty where branches are the sources."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """An answer to be traced, with everything that takes."""

    id: BranchId
    answer: str
    texts: Mapping[BranchId, str]
    passages: tuple[CitedPassage, ...]
    given: str

    def trace(self) -> Sources:
        """Pure and slow: tens of milliseconds for long answers."""
        found = provenance(self.answer, self.texts, given=self.given)
        return Sources(
            sentences=[_sentence(sentence) for sentence in found.sentences],
            reached=_rounded(found),
            passages=list(self.passages),
        )


class Tracer:
    """Remembers the sources of one run's answers. Not for several threads at once."""

    def __init__(self) -> None:
        self._traced: dict[BranchId, tuple[Aggregate, Sources]] = {}
        self._refused: dict[BranchId, Aggregate] = {}
        self.version = 0
        """Counts what it has learnt."""

    def known(self, made: Aggregate) -> Sources | None:
        """The sources of that very answer; None where they aren't known, or there are none."""
        traced = self._traced.get(made.id)
        return traced[1] if traced is not None and traced[0] is made.shown else None

    def due(self, snapshot: Snapshot) -> tuple[Aggregate, Job] | None:
        """The next answer to be traced; None where all are, or have no sources."""
        for made in (one.shown for one in snapshot.aggregates):
            if self.known(made) is None and self._refused.get(made.id) is not made:
                job = job_of(made, snapshot)
                if job is not None:
                    return made, job
        return None

    def learn(self, made: Aggregate, sources: Sources | None) -> None:
        """None: it could not be traced, and isn't tried again."""
        self.version += 1
        if sources is None:
            self._refused[made.id] = made
        else:
            self._traced[made.id] = (made, sources)


def job_of(made: Aggregate, snapshot: Snapshot) -> Job | None:
    """What there is to trace; None while an answer is written, and where it quotes word by word."""
    if made.kind not in SOURCED or not made.branch.state.finished:
        return None
    answer = shown_answer(made)
    if not answer.strip() or len(answer) > LONGEST_TRACED:
        return None
    passages: tuple[CitedPassage, ...] = ()
    if made.kind == "cited":
        passages = tuple(
            CitedPassage(
                id=str(number),
                title=clean_text(one.passage.title),
                place=clean_text(one.passage.place),
                text=clean_text(one.passage.text),
            )
            for number, one in enumerate(made.passages, 1)
        )
        texts = {BranchId(one["id"]): one["text"] for one in passages}
    else:
        branches = (snapshot.branch(branch_id) for branch_id in made.used)
        texts = {branch.id: clean_text(shown_text(branch)) for branch in branches}
    if not texts:
        return None
    return Job(
        id=made.id,
        answer=clean_text(answer),
        texts=texts,
        passages=passages,
        given=snapshot.topic,
    )


def shown_text(branch: Branch) -> str:
    """A branch's text as a person reads it, half-written or whole."""
    text = branch.shown_text
    return text if branch.plan.form is None else form_text(branch.plan.form, text)


def shown_answer(made: Aggregate) -> str:
    """The same of a combined answer."""
    read = made.shown
    return shown_text(read.branch) if read.answer is None else read.answer


def _sentence(sentence: SourcedSentence) -> TracedSentence:
    found: Literal["found", "none", "plain"] = "plain"
    if sentence.supported is not None:
        found = "found" if sentence.supported else "none"
    why = ""
    if sentence.new_numbers:
        verb = "is" if len(sentence.new_numbers) == 1 else "are"
        why = f"{', '.join(sentence.new_numbers)} {verb} in no source"
    elif sentence.turned_round:
        why = "it says the opposite of what comes nearest"
    return TracedSentence(
        text=sentence.text,
        found=found,
        by=[(support.branch, clean_text(support.quote)) for support in sentence.supports],
        why=why,
    )


def _rounded(found: Provenance) -> dict[str, float]:
    return {str(branch): round(share, 4) for branch, share in found.reached.items()}
