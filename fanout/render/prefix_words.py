"""The words for what branches share: how it was computed once, and what that saved."""

from __future__ import annotations

from fanout.insight.practice import counted, named
from fanout.insight.prefix import PrefixSaving
from fanout.render.words import seconds_text, usd_text
from fanout.snapshot import Snapshot


def saving_text(saving: PrefixSaving, snapshot: Snapshot) -> str:
    """Two sentences: what was done and how long it took, then what the endpoint says it saved."""
    shared = f"{counted(saving.branches, 'branch', 'branches')} begin alike"
    size = f"about {saving.tokens:,} tokens"
    took = seconds_text(saving.took_s)
    if saving.by:
        ahead = named([snapshot.branch(branch).title for branch in saving.by])
        how = f"{ahead} went ahead, and the others started {took} later"
    else:
        how = f"that was computed once in {took}, then copied"
    return f"{shared} ({size}): {how}. {_brought(saving)}"


def _brought(saving: PrefixSaving) -> str:
    who = counted(saving.answered, "branch", "branches")
    if not saving.answered:
        return "What that saves is known when they have ended."
    if not saving.cached:
        return f"The endpoint reports no cached tokens for {who}, so it saved nothing that is seen."
    read = f"{saving.cached:,} of {saving.input:,} input tokens of {who} came from the cache"
    if saving.usd is None:
        return f"{read}; what that saved in money is unknown."
    return f"{read}, which saved {usd_text(saving.usd)}." if saving.usd else f"{read}."
