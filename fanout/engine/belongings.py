"""What one person's runs are carried out with: the endpoints they may ask, their documents."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from fanout.engine.endpoints import EndpointBook
from fanout.people import PersonId
from fanout.retrieval.library import Library


@dataclass(frozen=True, slots=True, kw_only=True)
class Belongings:
    """Nobody else's runs are carried out with these."""

    endpoints: EndpointBook
    library: Callable[[], Library]
    """Opens the documents on first need."""


BelongingsOf = Callable[[PersonId], Belongings]
