"""A length of time as a failure says it: exact where one waits for it, round where nobody does."""

from __future__ import annotations

_UNITS = ((86_400, "day"), (3_600, "h"), (60, "min"))


def about(seconds: float) -> str:
    """ "2.5 s", "90 s", "15 min", "3 h", "11,574 days"."""
    if seconds < 100:
        return f"{seconds:.3g} s"
    size, name = next((size, name) for size, name in _UNITS if seconds >= 2 * size or size == 60)
    return f"{round(seconds / size):,} {name}{'s' if name == 'day' else ''}"
