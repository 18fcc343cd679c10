"""Rows wait for an endpoint that keeps failing, where one after the other would only fail too.

A row of a run that somebody watches is refused at once while an endpoint's circuit is open; of five
thousand rows in the night none would be left when it is back. So those that haven't begun wait, and
one at a time finds out how it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from anyio import sleep

from fanout.batch.places import calls_named
from fanout.batches import Batch
from fanout.engine.endpoints import EndpointBook
from fanout.errors import DefinitionError
from fanout.people import PersonId
from fanout.traffic.circuit import CircuitState
from fanout.traffic.health import EndpointHealth
from fanout.types import BatchId, Via
from fanout.workflows.parsing import parse

LOOK_S = 0.5


class Lull:
    """One for all rows of this process."""

    def __init__(self, book_of: Callable[[PersonId], EndpointBook]) -> None:
        """`book_of` tells which endpoints a person's rows ask."""
        self._book_of = book_of
        self._waiting: dict[BatchId, tuple[int, str]] = {}
        self._calls: dict[BatchId, frozenset[tuple[str, ...]]] = {}

    @property
    def notes(self) -> tuple[str, ...]:
        """What is waited for, for people."""
        return tuple(said for _, said in list(self._waiting.values()))

    async def over(
        self, batch: Batch, alone: Callable[[], bool], ended: Callable[[], bool]
    ) -> None:
        """Return once the endpoint takes calls again, or for the row that tries: one where none of
        its batch is in hand (`alone`). Also once it is `ended`, whatever it was."""
        if batch.via is Via.PROVIDER:
            return
        waited = False
        book = self._book_of(batch.person)
        try:
            while not ended() and (health := self._failing(batch, book)) is not None:
                if health.circuit_s <= 0 and alone():
                    return
                if not waited:
                    waited = True
                    self._enter(batch, book, health)
                await sleep(LOOK_S)
        finally:
            if waited:
                self._leave(batch)

    def _failing(self, batch: Batch, book: EndpointBook) -> EndpointHealth | None:
        """An endpoint that some call of a row can't do without; of several the one that has to be
        waited for longest."""
        ill = {one.endpoint: one for one in book.health() if one.circuit is not CircuitState.CLOSED}
        if not ill:
            return None
        if batch.id not in self._calls:
            self._calls[batch.id] = frozenset(_named(batch))
        needed: list[EndpointHealth] = []
        for names in self._calls[batch.id]:
            asked = [book.resolve(name, batch.model).endpoint for name in names]
            if all(endpoint in ill for endpoint in asked):
                needed.append(ill[asked[0]])
        return max(needed, key=lambda one: one.circuit_s, default=None)

    def _enter(self, batch: Batch, book: EndpointBook, health: EndpointHealth) -> None:
        rows, _ = self._waiting.get(batch.id, (0, ""))
        known = book.known(health.endpoint)
        name = known.name if known is not None else health.endpoint
        self._waiting[batch.id] = (
            rows + 1,
            f'The batch "{batch.title}" waits: {name} failed {health.failures_in_a_row} times in a '
            "row. Now and then one row finds out whether it is back; the others begin after that.",
        )

    def _leave(self, batch: Batch) -> None:
        rows, said = self._waiting[batch.id]
        if rows > 1:
            self._waiting[batch.id] = (rows - 1, said)
        else:
            del self._waiting[batch.id]


def _named(batch: Batch) -> Iterator[tuple[str, ...]]:
    """For each call of a row, the models that it asks in turn, as the definition writes them."""
    try:
        workflow = parse(batch.definition, name=batch.workflow)
    except DefinitionError:
        yield ("",)
        return
    yield from calls_named(workflow)
