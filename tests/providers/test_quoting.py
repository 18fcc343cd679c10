"""What is quoted of a server's words: enough to help, never a key, a prompt or a path."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fanout.providers.failures import failure_of
from fanout.providers.problems import Asked
from fanout.providers.quoting import QUOTE_CHARS, quotable
from fanout.providers.server_error import BadStatus

KEY = "sk-proj-Zm9vYmFyYmF6cXV4"
ASKED = Asked(endpoint="Acme AI", model="big-1", hidden=(KEY,))


def said(message: str, asked: Asked = ASKED) -> str:
    body = json.dumps({"error": {"message": message}})
    return failure_of(BadStatus(status=400, body=body), asked).message


SECRETS = [
    KEY,
    f"Bearer {KEY}",
    "Bearer abc.def.ghi",
    "sk-or-v1-0123456789abcdef",
    "sk-abc***xyz9",
    "gsk_a1b2c3d4e5",
    "AIzaSyA1234567890abcdefg",
    "api_key=hunter2hunter2",
    'Authorization: "Basic dXNlcjpwYXNz"',
    "https://user:pa55w0rd@acme.test/x?key=hunter2hunter2",
    "eyJhbGciOi.eyJzdWIiOiIx.c2lnbmF0dXJl",
    "0123456789abcdef0123456789abcdef",
    "/home/ann/secret-project/model.gguf",
]
FRAGMENTS = ["Zm9v", "abc.def", "0123456789", "xyz9", "a1b2", "SyA123", "hunter2", "dXNl"]
FRAGMENTS += ["pa55w0rd", "eyJz", "secret-project"]


@pytest.mark.parametrize("secret", SECRETS)
def test_what_looks_like_a_secret_is_never_quoted(secret: str) -> None:
    bare = BadStatus(status=500, body=f"Wrong: {secret}, sorry")
    for message in (said(f"Wrong: {secret}, sorry"), failure_of(bare, ASKED).message):
        assert "Wrong" in message
        assert not [part for part in FRAGMENTS if part in message]


def test_a_server_that_repeats_the_prompt_is_not_quoted() -> None:
    prompt = "My diagnosis is none of your business, and neither is my name."
    asked = Asked(endpoint="Acme AI", hidden=("", prompt))
    message = said(f"Can't parse: {prompt[10:50]}", asked)
    assert "diagnosis" not in message
    assert "Can't parse" not in message
    assert "Can't parse" in said("Can't parse", asked)


@given(st.text(max_size=600))
def test_a_quote_is_one_short_printable_line_without_the_key(text: str) -> None:
    quote = quotable(f"{text}{KEY}{text}", (KEY,))
    assert len(quote) <= QUOTE_CHARS
    assert quote.isprintable()
    assert KEY not in quote


def test_a_long_server_message_is_cut_short() -> None:
    assert len(said("blah " * 500)) < QUOTE_CHARS + 150
