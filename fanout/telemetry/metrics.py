"""Metrics for Prometheus, served on a port of this machine only.

An extra: requirements-trace.txt. Counters follow events; gauges are read when somebody scrapes.
Labels are ids, models and states, never a text: workflows and endpoints that people brought count
as "own", and a model is named once it has answered (labels.py).
"""

from __future__ import annotations

from collections import Counter as Tally
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from fanout.errors import SettingsError
from fanout.events import AttemptFailed, BranchFinished, Event, HedgeSettled, RunFinished
from fanout.snapshot import Branch, Snapshot
from fanout.telemetry.labels import DefaultModel, Labels
from fanout.telemetry.witness import Told
from fanout.types import BranchState

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry
    from prometheus_client.core import Metric

MISSING = (
    "FANOUT_METRICS is set, but the package for metrics isn't installed, so none are served. "
    "Install it: python -m pip install -r requirements-trace.txt"
)
ADDRESS = "127.0.0.1"
FIRST_TOKEN_S = (0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30, 60, 120)
CALL_S = (0.5, 1, 2, 4, 8, 15, 30, 60, 120, 300, 600)


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointGauges:
    """What one endpoint is doing at this moment."""

    endpoint: str
    slots: int
    allowed: int
    in_flight: int
    waiting: int
    paused_s: float
    circuit_open: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """Where gauges are read; each is asked at every scrape, on a thread of the server's."""

    runs: Callable[[], Iterable[Snapshot]]
    endpoints: Callable[[], Iterable[EndpointGauges]]
    rows: Callable[[], dict[str, int]]
    """Rows of all batches that are under way, by state."""
    default_model: DefaultModel = lambda _endpoint: ""


class Metrics:
    """A witness that counts, and a server of what it counted."""

    def __init__(self, shipped: Collection[str], sources: Sources) -> None:
        """`shipped` are the workflows that are told by name. SettingsError: the package is
        missing."""
        try:
            from prometheus_client import CollectorRegistry, Counter, Histogram
        except ImportError:
            raise SettingsError(MISSING) from None
        self._shipped = frozenset(shipped)
        self._labels = Labels(sources.default_model)
        self.registry: CollectorRegistry = CollectorRegistry()
        count = partial(Counter, registry=self.registry)
        measure = partial(Histogram, registry=self.registry)
        of_model = ["endpoint", "model"]
        self._runs = count("fanout_runs", "Runs that ended", ["workflow", "status"])
        self._run_s = measure(
            "fanout_run_seconds", "Wall time of runs", ["workflow"], buckets=CALL_S
        )
        self._calls = count(
            "fanout_calls", "Branches and combining calls that ended", [*of_model, "state"]
        )
        self._first_s = measure(
            "fanout_first_token_seconds",
            "From the request to the first token",
            of_model,
            buckets=FIRST_TOKEN_S,
        )
        self._call_s = measure(
            "fanout_call_seconds",
            "From its start to its end, retries included, time in the queue not",
            of_model,
            buckets=CALL_S,
        )
        self._tokens = count("fanout_tokens", "Tokens", [*of_model, "direction"])
        self._cost = count("fanout_cost_usd", "Known cost in US dollars", of_model)
        self._unknown = count(
            "fanout_cost_unknown_calls", "Calls whose cost nobody knows", of_model
        )
        self._failed = count("fanout_attempts_failed", "Attempts that failed", ["endpoint", "kind"])
        self._hedges = count("fanout_hedges", "Second requests", ["endpoint", "won"])
        self.registry.register(_Now(sources))
        self._stop: Callable[[], None] = lambda: None

    def serve(self, port: int) -> int:
        """Serve them at http://127.0.0.1:PORT/metrics; the port that it is. SettingsError where it
        is taken."""
        from prometheus_client import start_http_server

        try:
            server, thread = start_http_server(port, addr=ADDRESS, registry=self.registry)
        except OSError as error:
            raise SettingsError(
                f"Metrics can't be served at port {port}: {error.strerror}. Set FANOUT_METRICS to "
                "a port that is free."
            ) from None

        def stop() -> None:
            server.shutdown()
            server.server_close()
            thread.join(1)

        self._stop = stop
        return int(server.server_port)

    def saw(self, run: Told, event: Event) -> None:
        match event:
            case BranchFinished():
                self._finished(_call(run.snapshot, event), event)
            case AttemptFailed():
                endpoint = self._labels.endpoint(_call(run.snapshot, event).answered_by)
                self._failed.labels(endpoint, event.failure.kind.value).inc()
            case HedgeSettled():
                won = {True: "yes", False: "no", None: "neither"}[event.won]
                endpoint = self._labels.endpoint(_call(run.snapshot, event).answered_by)
                self._hedges.labels(endpoint, won).inc()
            case RunFinished():
                snapshot = run.snapshot
                name = snapshot.workflow if snapshot.workflow in self._shipped else "own"
                self._runs.labels(name, event.status.value).inc()
                self._run_s.labels(name).observe(snapshot.wall_s(event.at))
            case _:
                pass

    def close(self) -> None:
        self._stop()

    def _finished(self, call: Branch, event: BranchFinished) -> None:
        model = self._labels.of(call.answered_by, answered=_answered(call))
        self._calls.labels(*model, event.state.value).inc()
        if event.failure is not None and event.state in (BranchState.FAILED, BranchState.TIMED_OUT):
            self._failed.labels(model[0], event.failure.kind.value).inc()
        if call.started_s is None:
            return
        if call.first_token_s is not None:
            waited = call.spent_s(BranchState.WAITING, event.at)
            self._first_s.labels(*model).observe(waited)
        self._call_s.labels(*model).observe(max(0.0, event.at - call.started_s))
        if event.usage is not None:
            self._tokens.labels(*model, "input").inc(event.usage.input)
            self._tokens.labels(*model, "output").inc(event.usage.output)
            self._tokens.labels(*model, "cached").inc(event.usage.cached)
        if event.cost is not None:
            self._cost.labels(*model).inc(float(event.cost.usd))
        else:
            self._unknown.labels(*model).inc()


