"""Tracing where answers came from, on the thread that asks."""

from __future__ import annotations

import logging

from fanout.render.sources import Job, Sources, Tracer
from fanout.snapshot import Snapshot

log = logging.getLogger(__name__)


def trace_here(tracer: Tracer, snapshot: Snapshot) -> None:
    """Trace every answer that is finished and not traced yet. Tens of milliseconds for each."""
    while (due := tracer.due(snapshot)) is not None:
        made, job = due
        tracer.learn(made, traced(job))


def traced(job: Job) -> Sources | None:
    """None where our own mistake would otherwise take the board away from everybody."""
    try:
        return job.trace()
    except Exception:
        log.exception("sources of %s", job.id)
        return None
