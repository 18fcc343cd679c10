"""The health of an endpoint in words: its state, what its limits leave, how its calls ended."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from fanout.render.policy_words import span_words
from fanout.traffic.circuit import CircuitState
from fanout.traffic.health import EndpointHealth, RateHealth
from fanout.types import EndpointId, FailureKind

LATELY = "the last 15 minutes"
CALM, BUSY, HELD, DOWN = "calm", "busy", "held", "down"
LOOKS = {
    CALM: ":gray[:material/bedtime:]",
    BUSY: ":green[:material/play_circle:]",
    HELD: ":orange[:material/pause_circle:]",
    DOWN: ":red[:material/block:]",
}


def busy(health: EndpointHealth) -> bool:
    """Whether what is said of it will change by itself."""
    held = health.paused_s > 0 or health.circuit is not CircuitState.CLOSED
    return bool(health.in_flight or health.waiting or held)


def can_be_tried(health: EndpointHealth) -> bool:
    """Whether it keeps calls waiting, or away, for what it said or did before."""
    rates = (health.requests, health.tokens)
    used_up = any(rate.left == 0 and rate.source == "learnt" for rate in rates)
    return used_up or health.paused_s > 0 or health.circuit_s > 0


def look(health: EndpointHealth) -> str:
    """One of the four looks of an endpoint."""
    if health.circuit is not CircuitState.CLOSED:
        return DOWN
    if health.paused_s > 0:
        return HELD
    return BUSY if health.in_flight or health.waiting else CALM


def state_words(health: EndpointHealth) -> str:
    """ "Answering · 3 of 8 calls under way · 2 queued", "Pausing for 12 s: …", "At rest"."""
    if health.circuit is CircuitState.PROBING:
        return "One call tries whether it answers again" + _queue(health)
    if health.circuit is CircuitState.OPEN:
        return _left_alone(health)
    if health.paused_s > 0:
        return f"Pausing for {_soon(health.paused_s)}: {_why(health)}{_queue(health)}"
    if health.in_flight or health.waiting:
        word = "Answering" if health.in_flight else "Waiting"
        return f"{word} · {_under_way(health)}{_queue(health)}"
    if not health.calls:
        return f"At rest: not asked in {LATELY}"
    return "At rest"


def limit_words(health: EndpointHealth) -> str:
    """ "480 of 500 requests and 99,000 of 100,000 tokens a minute left, as it says itself"."""
    requests, tokens = health.requests, health.tokens
    known = [
        (_left(rate, noun), rate.source)
        for rate, noun in ((requests, "requests"), (tokens, "tokens"))
        if rate.limit is not None
    ]
    if not known:
        return "No limit is set, and it has said none" if health.calls else ""
    sources = {source for _, source in known}
    if len(sources) == 1:
        whose = _SOURCES[sources.pop() or "learnt"]
        return f"{' and '.join(text for text, _ in known)} a minute left, {whose}"
    return "; ".join(
        f"{text} a minute left, {_SOURCES[source or 'learnt']}" for text, source in known
    )


def calls_words(health: EndpointHealth) -> str:
    """ "34 calls in the last 15 minutes · 6 % failed · 3 rate limits"; empty without any."""
    if not health.calls:
        return ""
    parts = [f"{_counted(health.calls, 'call')} in {LATELY}"]
    rate = health.error_rate
    if rate is not None:
        parts.append("none failed" if not rate else f"{_percent(rate)} failed")
    if health.rate_limited:
        parts.append(_counted(health.rate_limited, "rate limit"))
    if health.hedges:
        parts.append(f"{health.hedges:,} asked twice, {health.hedges_won:,} won by the second")
    return " · ".join(parts)


def trouble(healths: Iterable[EndpointHealth], names: Mapping[EndpointId, str]) -> str:
    """What is said even while the panel is closed: who is in trouble; empty where nobody is."""
    found = list(healths)
    down = [names[h.endpoint] for h in found if look(h) == DOWN]
    held = [names[h.endpoint] for h in found if look(h) == HELD]
    if down:
        return f"{', '.join(down)} {'is' if len(down) == 1 else 'are'} left alone after failures"
    if held:
        return f"{', '.join(held)} {'pauses' if len(held) == 1 else 'pause'} for a while"
    return ""


_SOURCES = {"set": "as set here", "learnt": "as it says itself"}


def _left_alone(health: EndpointHealth) -> str:
    failed = f"{_counted(health.failures_in_a_row, 'failed call')} in a row"
    if health.circuit_s <= 0:
        return f"The next call tries it again, after {failed}"
    return f"Left alone for {_soon(health.circuit_s)} after {failed}"


def _why(health: EndpointHealth) -> str:
    if health.paused_why is FailureKind.SERVER:
        return "it is overloaded, so everybody waits"
    return "it asked somebody to wait, so everybody waits"


def _under_way(health: EndpointHealth) -> str:
    words = f"{health.in_flight} of {_counted(health.allowed, 'call')} under way"
    if health.allowed < health.slots:
        words += f" (fewer than its {health.slots}, after a rate limit)"
    return words


def _queue(health: EndpointHealth) -> str:
    if not health.waiting:
        return ""
    runs = len(health.queued)
    of = f" of {runs} runs" if runs > 1 else ""
    return f" · {health.waiting:,} queued{of}"


def _left(rate: RateHealth, noun: str) -> str:
    limit = f"{rate.limit:,}" if rate.limit is not None else "?"
    return f"{limit} {noun}" if rate.left is None else f"{rate.left:,} of {limit} {noun}"


def _soon(seconds: float) -> str:
    return span_words(max(1, round(seconds)))


def _percent(share: float) -> str:
    return "under 1 %" if share < 0.01 else f"{share * 100:.0f} %"


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
