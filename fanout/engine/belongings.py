"""What one person's runs are carried out with: the endpoints they may ask, their documents."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from fanout.engine.endpoints import EndpointBook
from fanout.kernel.prefix import PrefixMemory
from fanout.people import PersonId
from fanout.retrieval.library import Library
from fanout.structured.ladder import Ladder


@dataclass(frozen=True, slots=True, kw_only=True)
class Belongings:
    """Nobody else's runs are carried out with these."""

    endpoints: EndpointBook
    library: Callable[[], Library]
    """Opens the documents on first need."""
    ladder: Ladder
    prefixes: PrefixMemory
    """What their runs have learnt about models; names of endpoints mean others for others."""


BelongingsOf = Callable[[PersonId], Belongings]
