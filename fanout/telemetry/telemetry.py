"""All that operators asked to see, by the settings, as one witness."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field

from fanout.errors import SettingsError
from fanout.settings import Settings
from fanout.telemetry.log_form import write_log
from fanout.telemetry.metrics import Metrics, Sources
from fanout.telemetry.run_log import RunLog
from fanout.telemetry.traces import Traces
from fanout.telemetry.witness import Witness, Witnesses

QUIET = ("text", "warning")
"""The log as Python writes it by itself: nothing is changed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Telemetry:
    witness: Witnesses
    metrics: Metrics | None = None
    port: int = 0
    problems: list[str] = field(default_factory=list)
    """What was asked for and can't be had; runs go on without it."""

    def serve(self) -> list[str]:
        """Serve metrics from now on, where that was asked for; why not, if they can't be."""
        metrics = self.metrics
        return [] if metrics is None else _tried(lambda: metrics.serve(self.port))

    def close(self) -> None:
        self.witness.close()


def log_as_asked(settings: Settings) -> bool:
    """By FANOUT_LOG and FANOUT_LOG_LEVEL; whether anything was asked."""
    asked = (settings.log_form, settings.log_level)
    if asked == QUIET:
        return False
    write_log(*asked)
    return True


def telemetry(
    settings: Settings, shipped: Callable[[], Collection[str]], sources: Sources
) -> Telemetry:
    """By FANOUT_TRACES, FANOUT_METRICS, FANOUT_LOG and FANOUT_LOG_LEVEL. Never raises. `shipped`
    tells the names of the shipped workflows, and is asked only where there are metrics."""
    each: list[Witness] = []
    problems: list[str] = []
    metrics: list[Metrics] = []
    if log_as_asked(settings):
        each.append(RunLog())
    if settings.traces:
        problems += _tried(lambda: each.append(Traces.to(settings.traces)))
    if settings.metrics_port:
        problems += _tried(lambda: metrics.append(Metrics(shipped(), sources)))
    return Telemetry(
        witness=Witnesses((*each, *metrics)),
        metrics=metrics[0] if metrics else None,
        port=settings.metrics_port,
        problems=problems,
    )


def _tried(act: Callable[[], object]) -> list[str]:
    try:
        act()
    except SettingsError as error:
        return [str(error)]
    return []
