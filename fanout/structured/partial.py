"""A JSON object while it is being written, so that a column can show its fields as they come."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

import jiter


def partial(text: str) -> Mapping[str, object] | None:
    """The fields so far, the last string perhaps unfinished; None where no object has begun.

    It starts at the first brace, so a code fence or a few words before it do no harm.
    """
    start = text.find("{")
    if start < 0:
        return None
    try:
        value = jiter.from_json(
            text[start:].encode("utf-8", "replace"),
            partial_mode="trailing-strings",
            allow_inf_nan=False,
        )
    except ValueError:
        return None
    return cast("Mapping[str, object]", value) if isinstance(value, dict) else None
