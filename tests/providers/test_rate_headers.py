"""Limits in headers: every server's dialect is read, and no header breaks a call."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fanout.endpoint import Secret
from fanout.errors import ProviderError
from fanout.policies import RateFacts
from fanout.providers.base import Done, Opened, StreamItem, TextPiece, Thought
from fanout.providers.openai_compatible import OpenAICompatible
from fanout.providers.rate_headers import LONGEST_RESET_S, MOST, rates_in, reset_s
from fanout.providers.script import Reply, pieces_of
from fanout.providers.scripted import Scripted
from fanout.providers.scripted_server import serving
from fanout.types import FailureKind
from tests.providers.asking import KEY, chat, endpoint, one, told

NOW = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)
EPOCH = NOW.timestamp()
TWO_OF_SIXTY = {
    "x-ratelimit-limit-requests": "60",
    "x-ratelimit-remaining-requests": "2",
    "x-ratelimit-reset-requests": "1.5s",
    "x-ratelimit-limit-tokens": "150000",
    "x-ratelimit-remaining-tokens": "149984",
    "x-ratelimit-reset-tokens": "6m0s",
}
TWO_OF_SIXTY_FACTS = RateFacts(
    requests_limit=60,
    requests_left=2,
    requests_reset_s=1.5,
    tokens_limit=150_000,
    tokens_left=149_984,
    tokens_reset_s=360.0,
)


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("1s", 1.0),
        ("6m0s", 360.0),
        ("120ms", 0.12),
        ("1h2m3.5s", 3723.5),
        ("2m59.56s", 179.56),
        ("1d", LONGEST_RESET_S),
        ("9h59m", 35_940.0),
        ("17.3µs", 0.0000173),
        ("7", 7.0),
        ("0.25", 0.25),
        ("-3", 0.0),
        ("2026-03-01T12:00:30Z", 30.0),
        ("2026-03-01T13:00:30+01:00", 30.0),
        ("2026-03-01T11:00:00Z", 0.0),
        ("Sun, 01 Mar 2026 12:01:00 GMT", 60.0),
        (f"{EPOCH + 20:.0f}", 20.0),
        (f"{(EPOCH + 20) * 1000:.0f}", 20.0),
        ("1e300", LONGEST_RESET_S),
        ("9999-12-31T23:59:59Z", LONGEST_RESET_S),
        ("99999d", LONGEST_RESET_S),
        ("nan", None),
        ("inf", None),
        ("soon", None),
        ("1s and more", None),
        ("s", None),
        ("", None),
        ("0000-00-00", None),
        ("9" * 4000 + "s", LONGEST_RESET_S),
    ],
)
def test_a_time_is_read_however_it_is_written(said: str, seconds: float | None) -> None:
    assert reset_s(said, NOW) == (None if seconds is None else pytest.approx(seconds))


@pytest.mark.parametrize(
    ("headers", "facts"),
    [
        pytest.param({}, None, id="none"),
        pytest.param({"content-type": "text/event-stream"}, None, id="other headers"),
        pytest.param(TWO_OF_SIXTY, TWO_OF_SIXTY_FACTS, id="OpenAI, Groq"),
        pytest.param(
            {
                "Anthropic-Ratelimit-Requests-Limit": "50",
                "anthropic-ratelimit-requests-remaining": "49",
                "anthropic-ratelimit-requests-reset": "2026-03-01T12:00:02Z",
                "anthropic-ratelimit-input-tokens-limit": "30000",
                "anthropic-ratelimit-input-tokens-remaining": "29000",
            },
            RateFacts(
                requests_limit=50,
                requests_left=49,
                requests_reset_s=2.0,
                tokens_limit=30_000,
                tokens_left=29_000,
            ),
            id="Anthropic",
        ),
        pytest.param(
            {
                "X-RateLimit-Limit": "20",
                "X-RateLimit-Remaining": "0",
                "X-RateLimit-Reset": f"{(EPOCH + 5) * 1000:.0f}",
            },
            RateFacts(requests_limit=20, requests_left=0, requests_reset_s=5.0),
            id="OpenRouter",
        ),
        pytest.param(
            {
                "x-ratelimit-limit-req-minute": "30",
                "x-ratelimit-remaining-req-minute": "29",
                "x-ratelimit-limit-tokens-minute": "500000",
                "x-ratelimit-limit-tokens-month": "1000000000",
            },
            RateFacts(requests_limit=30, requests_left=29, tokens_limit=500_000),
            id="Mistral",
        ),
        pytest.param(
            {
                "x-ratelimit-limit": "60",
                "x-tokenlimit-limit": "90000",
                "x-tokenlimit-remaining": "80000",
            },
            RateFacts(requests_limit=60, tokens_limit=90_000, tokens_left=80_000),
            id="Together",
        ),
        pytest.param(
            {
                "ratelimit-limit": "100, 100;w=60",
                "ratelimit-remaining": "7",
                "ratelimit-reset": "9",
            },
            RateFacts(requests_limit=100, requests_left=7, requests_reset_s=9.0),
            id="IETF draft",
        ),
        pytest.param(
            {"x-ratelimit-limit-tokens": "-1", "x-ratelimit-remaining-tokens": "-1"},
            None,
            id="a limit that is not known",
        ),
        pytest.param(
            {"x-ratelimit-limit-requests": "0", "x-ratelimit-remaining-requests": "0"},
            RateFacts(requests_left=0),
            id="a limit of none",
        ),
        pytest.param(
            {"x-ratelimit-limit-requests": "9" * 20, "x-ratelimit-limit-tokens": "1" * 300},
            RateFacts(requests_limit=MOST),
            id="absurd numbers",
        ),
        pytest.param(
            {"x-ratelimit-reset-requests": "2026-03-01T13:00:30Z", "date": "2026-03-01T13:00:00Z"},
            RateFacts(requests_reset_s=30.0),
            id="counted from the server's own clock",
        ),
    ],
)
def test_limits_are_read_in_every_dialect(headers: dict[str, str], facts: RateFacts | None) -> None:
    assert rates_in(headers, NOW) == facts


NAMES = st.sampled_from([*TWO_OF_SIXTY, "x-ratelimit-reset", "ratelimit-limit", "date"])


@given(st.dictionaries(NAMES, st.text() | st.from_regex(r"[-+0-9a-zA-Z:.,; ]{0,40}")))
def test_no_header_is_an_error_and_no_fact_is_absurd(headers: dict[str, str]) -> None:
    facts = rates_in(headers, NOW) or RateFacts()
    for count in (facts.requests_limit, facts.requests_left, facts.tokens_limit, facts.tokens_left):
        assert count is None or 0 <= count <= MOST
    for seconds in (facts.requests_reset_s, facts.tokens_reset_s):
        assert seconds is None or 0 <= seconds <= LONGEST_RESET_S


async def items_of(provider: OpenAICompatible | Scripted) -> list[StreamItem]:
    async with provider.stream(chat()) as stream:
        return [item async for item in stream]


async def test_the_limits_come_before_anything_else() -> None:
    script = one(Reply(text="Yes.", headers=TWO_OF_SIXTY))
    with serving(script) as server:
        provider = OpenAICompatible(endpoint(server.base_url))
        over_http = await items_of(provider)
        await provider.aclose()
    assert over_http[0] == Opened(rates=TWO_OF_SIXTY_FACTS)
    assert sum(isinstance(item, Opened) for item in over_http) == 1
    assert (await items_of(Scripted(script)))[0] == over_http[0]


async def test_an_endpoint_that_says_nothing_of_limits_opens_without_a_word() -> None:
    with serving(one(Reply(text="Yes."))) as server:
        provider = OpenAICompatible(endpoint(server.base_url))
        assert [type(item) for item in await items_of(provider)] == [TextPiece, Done]
        await provider.aclose()


@pytest.mark.parametrize(
    ("status", "kind"), [(429, FailureKind.RATE_LIMIT), (503, FailureKind.SERVER)]
)
async def test_a_failure_carries_the_limits_too(status: int, kind: FailureKind) -> None:
    script = one(Reply(status=status, headers=TWO_OF_SIXTY))
    with serving(script) as server:
        provider = OpenAICompatible(endpoint(server.base_url), Secret(KEY))
        for asked in (provider, Scripted(script)):
            with pytest.raises(ProviderError) as raised:
                await items_of(asked)
            assert raised.value.failure.kind is kind
            assert raised.value.rates == TWO_OF_SIXTY_FACTS
        await provider.aclose()


async def test_thoughts_are_counted_once_per_read_and_dropped() -> None:
    reply = Reply(text="Yes.", reasoning="Let me think about that at length.", tokens_per_s=400)
    with serving(one(reply)) as server:
        provider = OpenAICompatible(endpoint(server.base_url))
        items = await items_of(provider)
        text, _ = await told(provider, chat())
        await provider.aclose()
    thoughts = [item for item in items if isinstance(item, Thought)]
    # Nothing is lost where several come with one read.
    assert sum(thought.pieces for thought in thoughts) == len(pieces_of(reply.reasoning))
    first = next(place for place, item in enumerate(items) if isinstance(item, TextPiece))
    assert not any(isinstance(item, Thought) for item in items[first:])
    assert text == "Yes."
