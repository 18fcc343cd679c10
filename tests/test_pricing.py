"""Prices: own ones first, then the list that ships offline; unknown is never nothing."""

from __future__ import annotations

from decimal import Decimal

import pytest

from fanout.endpoint import Endpoint
from fanout.pricing import AT_MOST, cost, flat_cost, price
from fanout.types import EndpointId, Price, Usage, Via

OPENAI = Endpoint(id=EndpointId("o"), name="OpenAI", base_url="https://api.openai.com/v1")
NOWHERE = Endpoint(id=EndpointId("n"), name="N", base_url="http://127.0.0.1:9/v1")
HERE = Endpoint(id=EndpointId("h"), name="H", base_url="", on_this_machine=True)


def test_a_listed_model_is_found_by_its_base_url_and_cached_tokens_cost_less() -> None:
    usage = Usage(input=1000, cached=400, output=700)
    found = cost(OPENAI, "gpt-5-mini", usage)
    assert found is not None and found.price.cached is not None
    by_hand = (
        600 * found.price.input + 400 * found.price.cached + 700 * found.price.output
    ) / Decimal(1_000_000)
    assert found.usd == by_hand > 0
    assert found.price.cached < found.price.input
    assert found.price.source.startswith("genai-prices ")
    full = cost(OPENAI, "gpt-5-mini", Usage(input=1000, output=700))
    assert full is not None and full.usd > found.usd


@pytest.mark.parametrize(
    ("endpoint", "model"), [(OPENAI, "no-such-model"), (NOWHERE, "gpt-5-mini")]
)
def test_what_nobody_lists_is_unknown(endpoint: Endpoint, model: str) -> None:
    assert price(endpoint, model) is None
    assert cost(endpoint, model, Usage(input=1, output=1)) is None


def test_this_machine_is_free_unless_a_price_was_set() -> None:
    free = cost(HERE, "any", Usage(input=5, output=5))
    assert free is not None and free.usd == 0 and free.price.free
    own = Price(input=Decimal(1), output=Decimal(2), source="your own price")
    priced = Endpoint(id=HERE.id, name="H", base_url="", on_this_machine=True, prices={"*": own})
    paid = cost(priced, "any", Usage(input=5, output=5))
    assert paid is not None and paid.usd == Decimal(15) / Decimal(1_000_000)


def test_a_named_models_own_price_wins_over_the_one_for_all() -> None:
    cheap = Price(input=Decimal(1), output=Decimal(1), source="a")
    dear = Price(input=Decimal(9), output=Decimal(9), source="b")
    endpoint = Endpoint(
        id=OPENAI.id, name="x", base_url=OPENAI.base_url, prices={"*": cheap, "big": dear}
    )
    assert (price(endpoint, "big"), price(endpoint, "small")) == (dear, cheap)


def test_a_cost_from_estimated_usage_is_marked() -> None:
    found = cost(HERE, "m", Usage(input=1, output=1, estimated=True))
    assert found is not None and found.estimated


def test_more_cached_than_input_tokens_never_makes_a_negative_cost() -> None:
    own = Price(input=Decimal(2), output=Decimal(0), cached=Decimal(1), source="x")
    assert flat_cost(own, Usage(input=10, cached=99)) == Decimal(10) / Decimal(1_000_000)


def test_a_batch_at_the_provider_has_the_listed_price_of_a_batch() -> None:
    single = cost(OPENAI, "gpt-4o-mini", Usage(input=1000, output=700))
    batch = cost(OPENAI, "gpt-4o-mini", Usage(input=1000, output=700), Via.PROVIDER)
    assert single is not None and batch is not None
    assert batch.usd == single.usd / 2
    assert batch.price.source == f"{single.price.source}, batch"


def test_where_nobody_lists_a_price_of_a_batch_that_of_single_calls_is_the_bound() -> None:
    own = Price(input=Decimal(1), output=Decimal(2), source="your own price")
    priced = Endpoint(id=OPENAI.id, name="x", base_url=OPENAI.base_url, prices={"*": own})
    found = cost(priced, "gpt-4o-mini", Usage(input=5, output=5), Via.PROVIDER)
    assert found is not None and found.usd == Decimal(15) / Decimal(1_000_000)
    assert found.price.source == f"your own price {AT_MOST}"
    mistral = Endpoint(id=OPENAI.id, name="x", base_url="https://api.mistral.ai/v1")
    listed = price(mistral, "mistral-large-latest", Via.PROVIDER)
    single = price(mistral, "mistral-large-latest")
    assert listed is not None and single is not None
    assert (listed.input, listed.source) == (single.input, f"{single.source} {AT_MOST}")


def test_an_unknown_price_is_unknown_in_a_batch_too_and_this_machine_stays_free() -> None:
    assert cost(NOWHERE, "gpt-5-mini", Usage(input=1, output=1), Via.PROVIDER) is None
    free = cost(HERE, "any", Usage(input=5, output=5), Via.PROVIDER)
    assert free is not None and free.usd == 0 and free.price.free
