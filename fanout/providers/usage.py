"""Tokens as an endpoint reports them."""

from __future__ import annotations

from typing import cast

from fanout.types import Usage


def usage_of(reported: object) -> Usage | None:
    """Tokens as an endpoint reports them; None where it reports nothing that can be used."""
    if not isinstance(reported, dict):
        return None
    fields = cast("dict[str, object]", reported)
    read, written = _count(fields.get("prompt_tokens")), _count(fields.get("completion_tokens"))
    if not read and not written:
        return None
    details = fields.get("prompt_tokens_details")
    cached = (
        cast("dict[str, object]", details).get("cached_tokens")
        if isinstance(details, dict)
        else None
    )
    # DeepSeek counts its cache beside the prompt's details.
    return Usage(
        input=read,
        output=written,
        cached=min(read, _count(cached) or _count(fields.get("prompt_cache_hit_tokens"))),
    )


def _count(value: object) -> int:
    return value if isinstance(value, int) and value > 0 else 0
