"""Embeddings that a run pays for, set aside like every call.

Where they don't fit they are left out, since no answer hangs on them.
"""

from __future__ import annotations

from collections.abc import Sequence

from fanout.kernel.calls import Embed
from fanout.kernel.means import Means
from fanout.providers.base import Embedded
from fanout.tokens import estimated_tokens
from fanout.types import ModelRef, Usage


def paid(means: Means) -> Embed:
    """Embeddings within the run's budget."""

    async def embed(model: ModelRef, texts: Sequence[str]) -> Embedded:
        reservation = await means.purse.reserve_vectors(model, texts)
        usage = Usage()
        try:
            sent = Usage(input=sum(map(estimated_tokens, texts)), estimated=True)
            usage = sent
            made = await means.calls.provider(model).embed(model.model, texts)
            usage = made.usage or sent
            return made
        finally:
            reservation.settle(usage, means.cost(model, usage))

    return embed
