"""The policies that are numbers: what each is called, where its value lies, what it means.

The run page and the workflow editor draw the same ones with the same words.
"""

from __future__ import annotations

from dataclasses import dataclass

DAY_S = 86_400.0
LEAST_S = 0.001


@dataclass(frozen=True, slots=True, kw_only=True)
class Number:
    """A field for a number; where `empty` says what that means, it may hold none."""

    path: tuple[str, ...]
    """Where its value lies in a workflow: ("policies", "retries", "attempts")."""
    title: str
    low: int | float
    high: int | float
    step: int | float
    about: str
    empty: str = ""
    """Shown in an empty field; "" where that means the workflow's own number."""

    @property
    def key(self) -> str:
        return "-".join(self.path[-2:])


def _seconds(*path: str, title: str, about: str, empty: str = "", step: float = 10.0) -> Number:
    return Number(
        path=path, title=title, low=LEAST_S, high=DAY_S, step=step, about=about, empty=empty
    )


ANSWER_AFTER = _seconds(
    "policies",
    "fan_in",
    "deadline_s",
    title="Seconds after the start",
    about="The answer is combined from what is there by then; if nothing is, from the first that "
    "comes.",
    empty="no time limit",
)
DEADLINES = (
    _seconds(
        "deadlines",
        "first_token_s",
        title="First word",
        about="From the request to its first sign of life. Raise it, or empty it, for a model that "
        "thinks before it writes. One that is late is asked again, as under Retries.",
        empty="no limit",
    ),
    _seconds(
        "deadlines",
        "idle_s",
        title="Silence",
        about="An answer that falls silent for longer has stalled. What came is kept.",
        empty="no limit",
    ),
    _seconds(
        "deadlines",
        "total_s",
        title="One request",
        about="From the request to its last word, however well it goes.",
        empty="no limit",
    ),
    _seconds(
        "policies",
        "run_s",
        title="Whole run",
        about="Everything that is still open then has timed out, the combined answer included. "
        "What was written is kept.",
        empty="no limit",
        step=30.0,
    ),
)
RETRIES = (
    Number(
        path=("policies", "retries", "attempts"),
        title="Attempts",
        low=1,
        high=10,
        step=1,
        about="Requests in all, the first one included. Only what may pass is tried again: rate "
        "limits, server faults, lost connections. Never a refused key, an empty account, an "
        "unknown model, a refusal or a deadline that has passed.",
    ),
    _seconds(
        "policies",
        "retries",
        "total_s",
        title="Give up after, s",
        about="No attempt begins later than this after a call's first one.",
        step=30.0,
    ),
    Number(
        path=("policies", "retries", "restarts"),
        title="Restarts",
        low=0,
        high=5,
        step=1,
        about="How often an answer that broke off after its first word is begun anew. Its column "
        "is emptied and says so; the words that were lost are paid for.",
    ),
)
RUN_NUMBERS = (ANSWER_AFTER, *DEADLINES, *RETRIES)
