"""The answer of `GET /models`, read leniently but never guessed."""

from __future__ import annotations

import jiter


def model_names(body: bytes) -> tuple[str, ...] | None:
    """The sorted names in a list of models; None where it is no such list."""
    try:
        page = jiter.from_json(body)
    except ValueError:
        return None
    # Most servers wrap the list in `data`; Together sends it bare.
    entries = page.get("data") if isinstance(page, dict) else page
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        return None
    names = {entry.get("id") for entry in entries}
    return tuple(sorted(name for name in names if isinstance(name, str) and name))
