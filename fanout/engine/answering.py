"""Who answers for a run: whose endpoints and documents it may use, and which model a name means."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from fanout import pricing
from fanout.engine.belongings import BelongingsOf
from fanout.engine.endpoints import EndpointBook
from fanout.engine.execution import SharedCalls
from fanout.engine.retriever import Retriever
from fanout.errors import SettingsError
from fanout.kernel.prefix import PrefixMemory
from fanout.people import PersonId
from fanout.retrieval.library import Library
from fanout.structured.ladder import Ladder
from fanout.types import BranchPlan, ModelRef


class Answering:
    """What everybody shares, and in its place what belongs to one person."""

    def __init__(
        self,
        endpoints: EndpointBook,
        library: Callable[[], Library] | None,
        belongings: BelongingsOf | None,
    ) -> None:
        """As `Engine` takes them."""
        self._endpoints = endpoints
        self._belongings = belongings
        search = Retriever(library or _no_library, endpoints).search
        self._shared = SharedCalls(endpoints, search, Ladder(), PrefixMemory())

    def book(self, person: PersonId) -> EndpointBook:
        """The endpoints that a person's runs may ask, and no others by whatever name."""
        if not person or self._belongings is None:
            return self._endpoints
        return self._belongings(person).endpoints

    def calls(self, person: PersonId) -> SharedCalls:
        """The kernel's view of the process, for that person's runs."""
        if not person or self._belongings is None:
            return self._shared
        own = self._belongings(person)
        search = Retriever(own.library, own.endpoints).search
        return SharedCalls(own.endpoints, search, own.ladder, own.prefixes)

    def resolver(self, model: ModelRef, person: PersonId) -> Callable[[str], ModelRef]:
        """Turns a definition's model names into models at that person's endpoints."""
        book = self.book(person)
        return lambda name: _named(book.resolve(name, model), book)

    def look_up_prices(self, plans: Iterable[BranchPlan], person: PersonId) -> None:
        """The first look-up loads the price list for 0.3 s: not while branches are being timed."""
        book = self.book(person)
        for branch in plans:
            if branch.model.endpoint in book:
                pricing.price(book.get(branch.model.endpoint), branch.model.model)


def _named(model: ModelRef, book: EndpointBook) -> ModelRef:
    """With no model named, the endpoint's own default."""
    if model.model or model.endpoint not in book:
        return model
    return ModelRef(endpoint=model.endpoint, model=book.get(model.endpoint).default_model)


def _no_library() -> Library:
    raise SettingsError("This engine was opened without documents; give it a library to search in.")
