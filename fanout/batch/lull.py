"""Rows wait for an endpoint that keeps failing, where one after the other would only fail too.

A row of a run that somebody watches is refused at once while an endpoint's circuit is open; of five
thousand rows in the night none would be left when it is back. So those that haven't begun wait, and
one at a time finds out how it is.
"""

from __future__ import annotations

from collections.abc import Callable

from anyio import sleep

from fanout.batches import Batch
from fanout.engine.endpoints import EndpointBook
from fanout.traffic.circuit import CircuitState
from fanout.traffic.health import EndpointHealth
from fanout.types import BatchId, Via

LOOK_S = 0.5


class Lull:
    """One for all rows of this process."""

    def __init__(self, endpoints: EndpointBook) -> None:
        self._endpoints = endpoints
        self._waiting: dict[BatchId, tuple[int, str]] = {}

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
        try:
            while not ended() and (health := self._failing(batch)) is not None:
                if health.circuit_s <= 0 and alone():
                    return
                if not waited:
                    waited = True
                    self._enter(batch, health)
                await sleep(LOOK_S)
        finally:
            if waited:
                self._leave(batch)

    def _failing(self, batch: Batch) -> EndpointHealth | None:
        asked = batch.model.endpoint
        if asked not in self._endpoints:
            return None
        found = next((one for one in self._endpoints.health() if one.endpoint == asked), None)
        return None if found is None or found.circuit is CircuitState.CLOSED else found

    def _enter(self, batch: Batch, health: EndpointHealth) -> None:
        rows, _ = self._waiting.get(batch.id, (0, ""))
        name = self._endpoints.get(batch.model.endpoint).name
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
