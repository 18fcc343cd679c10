"""What a call costs: own prices first, then the genai-prices data that ships offline.

Unknown stays None. Prices change, so the price used is part of every Cost and is kept with the run.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from functools import lru_cache
from importlib.metadata import version

from fanout.endpoint import Endpoint
from fanout.types import Cost, Price, Usage, Via

FREE = Price(input=Decimal(0), output=Decimal(0), source="this machine")
AT_MOST = "(for single calls; a batch costs at most this)"
"""Ends the source of a price that a batch may undercut."""
_MTOK = Decimal(1_000_000)


def price(endpoint: Endpoint, model: str, via: Via = Via.CALLS) -> Price | None:
    """US dollars per million tokens of a model at its endpoint; None if nobody knows.

    Where a price has tiers, this is the lowest one; `cost` follows the tiers. By the provider's
    Batch API it is the listed batch price. An own price is one of single calls, and what a batch
    takes off it nobody said: then it stands as the upper bound that it is, and its source says so.
    """
    own = own_price(endpoint, model)
    if own is None:
        return _listed_price(endpoint.base_url, model, via)
    return own if via is Via.CALLS or own.free else _at_most(own)


def cost(endpoint: Endpoint, model: str, usage: Usage, via: Via = Via.CALLS) -> Cost | None:
    """What that usage costs, cached tokens at their own price; None if the price is unknown."""
    known = price(endpoint, model, via)
    if known is None:
        return None
    if own_price(endpoint, model) is not None:
        usd = flat_cost(known, usage)
    else:
        usd = _listed_cost(endpoint.base_url, model, usage, via)
    return Cost(usd=usd, price=known, estimated=usage.estimated)


def _at_most(direct: Price) -> Price:
    return replace(direct, source=f"{direct.source} {AT_MOST}")


def own_price(endpoint: Endpoint, model: str) -> Price | None:
    """The price that was set for this endpoint: free where the model runs on this machine."""
    own = endpoint.prices.get(model) or endpoint.prices.get("*")
    return own or (FREE if endpoint.on_this_machine else None)


def flat_cost(known: Price, usage: Usage) -> Decimal:
    """Dollars at one flat price; cached tokens are part of the input and billed at theirs."""
    cached_price = known.input if known.cached is None else known.cached
    cached = min(usage.cached, usage.input)
    return (
        (usage.input - cached) * known.input + cached * cached_price + usage.output * known.output
    ) / _MTOK


@lru_cache(maxsize=512)
def _listed_price(base_url: str, model: str, via: Via) -> Price | None:
    from genai_prices import types

    million = Usage(input=1, output=1, cached=0)
    calculated = _calculate(base_url, model, million, via)
    if calculated is None:
        return None

    def rate(name: str) -> Decimal | None:
        value = getattr(calculated.model_price, name)
        if isinstance(value, types.TieredPrices):
            return Decimal(value.base)
        return None if value is None else Decimal(value)

    input_rate, output_rate = rate("input_mtok"), rate("output_mtok")
    if input_rate is None or output_rate is None:
        return None
    source = f"genai-prices {version('genai-prices')}: {calculated.provider.id}"
    found = Price(
        input=input_rate, output=output_rate, cached=rate("cache_read_mtok"), source=source
    )
    if via is Via.CALLS:
        return found
    # The list answers with the usual price where it has none for batches.
    if found == _listed_price(base_url, model, Via.CALLS):
        return _at_most(found)
    return replace(found, source=f"{source}, batch")


def _listed_cost(base_url: str, model: str, usage: Usage, via: Via) -> Decimal:
    calculated = _calculate(base_url, model, usage, via)
    assert calculated is not None, "priced only after _listed_price found the model"
    return Decimal(calculated.total_price)


def _calculate(base_url: str, model: str, usage: Usage, via: Via):  # type: ignore[no-untyped-def]
    import genai_prices

    try:
        return genai_prices.calc_price(
            genai_prices.Usage(
                input_tokens=usage.input,
                cache_read_tokens=min(usage.cached, usage.input),
                output_tokens=usage.output,
            ),
            model,
            provider_api_url=base_url,
            price_context={"processing": "batch"} if via is Via.PROVIDER else None,
        )
    except (LookupError, ValueError):
        return None
