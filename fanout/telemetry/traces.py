"""Traces by OpenTelemetry: each run is sent when it has ended, by a thread of its own.

An extra: requirements-trace.txt. Which endpoint, headers and sampling are the SDK's own settings
(OTEL_EXPORTER_OTLP_HEADERS, OTEL_TRACES_SAMPLER, OTEL_SERVICE_NAME); FANOUT_TRACES is where to.
"""

from __future__ import annotations

import logging
import os
import queue
import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING

from fanout import __version__
from fanout.errors import SettingsError
from fanout.events import Event, RunFinished
from fanout.snapshot import Snapshot
from fanout.telemetry.call_trace import last_stretch
from fanout.telemetry.spans import Span, run_span
from fanout.telemetry.witness import Told

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SpanExporter
    from opentelemetry.trace import Tracer

log = logging.getLogger(__name__)

TEXTS = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"
"""The conventions' switch for prompts and answers; anything but a yes leaves them out."""
MISSING = (
    "FANOUT_TRACES is set, but the packages for traces aren't installed, so none are sent. "
    "Install them: python -m pip install -r requirements-trace.txt"
)
CLOSES_S = 1.0
"""How long the end of the process waits for what wasn't sent yet."""
MOST_WAITING = 1_000
"""Runs that wait to be sent; where the receiver is away for long, newer ones are dropped."""


class Traces:
    """A witness that sends each finished run as one trace."""

    def __init__(self, exporter: SpanExporter, *, texts: bool = False) -> None:
        """`exporter` takes the spans, as the SDK's own ones do; it is closed with this."""
        self._provider = _provider(exporter)
        self._tracer = self._provider.get_tracer("fanout", __version__)
        self._texts = texts
        self._ended: queue.Queue[tuple[tuple[Event, ...], Snapshot] | None] = queue.Queue(
            MOST_WAITING
        )
        self._thread = threading.Thread(target=self._send_on, name="fanout-traces", daemon=True)
        self._thread.start()

    @classmethod
    def to(cls, address: str, environment: Mapping[str, str] | None = None) -> Traces:
        """Sends to an OTLP endpoint over HTTP; SettingsError where the packages are missing."""
        try:
            from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        except ImportError:
            raise SettingsError(MISSING) from None
        env = os.environ if environment is None else environment
        path = address if address.endswith("/v1/traces") else f"{address}/v1/traces"
        texts = env.get(TEXTS, "").strip().lower() in ("1", "true", "yes", "span_only")
        return cls(OTLPSpanExporter(endpoint=path), texts=texts)

    def saw(self, run: Told, event: Event) -> None:
        if isinstance(event, RunFinished):
            try:
                self._ended.put_nowait((run.log, run.snapshot))
            except queue.Full:
                log.warning("a trace was dropped: the receiver of traces doesn't keep up")

    def close(self) -> None:
        """Send what waits, for a few seconds at most."""
        self._ended.put(None)
        self._thread.join(CLOSES_S)

    def _send_on(self) -> None:
        while (ended := self._ended.get()) is not None:
            try:
                self._send(*ended)
            except Exception:
                log.exception("a trace was not sent")
        self._provider.shutdown()

    def _send(self, events: tuple[Event, ...], snapshot: Snapshot) -> None:
        trace = last_stretch(events)
        if trace is not None:
            root = run_span(trace, snapshot, texts=self._texts)
            _emit(self._tracer, root, trace.started.started_at)


def _provider(exporter: SpanExporter) -> TracerProvider:
    from opentelemetry.sdk.resources import SERVICE_NAME, SERVICE_VERSION, Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    named = os.environ.get("OTEL_SERVICE_NAME") or "fanout"
    resource = Resource.create({SERVICE_NAME: named, SERVICE_VERSION: __version__})
    # Not the process's own provider: a program that embeds Fanout has traces of its own.
    provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(exporter))
    return provider


def _emit(tracer: Tracer, span: Span, zero: float, parent: object = None) -> None:
    from opentelemetry import trace
    from opentelemetry.context import Context

    context = Context() if parent is None else parent
    assert isinstance(context, Context)
    made = tracer.start_span(
        span.name,
        context=context,
        kind=trace.SpanKind.CLIENT if span.client else trace.SpanKind.INTERNAL,
        attributes=dict(span.attributes),
        start_time=_nanoseconds(zero, span.began_s),
    )
    for moment in span.moments:
        made.add_event(
            moment.name, dict(moment.attributes), timestamp=_nanoseconds(zero, moment.at_s)
        )
    if span.error:
        made.set_attribute("error.type", span.error)
        made.set_status(trace.StatusCode.ERROR, span.error)
    inside = trace.set_span_in_context(made, context)
    for child in span.children:
        _emit(tracer, child, zero, inside)
    made.end(_nanoseconds(zero, span.ended_s))


def _nanoseconds(zero: float, seconds: float) -> int:
    return int((zero + seconds) * 1e9)