class _Now:
    """Gauges, read at the moment of a scrape."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources

    def collect(self) -> Iterator[Metric]:
        from prometheus_client.core import GaugeMetricFamily

        live = [run for run in self._sources.runs() if not run.status.finished]
        in_flight = GaugeMetricFamily("fanout_runs_in_flight", "Runs that go on in this process")
        in_flight.add_metric([], len(live))
        yield in_flight
        states = GaugeMetricFamily(
            "fanout_branches", "Branches of runs in flight, by state", labels=["state"]
        )
        counted = Tally(branch.state for run in live for branch in run.branches)
        for state in BranchState:
            states.add_metric([state.value], counted[state])
        yield states
        rows = GaugeMetricFamily(
            "fanout_batch_rows", "Rows of batches under way, by state", labels=["state"]
        )
        for name, count in self._sources.rows().items():
            rows.add_metric([name], count)
        yield rows
        yield from self._endpoints()

    def _endpoints(self) -> Iterator[Metric]:
        from prometheus_client.core import GaugeMetricFamily

        seen = tuple(self._sources.endpoints())
        for name, words, value in (
            ("slots", "Calls at once that are allowed by setting", lambda one: one.slots),
            ("allowed", "Calls at once that it is given now", lambda one: one.allowed),
            ("in_flight", "Calls under way", lambda one: one.in_flight),
            ("waiting", "Calls in the queue", lambda one: one.waiting),
            ("paused_seconds", "Until calls go on; 0 is not pausing", lambda one: one.paused_s),
            ("circuit_open", "1 while it is left alone", lambda one: int(one.circuit_open)),
        ):
            gauge = GaugeMetricFamily(f"fanout_endpoint_{name}", words, labels=["endpoint"])
            for one in seen:
                gauge.add_metric([one.endpoint], value(one))
            yield gauge


def _call(snapshot: Snapshot, event: BranchFinished | AttemptFailed | HedgeSettled) -> Branch:
    return next(call for call in snapshot.calls if call.id == event.id)


def _answered(call: Branch) -> bool:
    return call.first_token_s is not None or call.state.succeeded
