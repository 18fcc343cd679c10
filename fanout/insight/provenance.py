"""Which branches each sentence of a combined answer came from, computed without a model.

Every sentence, and every clause of it that could stand alone, is looked for in every window of one
or two sentences of every branch, by the words and characters it shares with it. What that can't see
(a point put in other words, a "not" that was dropped) is said and measured in docs/insight.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fanout.insight.clauses import clauses
from fanout.insight.matching import Comparison, Match, Similarity, Told, compare, tell
from fanout.insight.sentences import Sentence, sentences
from fanout.insight.terms import NUMBER, negated, numbers, terms
from fanout.types import BranchId

SUPPORTED = 0.5
"""The share of a sentence, by weight, that a branch must hold to be its source."""
CLAUSE_SUPPORTED = 0.6
"""The same for a clause, which is shorter and so meets its words more easily by chance."""
NEAR_BEST = 0.75
"""Another branch is a source too if it holds this much of what the best one holds."""
CLAUSE_LOST = 0.25
"""With a clause of which no branch holds this much, a sentence is not supported as a whole."""
SAME_WORDS = 0.7
"""With so many content words in common, a "not" more or less turns a statement round."""
REACHED = 0.5
"""The share of a branch's sentence that the answer must hold for it to have arrived."""
FEWEST_TERMS = 2
"""With fewer content words, and no number, a sentence has nothing to support."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Support:
    """One branch as a source of one sentence."""

    branch: BranchId
    score: float
    """0 to 1: how much of the sentence, or of the clause it supports, stands in `quote`."""
    quote: str
    """The branch's one or two sentences that hold it, without Markdown's marks."""
    start: int
    """Where the quote begins in the branch's text as it was given."""
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SourcedSentence:
    """A sentence of the answer; `start` and `end` are offsets in the answer as it was given."""

    text: str
    start: int
    end: int
    supports: tuple[Support, ...]
    """Best first."""
    supported: bool | None
    """None where there is nothing to support: a heading, or a sentence without content."""
    new_numbers: tuple[str, ...] = ()
    """Numbers that stand in no branch: a sentence with one is unsupported, whatever it is like."""
    turned_round: bool = False
    """Nearly a branch's words, with a "not" more or less: unsupported too. English only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    sentences: tuple[SourcedSentence, ...]
    reached: Mapping[BranchId, float]
    """Share of each branch, 0 to 1 by length, that reached the answer; headings aside."""

    @property
    def unsupported(self) -> int:
        return sum(sentence.supported is False for sentence in self.sentences)

    @property
    def share_supported(self) -> float | None:
        """By length, of what needs support; None where nothing does."""
        needing = [s for s in self.sentences if s.supported is not None]
        whole = sum(len(s.text) for s in needing)
        return sum(len(s.text) for s in needing if s.supported) / whole if whole else None


def provenance(
    answer: str,
    sources: Mapping[BranchId, str],
    *,
    given: str = "",
    similarity: Similarity | None = None,
) -> Provenance:
    """Sources of each sentence of `answer`, and how much of each branch reached it.

    Both are Markdown. `given` is what every branch was given, such as the topic: its words count
    for less, and its numbers are nobody's invention. The order of `sources` doesn't matter.
    """
    told = tell(sources)
    asked = sentences(answer)
    split = [() if sentence.kind == "heading" else clauses(sentence.text) for sentence in asked]
    parts = [part for found in split for part in found]
    compared = compare([s.text for s in asked], parts, told, given, similarity)
    rows = iter(compared.best[len(asked) :])
    known = numbers(given) | {term.removeprefix(NUMBER) for t in told for term in t.features.terms}
    sourced: list[SourcedSentence] = []
    quoted: set[int] = set()
    for sentence, own, found in zip(asked, compared.best, split, strict=False):
        of_parts = [(len(part), next(rows)) for part in found]
        matches = [] if sentence.kind == "heading" else _sources(own, of_parts)
        enough = max([match.score for match in own] + [_covered(of_parts)]) >= SUPPORTED
        enough = enough and min(map(_held, of_parts), default=1.0) >= CLAUSE_LOST
        sourced.append(_sourced(sentence, matches, told, known, enough=enough))
        quoted.update(at for match in matches for at in match.at)
    return Provenance(
        sentences=tuple(sourced),
        reached={branch: _reached(branch, told, quoted, compared) for branch in sources},
    )


def _sources(whole: Sequence[Match], parts: Sequence[tuple[int, Sequence[Match]]]) -> list[Match]:
    """The branches that hold the sentence, or a clause of it, about as well as any; best first."""
    chosen: dict[BranchId, Match] = {}
    for row, needed in [(whole, SUPPORTED), *((row, CLAUSE_SUPPORTED) for _, row in parts)]:
        top = max((match.score for match in row), default=0.0)
        for match in row:
            if match.score >= max(needed, NEAR_BEST * top):
                chosen.setdefault(match.branch, match)
    return sorted(chosen.values(), key=lambda match: (-match.score, match.branch))


def _covered(parts: Sequence[tuple[int, Sequence[Match]]]) -> float:
    """How much of a sentence is held when each clause may come from a branch of its own."""
    length = sum(size for size, _ in parts)
    held = sum(part[0] * _held(part) for part in parts)
    return held / length if length else 0.0


def _held(part: tuple[int, Sequence[Match]]) -> float:
    """How much of a clause the branch holds that holds most of it."""
    return max((match.score for match in part[1]), default=0.0)


def _sourced(
    sentence: Sentence,
    matches: Sequence[Match],
    told: Sequence[Told],
    known: frozenset[str] | set[str],
    *,
    enough: bool,
) -> SourcedSentence:
    new = () if sentence.kind == "heading" else tuple(sorted(numbers(sentence.text) - known))
    turned = bool(matches) and all(_turned_round(sentence, match, told) for match in matches)
    supported: bool | None = bool(matches) and enough and not new and not turned
    if not supported and not new and not _says_something(sentence, terms(sentence.text)):
        supported = None
    return SourcedSentence(
        text=sentence.text,
        start=sentence.start,
        end=sentence.end,
        supports=tuple(_support(match, told) for match in matches),
        supported=supported,
        new_numbers=new,
        turned_round=turned,
    )


def _turned_round(sentence: Sentence, match: Match, told: Sequence[Told]) -> bool:
    quote = " ".join(told[at].sentence.text for at in match.at)
    if negated(sentence.text) == negated(quote):
        return False
    said, quoted = terms(sentence.text), terms(quote)
    return len(said & quoted) >= SAME_WORDS * len(said | quoted)


def _support(match: Match, told: Sequence[Told]) -> Support:
    spoken = [told[at].sentence for at in match.at]
    return Support(
        branch=match.branch,
        score=round(match.score, 3),
        quote=" ".join(sentence.text for sentence in spoken),
        start=spoken[0].start,
        end=spoken[-1].end,
    )


def _says_something(sentence: Sentence, found: frozenset[str]) -> bool:
    counted = any(term.startswith(NUMBER) for term in found)
    return sentence.kind != "heading" and (counted or len(found) >= FEWEST_TERMS)


def _reached(
    branch: BranchId, told: Sequence[Told], quoted: set[int], compared: Comparison
) -> float:
    whole = there = 0
    for at, item in enumerate(told):
        if item.branch == branch and _says_something(item.sentence, item.features.terms):
            length = len(item.sentence.text)
            whole += length
            there += length * (at in quoted or compared.share_found[at] >= REACHED)
    return there / whole if whole else 0.0
