"""The most that a request can cost: the highest price that may be asked for it while it runs.

A list price may have tiers by the length of the input, differ by the hour, have a fee for each
request, and ask more for input that is written to a cache; the highest of each is taken.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import lru_cache

from fanout.endpoint import Endpoint
from fanout.pricing import own_price

_MTOK = Decimal(1_000_000)
_AHEAD_H = 24
"""No request runs longer than this, so no later price can be asked for it."""
_INPUT = ("input_mtok", "cache_read_mtok", "cache_write_mtok")
_OUTPUT = ("output_mtok", "output_reasoning_mtok")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rates:
    """Dollars per million tokens, and per request."""

    input: Decimal
    output: Decimal | None
    """None where a model has no output, as one that makes vectors."""
    request: Decimal = Decimal(0)


def ceiling(
    endpoint: Endpoint, model: str, *, input_tokens: int, output_tokens: int
) -> Decimal | None:
    """Dollars that a request with at most so many tokens costs at most; None if nobody knows.

    Never less than `pricing.cost` for any usage within these tokens, and never less for more.
    """
    rates = _rates(endpoint, model)
    if rates is None or (rates.output is None and output_tokens):
        return None
    output = output_tokens * (rates.output or Decimal(0))
    return rates.request + (input_tokens * rates.input + output) / _MTOK


def _rates(endpoint: Endpoint, model: str) -> _Rates | None:
    own = own_price(endpoint, model)
    if own is None:
        return _listed(endpoint.base_url, model, _this_hour())
    highest = own.input if own.cached is None else max(own.input, own.cached)
    return _Rates(input=highest, output=own.output)


def _this_hour() -> datetime:
    return datetime.now(UTC).replace(minute=0, second=0, microsecond=0)


@lru_cache(maxsize=512)
def _listed(base_url: str, model: str, hour: datetime) -> _Rates | None:
    import genai_prices

    nothing = genai_prices.Usage(input_tokens=0, output_tokens=0)
    found = []
    for ahead in range(_AHEAD_H + 1):
        try:
            priced = genai_prices.calc_price(
                nothing,
                model,
                provider_api_url=base_url,
                genai_request_timestamp=hour + timedelta(hours=ahead),
            )
        except (LookupError, ValueError):
            return None
        found.append((priced.model_price, Decimal(priced.total_price)))
    inputs = [_highest(price, _INPUT) for price, _ in found]
    outputs = [_highest(price, _OUTPUT) for price, _ in found]
    if None in inputs:
        return None
    return _Rates(
        input=max(rate for rate in inputs if rate is not None),
        output=None if None in outputs else max(rate for rate in outputs if rate is not None),
        request=max(fee for _, fee in found),
    )


def _highest(price: object, names: tuple[str, ...]) -> Decimal | None:
    """Of all tiers of these prices; None where none of them is known."""
    from genai_prices import types

    rates: list[Decimal] = []
    for name in names:
        value = getattr(price, name, None)
        if isinstance(value, types.TieredPrices):
            rates += [Decimal(value.base), *(Decimal(tier.price) for tier in value.tiers)]
        elif value is not None:
            rates.append(Decimal(value))
    return max(rates, default=None)
