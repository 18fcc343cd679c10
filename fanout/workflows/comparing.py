"""Ranking several texts fairly: without names, in another order for each judge, never one's own."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from hashlib import blake2s
from string import ascii_uppercase

from fanout.snapshot import Branch
from fanout.structured.reading import read
from fanout.types import BranchId, Form
from fanout.voting.ballot import Ballot
from fanout.voting.plans import Comparison
from fanout.workflows.quoting import quoted

MOST_CANDIDATES = len(ascii_uppercase)


def comparison(
    candidates: Mapping[str, str],
    voters: Sequence[BranchId],
    own: Mapping[BranchId, str],
    seed: str,
) -> Comparison:
    """Who sees what in which order: the same for the same seed, so a run can be repeated."""
    orders = {}
    for voter in voters:
        seen = [one for one in candidates if one != own.get(voter)]
        digest = blake2s(f"{seed}\n{voter}".encode("utf-8", "replace")).digest()
        random.Random(digest).shuffle(seen)
        orders[voter] = tuple(seen)
    return Comparison(candidates=dict(candidates), orders=orders, own=dict(own))


def shown(order: Sequence[str], texts: Mapping[str, str], marker: str) -> str:
    """The texts as one judge sees them, by letter."""
    return "\n\n".join(
        f"Text {letter}:\n{quoted(texts[one], marker)}"
        for letter, one in zip(ascii_uppercase, order, strict=False)
    )


def ranking_form(order: Sequence[str]) -> Form:
    letters = list(ascii_uppercase[: len(order)])
    places = {
        "type": "array",
        "items": {"type": "string", "enum": letters},
        "minItems": len(letters),
        "maxItems": len(letters),
    }
    return Form(
        name="ranking",
        needed=("ranking",),
        schema={
            "type": "object",
            "properties": {
                "reason": {"type": "string", "maxLength": 240},
                "ranking": places,
            },
            "required": ["reason", "ranking"],
        },
    )


def ranking_ballot(branch: Branch, vote: Comparison) -> Ballot:
    """A judge's ranking in the candidates' ids; one that names a text twice is an abstention."""
    order = vote.orders[branch.id]
    reading = read(ranking_form(order).lenient, branch.text)
    if reading.value is None:
        problem = reading.problem or "The answer holds no ranking."
        return Ballot(voter=branch.id, choice=None, problem=problem)
    by_letter = dict(zip(ascii_uppercase, order, strict=False))
    named = reading.value["ranking"]
    letters = [str(one) for one in named] if isinstance(named, list | tuple) else []
    reason = str(reading.value.get("reason") or "")
    if not letters or len(set(letters)) < len(letters) or not set(letters) <= set(by_letter):
        return Ballot(
            voter=branch.id,
            choice=None,
            said=" ".join(letters),
            reason=reason,
            problem="The ranking names a text twice, or one that isn't there.",
        )
    ranking = tuple(by_letter[letter] for letter in letters)
    return Ballot(
        voter=branch.id, choice=ranking[0], said=" ".join(letters), reason=reason, ranking=ranking
    )
