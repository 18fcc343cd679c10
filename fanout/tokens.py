"""Token counts where nobody reported them: estimates, and marked as such."""

from __future__ import annotations

from collections.abc import Iterable

from fanout.snapshot import Branch
from fanout.types import Message, Usage

_CHARS_PER_TOKEN = 4.0
_CHARS_PER_WIDE_TOKEN = 1.5
_PER_MESSAGE = 4


def estimated_tokens(text: str) -> int:
    """About how many tokens a text has: four characters each, one and a half in CJK scripts."""
    # Told at once of a text however long, and this is asked of every prompt several times.
    wide = 0 if text.isascii() else sum(1 for character in text if character >= "\u2e80")
    return round((len(text) - wide) / _CHARS_PER_TOKEN + wide / _CHARS_PER_WIDE_TOKEN)


def estimated_input(messages: Iterable[Message]) -> int:
    return sum(estimated_tokens(message.content) + _PER_MESSAGE for message in messages)


def estimated_usage(branch: Branch) -> Usage:
    """Usage of a call whose endpoint reported none; stream pieces are about one token each."""
    output = branch.thought + (branch.pieces or estimated_tokens(branch.text))
    return Usage(input=estimated_input(branch.plan.messages), output=output, estimated=True)
