"""An estimate in sentences, as the page and the command line say it."""

from __future__ import annotations

from collections.abc import Sequence

from fanout.batch.estimate import BatchEstimate
from fanout.batch.timing import TimeSpan
from fanout.render.words import usd_text


def estimate_lines(estimate: BatchEstimate) -> tuple[str, ...]:
    """What it takes, what it costs, how long it lasts; each with its basis."""
    rows = f"{estimate.rows:,} row{'' if estimate.rows == 1 else 's'}"
    calls = f"{estimate.calls:,} call{'' if estimate.calls == 1 else 's'}"
    least, most = estimate.output_tokens_least, estimate.output_tokens_most
    tokens = (
        f"about {estimate.input_tokens:,} tokens in at most, {_span([f'{least:,}', f'{most:,}'])} "
        "out"
    )
    return (f"{rows}: {calls}, {tokens}.", cost_words(estimate), time_words(estimate.time))


def cost_words(estimate: BatchEstimate) -> str:
    """As "Cost: $0.10 to $0.40", and where that comes from."""
    if estimate.low_usd is None or estimate.high_usd is None:
        return "Cost: unknown, since nobody knows the price of a model."
    if estimate.free:
        return f"Cost: free ({estimate.basis})."
    span = _span([usd_text(estimate.low_usd), usd_text(estimate.high_usd)])
    return f"Cost: {span} ({estimate.basis})."


def time_words(time: TimeSpan) -> str:
    """As "Time: 4 min to 7 min", and where that comes from."""
    low = None if time.low_s is None else long_text(time.low_s)
    high = None if time.high_s is None else long_text(time.high_s)
    if low is not None and high is not None:
        said = _span([low, high])
    elif low is not None:
        said = f"at least {low}"
    else:
        said = "unknown" if high is None else f"at most {high}"
    return f"Time: {said} ({time.basis})."


def long_text(seconds: float) -> str:
    """ "45 s", "12 min", "3 h 20 min", "2 d 4 h": as exact as anybody can foresee."""
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    minutes = round(seconds / 60)
    if minutes < 90:
        return f"{minutes} min"
    hours, rest = divmod(minutes, 60)
    if hours < 36:
        return f"{hours} h {rest} min" if rest else f"{hours} h"
    days, hours = divmod(round(minutes / 60), 24)
    return f"{days} d {hours} h" if hours else f"{days} d"


def _span(ends: Sequence[str]) -> str:
    return ends[0] if len(set(ends)) == 1 else " to ".join(ends)
