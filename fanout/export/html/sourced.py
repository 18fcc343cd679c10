"""A combined answer with the source of each sentence, and in each branch what went into it.

Worked out when the report is made, so that reading needs no script: a letter behind a sentence is
a link to the words it came from, and the script only lights both up at once.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from fanout.export.html.calls import Call, answer_anchor, branch_calls, by_id
from fanout.export.html.colours import WHOLE
from fanout.export.html.marking import Place, Shown, fitted, marked, read
from fanout.export.html.markup import Markup
from fanout.export.html.source_marks import Source, Told, cited, quote_marks, sentence_mark
from fanout.render.markdown import render
from fanout.render.sources import Sources, TracedSentence, job_of, shown_answer, shown_text
from fanout.snapshot import Aggregate, Snapshot
from fanout.types import BranchId


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    made: Aggregate
    html: Markup
    told: tuple[Told, ...]
    """Its sentences that say something, in order; empty where sources aren't known."""
    sources: Sources | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Texts:
    """Every text of a run, rendered and marked."""

    answers: tuple[Answer, ...]
    branches: Mapping[BranchId, Markup]


def texts(snapshot: Snapshot) -> Texts:
    """Render them all, trace the answers, and mark in each branch what was taken from it."""
    columns = _Columns(snapshot)
    answers = tuple(_answer(made, snapshot, columns) for made in snapshot.aggregates)
    return Texts(answers=answers, branches=columns.marked())


class _Columns:
    """The branches' texts while it is being found out what was taken from them."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.calls = by_id(branch_calls(snapshot))
        self._shown: dict[BranchId, Shown] = {
            b.id: read(fitted(render(shown_text(b)))) for b in snapshot.branches
        }
        self._quotes: dict[BranchId, dict[str, Place]] = defaultdict(dict)

    def quote(self, call: Call, words: str, name: str) -> str:
        """Remember these words of a branch under a sentence's name; the link to them."""
        place = self._shown[call.branch.id].locate(words)
        if place is None:
            return f"#{call.anchor}"
        self._quotes[call.branch.id][name] = place
        return f"#{call.anchor}-{name}"

    def marked(self) -> dict[BranchId, Markup]:
        return {
            id: marked(shown, quote_marks(self._quotes[id], self.calls[id]))
            for id, shown in self._shown.items()
        }


def _answer(made: Aggregate, snapshot: Snapshot, columns: _Columns) -> Answer:
    job = job_of(made.shown, snapshot)
    sources = job.trace() if job is not None else None
    told = tuple(
        _told(f"{answer_anchor(made)}-s{number}", sentence, sources, made, columns)
        for number, sentence in enumerate(sources["sentences"] if sources else (), 1)
        if sources and sentence["found"] != "plain"
    )
    shown = read(fitted(render(shown_answer(made))))
    marks = []
    after = 0
    for one in told:
        place = shown.locate(one.text, after)
        if place is not None:
            after = place.end
            marks.append(sentence_mark(one, place))
    html = marked(shown, marks)
    return Answer(
        made=made,
        html=cited(html, made.shown) if made.shown.passages else html,
        told=told,
        sources=sources,
    )


def _told(
    name: str, sentence: TracedSentence, sources: Sources, made: Aggregate, columns: _Columns
) -> Told:
    by = sentence["by"] if sentence["found"] == "found" else []
    titles = {one["id"]: one["title"] for one in sources["passages"]}
    found = []
    for source_id, quote in by:
        call = columns.calls.get(BranchId(source_id))
        if source_id in titles:
            found.append(
                Source(
                    mark=source_id,
                    name=f"passage {source_id}, {titles[source_id]}",
                    shade=WHOLE,
                    href=f"#{answer_anchor(made)}-p{source_id}",
                    quote=quote,
                )
            )
        elif call is not None:
            href = columns.quote(call, quote, name)
            found.append(
                Source(mark=call.mark, name=call.name, shade=call.shade, href=href, quote=quote)
            )
    return Told(
        id=name,
        text=sentence["text"],
        sources=tuple(sorted(found, key=lambda one: (len(one.mark), one.mark))),
        best=found[0].shade if found else "",
        why=sentence["why"],
    )
