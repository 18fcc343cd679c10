"""Reciprocal-rank fusion: several rankings become one, by ranks alone.

Cormack, Clarke and Buettcher, "Reciprocal Rank Fusion outperforms Condorcet and individual Rank
Learning Methods", SIGIR 2009: score(d) = sum over the rankings that hold d of 1 / (k + rank), with
k = 60. Scores of different sources can't be compared, ranks can.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from fanout.retrieval.passages import Fused, Hit, Passage

K = 60


def fuse(rankings: Mapping[str, Sequence[Hit]], k: int = K) -> tuple[Fused, ...]:
    """Every passage found, best first; equal scores by the better single rank, then by id.

    A passage that one ranking holds twice counts there once, at its better rank. The order of the
    rankings changes nothing. ValueError for a k or a rank with which a share would not be positive.
    """
    passages: dict[str, Passage] = {}
    found_by: dict[str, dict[str, int]] = {}
    for name, hits in rankings.items():
        for hit in hits:
            if hit.rank < 1 or k < 0:
                raise ValueError(f"ranks begin at 1 and k at 0, not {hit.rank} and {k}")
            passages.setdefault(hit.passage.id, hit.passage)
            ranks = found_by.setdefault(hit.passage.id, {})
            ranks[name] = min(hit.rank, ranks.get(name, hit.rank))
    # fsum is exact, so that the order of the rankings can't decide a tie.
    scores = {id: math.fsum(1 / (k + r) for r in ranks.values()) for id, ranks in found_by.items()}
    order = sorted(scores, key=lambda id: (-scores[id], min(found_by[id].values()), id))
    return tuple(
        Fused(passage=passages[id], rank=rank, score=scores[id], found_by=found_by[id])
        for rank, id in enumerate(order, start=1)
    )
