"""Multi-query retrieval: several search strategies at once, fused by rank, answered with citations.

A branch turns the question into queries, with a model or without, and searches the user's
documents. What the strategies found is fused (Cormack, Clarke and Büttcher 2009), so a passage that
several of them found comes first.
"""

from __future__ import annotations

import re

from fanout.kernel.context import RunContext
from fanout.retrieval.passages import Hit
from fanout.types import BranchPlan
from fanout.workflows.combining.combine import combine_all
from fanout.workflows.definition import Research
from fanout.workflows.prompting import Resolve, branch_plan
from fanout.workflows.specs import BranchSpec

MOST_QUERIES = 6
_SNIPPET = 180
_BULLET = re.compile(r"^\s*(?:[-*•]|\(?\d{1,2}[.):])\s*")
_HEADING = re.compile(r"^#{1,6}[ \t]+", re.MULTILINE)
_LABEL = re.compile(
    r"^\W*(?:search\s+)?(?:keywords?|quer(?:y|ies)|questions?|answer)\W*:[\s*_]*", re.IGNORECASE
)


def plan(spec: Research, topic: str, resolve: Resolve, marker: str = "") -> tuple[BranchPlan, ...]:
    """One branch per strategy; the one that searches for the question as asked calls no model."""
    return tuple(branch_plan(spec, one, topic, resolve, marker=marker) for one in spec.active)


def queries_in(text: str, strategy: BranchSpec, topic: str) -> tuple[str, ...]:
    """What to search for: the rewriting as a whole, or each of its lines; never nothing."""
    if strategy.queries == "whole":
        found = [_LABEL.sub("", text.strip())]
    else:
        found = [_LABEL.sub("", _BULLET.sub("", line)).strip() for line in text.splitlines()]
    kept = list(dict.fromkeys(one.strip() for one in found if one.strip()))[:MOST_QUERIES]
    return tuple(kept) or (topic,)


def found_words(queries: tuple[str, ...], hits: tuple[Hit, ...], *, rewritten: bool) -> str:
    """What a search brought, as the branch shows it."""
    asked = "" if rewritten else f"Searched for: {queries[0]}\n"
    if not hits:
        return f"{asked}\nNothing was found."
    lines = [f"{i}. **{_where(hit)}** {_snippet(hit)}" for i, hit in enumerate(hits, 1)]
    return "\n".join([asked, "Found:", "", *lines])


def _where(hit: Hit) -> str:
    passage = hit.passage
    return f"{passage.title}, {passage.place}:" if passage.place else f"{passage.title}:"


def _snippet(hit: Hit) -> str:
    words = " ".join(_HEADING.sub("", hit.passage.text).split())
    if len(words) <= _SNIPPET:
        return words
    return words[:_SNIPPET].rsplit(" ", 1)[0] + " …"


async def run(spec: Research, topic: str, resolve: Resolve, context: RunContext) -> None:
    """Search along every strategy, then fuse and answer."""
    strategies = {one.id: one for one in spec.active}

    async def search(plan: BranchPlan) -> None:
        text = context.snapshot.branch(plan.id).text
        queries = queries_in(text, strategies[plan.id], topic)
        hits = await context.search(plan, queries, limit=spec.found, documents=spec.documents)
        between = "\n\n" if text else ""
        context.write(plan.id, between + found_words(queries, hits, rewritten=bool(text)))

    await context.fan_out(
        context.planned,
        then=search,
        combine=lambda: combine_all(spec, topic, resolve, context),
    )
