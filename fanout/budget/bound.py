"""The most tokens that a request can have, whatever the model's tokenizer is.

A byte-level tokenizer never makes more tokens than there are bytes, and one that normalises the
text first does so with what comes out. What the endpoint adds unseen, such as a system prompt of
its own, is not known here: a fixed allowance stands for the chat template, and what goes beyond it
is seen only when the request is settled.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Sequence

from fanout.structured.asking import Rung, asked, response_format
from fanout.types import BranchPlan, Form, Message

PER_REQUEST = 128
"""A template's own words, such as a default system prompt with today's date."""
PER_MESSAGE = 16
"""The marks around a message and its role."""


def input_bound(plan: BranchPlan) -> int:
    """No request of this plan has more input tokens, in whichever form it asks for its answer."""
    extra = _bytes(json.dumps(dict(plan.extra), default=str)) if plan.extra else 0
    return extra + _messages_bound(plan.messages, plan.form)


def texts_bound(texts: Sequence[str]) -> int:
    """The same for texts whose vectors are asked for."""
    return sum(_bytes(text) + PER_MESSAGE for text in texts)


def _messages_bound(messages: tuple[Message, ...], form: Form | None) -> int:
    if form is None:
        return _plain_bound(messages)
    return max(
        _plain_bound(asked(messages, form, rung))
        # Some endpoints write the schema into the prompt.
        + _bytes(json.dumps(response_format(form, rung)))
        for rung in Rung
    )


def _plain_bound(messages: Sequence[Message]) -> int:
    return PER_REQUEST + sum(_bytes(each.content) + PER_MESSAGE for each in messages)


def _bytes(text: str) -> int:
    if text.isascii():
        return len(text)
    forms = (text, unicodedata.normalize("NFC", text), unicodedata.normalize("NFKC", text))
    return max(len(form.encode("utf-8", "surrogatepass")) for form in forms)
