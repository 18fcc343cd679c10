"""What calls have in common at the beginning, compared as text."""

from __future__ import annotations

from collections.abc import Iterable

from fanout.types import Message


def text_of(messages: Iterable[Message]) -> str:
    """Messages as one text: two calls begin alike as far as these do."""
    return "".join(f"{message.role}\n{message.content}\n\0" for message in messages)


def shared_length(one: str, other: str) -> int:
    """How many characters two texts have in common at the beginning; each is read about twice."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        if one[low:middle] == other[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low
