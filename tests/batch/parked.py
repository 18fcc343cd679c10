"""An engine whose rows go through the Batch API of a scripted server, over real HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from time import monotonic, sleep

from fanout.endpoint import Endpoint, Secret
from fanout.engine.collecting import Collecting
from fanout.engine.endpoints import EndpointBook
from fanout.engine.engine import Engine
from fanout.engine.handle import RunHandle
from fanout.policies import RetryPolicy
from fanout.providers.base import Provider
from fanout.providers.openai_compatible import OpenAICompatible
from fanout.providers.script import Script
from fanout.providers.scripted_server import ServerHandle, serving
from fanout.retrieval.library import Library
from fanout.snapshot import Snapshot
from fanout.store.store import Store
from fanout.types import BatchId, EndpointId, ModelRef, Price, RowPlace, RunId, Via
from fanout.workflows.definition import Workflow

HERE = EndpointId("here")
MODEL = ModelRef(endpoint=HERE, model="gpt-4o-mini")
BATCH = BatchId("batch-1")
PATIENCE_S = 30.0
QUICK = Collecting(
    quiet_s=0.15,
    longest_s=1.0,
    look_s=0.02,
    first_poll_s=0.02,
    longest_poll_s=0.05,
    again_s=0.02,
    longest_again_s=0.05,
    give_up_s=5.0,
    room_s=0.05,
    most_room_s=0.1,
)
AT_ONCE = RetryPolicy(first_wait_s=0.01, longest_wait_s=0.02)


@dataclass(frozen=True, slots=True, kw_only=True)
class Parked:
    """One process's engine, and the server that it asks."""

    engine: Engine
    store: Store
    server: ServerHandle

    def row(
        self, workflow: Workflow, topic: str = "rain", number: int = 1, via: Via = Via.PROVIDER
    ) -> RunHandle:
        place = RowPlace(batch=BATCH, number=number, via=via)
        run_id = RunId(f"row-{number}")
        return self.engine.start(workflow, topic, MODEL, run_id=run_id, row=place)

    def run(self, workflow: Workflow, topic: str = "rain", number: int = 1) -> Snapshot:
        return ended(self.row(workflow, topic, number))

    def resumed(self, number: int = 1) -> RunHandle:
        """The same row gone on with, as after a crash or by Retry."""
        handle = self.engine.get(f"row-{number}")
        assert handle is not None
        assert handle.resume()
        return handle


def ended(handle: RunHandle) -> Snapshot:
    snapshot = handle.wait(timeout_s=PATIENCE_S)
    assert snapshot.status.finished, "the row did not end in time"
    return snapshot


@contextmanager
def engine_of(
    server: ServerHandle,
    store: Store,
    *,
    pace: Collecting = QUICK,
    retries: RetryPolicy | None = AT_ONCE,
    price: Price | None = None,
    key: str = "",
    library: Library | None = None,
) -> Iterator[Parked]:
    def make(endpoint: Endpoint, secret: Secret | None) -> Provider:
        return OpenAICompatible(endpoint, secret)

    book = EndpointBook(make)
    endpoint = Endpoint(
        id=HERE, name="Here", base_url=server.base_url, prices={"*": price} if price else {}
    )
    book.put(endpoint, Secret(key) if key else None)
    documents = None if library is None else lambda: library
    with Engine(book, retries=retries, store=store, library=documents) as engine:
        engine.parking.pace = pace
        yield Parked(engine=engine, store=store, server=server)


@contextmanager
def parked(script: Script, store: Store, **more: object) -> Iterator[Parked]:
    """A server with that script and one engine that asks it."""
    with serving(script) as server, engine_of(server, store, **more) as here:  # type: ignore[arg-type]
        yield here


def comes_true(holds: object, timeout_s: float = PATIENCE_S) -> bool:
    """Whether a condition that nobody can be asked to wait for holds in time."""
    assert callable(holds)
    until = monotonic() + timeout_s
    while not holds():
        if monotonic() > until:
            return False
        sleep(0.01)
    return True
