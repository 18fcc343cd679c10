"""Two parts of a chunk of an answer, in whatever form a server sends them."""

from __future__ import annotations

from typing import TypeAlias, cast

Object: TypeAlias = dict[str, object]


def first_of(choices: object) -> Object:
    """The first choice; empty where there is none."""
    if isinstance(choices, list) and choices and isinstance(choices[0], dict):
        return cast("Object", choices[0])
    return {}


def text_of(content: object) -> str:
    """Text of a content that may be a string or, at some servers, a list of typed parts."""
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        return ""
    parts = (
        part.get("text")
        for part in content
        if isinstance(part, dict) and part.get("type") == "text"
    )
    return "".join(part for part in parts if isinstance(part, str))
