"""The parts of a sentence that may come from different branches."""

from __future__ import annotations

import re

from fanout.insight.terms import terms

FEWEST_TERMS = 3
"""A part with fewer content words than this belongs to its neighbour."""
LONGEST_SENTENCE = 4_000
"""Characters; what is longer is no sentence, and looking at each part of it anew takes long."""

_CUT = re.compile(
    r"[;:,]\s+|\s[—–-]\s|—|[\uff0c\uff1b\uff1a\u3001]"
    r"|\s(?=(?:and|but|while|whereas|although|though|because|yet|und|aber|et|mais|y|pero)\s)",
    re.IGNORECASE,
)


def clauses(sentence: str) -> tuple[str, ...]:
    """The parts of a sentence, each with enough content to be looked for; empty if it has only one.

    "Rents fall by 5 %, and the council plans two parks" has two.
    """
    if len(sentence) > LONGEST_SENTENCE:
        return ()
    parts: list[str] = []
    for piece in _CUT.split(sentence):
        if parts and (len(terms(parts[-1])) < FEWEST_TERMS or len(terms(piece)) < FEWEST_TERMS):
            parts[-1] = f"{parts[-1]} {piece}"
        else:
            parts.append(piece)
    return tuple(parts) if len(parts) > 1 else ()
