"""No tokenizer makes more tokens of a request than its bound, no price list charges more for it."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fanout import pricing
from fanout.budget.bound import PER_MESSAGE, PER_REQUEST, input_bound, texts_bound
from fanout.budget.ceiling import ceiling
from fanout.endpoint import Endpoint
from fanout.structured.asking import Rung, asked
from fanout.types import (
    BranchId,
    BranchPlan,
    EndpointId,
    Form,
    Message,
    ModelRef,
    Price,
    Usage,
)

MODEL = ModelRef(endpoint=EndpointId("e"), model="m")
FORM = Form(
    name="verdict",
    schema={
        "type": "object",
        "properties": {
            "reason": {"type": "string", "description": "Why, in one sentence."},
            "verdict": {"type": "string", "enum": ["allow", "block"]},
        },
    },
)
LISTED = (
    ("https://api.openai.com/v1", "gpt-5-mini"),
    ("https://api.openai.com/v1", "gpt-4o"),
    ("https://generativelanguage.googleapis.com/v1beta/openai", "gemini-2.5-pro"),
    ("https://api.deepseek.com", "deepseek-chat"),
    ("https://api.perplexity.ai", "sonar"),
    ("https://api.anthropic.com/v1", "claude-sonnet-4-5"),
)


def plan(text: str, form: Form | None = None) -> BranchPlan:
    messages = (Message(role="system", content="Be brief."), Message(role="user", content=text))
    return BranchPlan(id=BranchId("a"), title="A", model=MODEL, messages=messages, form=form)


@given(text=st.text(max_size=300))
def test_every_byte_may_be_a_token(text: str) -> None:
    length = len(text.encode("utf-8", "surrogatepass"))
    assert input_bound(plan(text)) >= 9 + length + 2 * PER_MESSAGE + PER_REQUEST
    assert texts_bound([text, text]) >= 2 * length


def test_text_that_grows_when_it_is_normalised_is_bound_by_its_longest_form() -> None:
    assert texts_bound(["\ufdfa"]) - PER_MESSAGE == 33
    assert texts_bound(["\U0001d160"]) - PER_MESSAGE == 12


def test_a_form_is_counted_in_whichever_way_it_is_asked_for() -> None:
    formed = plan("Is this fine?", FORM)
    for rung in Rung:
        words = sum(len(each.content) for each in asked(formed.messages, FORM, rung))
        assert input_bound(formed) >= words + PER_REQUEST
    assert input_bound(formed) > input_bound(plan("Is this fine?"))


def at(base_url: str, prices: Mapping[str, Price] | None = None) -> Endpoint:
    return Endpoint(
        id=EndpointId("e"), name="E", base_url=base_url, prices=dict(prices or {}), slots=1
    )


@pytest.mark.parametrize(("base_url", "model"), LISTED)
@given(
    input_tokens=st.integers(0, 2_000_000),
    output_tokens=st.integers(0, 100_000),
    cached=st.integers(0, 2_000_000),
    less=st.floats(0, 1),
)
def test_no_list_price_charges_more_than_the_ceiling(
    base_url: str, model: str, input_tokens: int, output_tokens: int, cached: int, less: float
) -> None:
    most = ceiling(at(base_url), model, input_tokens=input_tokens, output_tokens=output_tokens)
    used = Usage(
        input=round(input_tokens * less), output=output_tokens, cached=min(cached, input_tokens)
    )
    cost = pricing.cost(at(base_url), model, used)
    assert most is not None
    assert cost is not None
    assert cost.usd <= most


def test_a_price_of_ones_own_counts_with_its_dearest_input() -> None:
    own = Price(input=Decimal(1), output=Decimal(2), cached=Decimal(3), source="own")
    endpoint = at("http://127.0.0.1:1/v1", {"*": own})
    assert ceiling(endpoint, "m", input_tokens=1_000_000, output_tokens=500_000) == Decimal(4)


def test_an_unknown_price_has_no_ceiling_and_a_model_for_vectors_only_one_for_its_input() -> None:
    assert ceiling(at("http://127.0.0.1:1/v1"), "m", input_tokens=1, output_tokens=1) is None
    vectors = at("https://api.openai.com/v1")
    name = "text-embedding-3-small"
    assert ceiling(vectors, name, input_tokens=1_000_000, output_tokens=0) == Decimal("0.02")
    assert ceiling(vectors, name, input_tokens=1, output_tokens=1) is None
