"""What a process shows of itself to whoever scrapes its metrics, read at that moment."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from typing import TYPE_CHECKING

from fanout.errors import StoreError
from fanout.telemetry.metrics import EndpointGauges, Sources
from fanout.traffic.circuit import CircuitState
from fanout.traffic.health import EndpointHealth
from fanout.types import EndpointId

if TYPE_CHECKING:
    from fanout.engine.runtime import Runtime


def sources_of(runtime: Runtime) -> Sources:
    """Asked only once the runtime is open."""
    return Sources(
        # Those of other processes, which are only looked at here, are told there.
        runs=lambda: [run.snapshot for run in runtime.engine.runs() if not run.elsewhere],
        endpoints=lambda: [_gauges(one) for one in runtime.engine.endpoints.health()],
        rows=lambda: _rows(runtime),
        default_model=lambda name: _default_model(runtime, EndpointId(name)),
    )


def _gauges(one: EndpointHealth) -> EndpointGauges:
    return EndpointGauges(
        endpoint=one.endpoint,
        slots=one.slots,
        allowed=one.allowed,
        in_flight=one.in_flight,
        waiting=one.waiting,
        paused_s=one.paused_s,
        circuit_open=one.circuit is not CircuitState.CLOSED,
    )


def _default_model(runtime: Runtime, endpoint: EndpointId) -> str | None:
    known = runtime.engine.endpoints.known(endpoint)
    return None if known is None else known.default_model


def _rows(runtime: Runtime) -> dict[str, int]:
    """Of all batches that are under way; none while the database is away."""
    counted: Counter[str] = Counter()
    with suppress(StoreError):
        for batch in runtime.store.batches.open():
            counted.update(runtime.store.batches.progress(batch.id).counts)
    return dict(counted)
