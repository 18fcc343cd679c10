"""One request, from the moment its slot is granted to the endpoint's last word."""

from __future__ import annotations

from dataclasses import dataclass
from time import monotonic
from typing import Protocol, assert_never

import anyio

from fanout.errors import ProviderError
from fanout.policies import RateFacts
from fanout.providers.base import ChatRequest, Done, Opened, Provider, TextPiece, Thought
from fanout.types import Deadlines, Failure, FailureKind

SLACK_S = 0.25
"""Silence may be noticed so much later, or a twentieth of its deadline if that is less: moving a
deadline costs more than taking in a word does."""


class Listener(Protocol):
    """Who hears what comes back."""

    def opened(self, rates: RateFacts) -> None: ...

    def thought(self, pieces: int, after_s: float) -> None: ...

    def wrote(self, piece: TextPiece, after_s: float) -> None: ...


async def attempt(
    provider: Provider, request: ChatRequest, deadlines: Deadlines, listener: Listener
) -> Done:
    """Stream one answer; ProviderError for every expected failure, deadlines included, FormRefused
    if the endpoint won't have the form asked for so. The listener is told seconds since the start.

    A model that thinks is alive: from its first thought on the idle deadline counts. Being
    cancelled closes the connection before this returns.
    """
    watch = _Deadline(deadlines=deadlines, began_s=monotonic(), who=request.model or "the model")
    done: Done | None = None
    with anyio.CancelScope(deadline=anyio.current_time() + watch.left_s()) as scope:
        async with provider.stream(request) as items:
            async for item in items:
                match item:
                    case TextPiece():
                        watch.sign = "wrote"
                        listener.wrote(item, watch.elapsed_s)
                    case Done():
                        done = item
                        break
                    case Opened():
                        listener.opened(item.rates)
                        continue
                    case Thought():
                        watch.sign = watch.sign or "thought"
                        listener.thought(item.pieces, watch.elapsed_s)
                    case _:
                        assert_never(item)
                if watch.passed_by():
                    scope.deadline = anyio.current_time() + watch.left_s()
    if done is not None:
        return done
    if scope.cancelled_caught:
        raise ProviderError(watch.failure())
    raise AssertionError("a provider's stream ended without Done and without a failure")


@dataclass(slots=True, kw_only=True)
class _Deadline:
    """Which of the three deadlines comes next, and which one it was that passed."""

    deadlines: Deadlines
    began_s: float
    who: str
    sign: str = ""
    """The last kind of sign of life: "thought" or "wrote"."""

    armed_s: float = 0.0
    """When silence from now on would be too long, as was said last; 0 before the first sign."""

    @property
    def elapsed_s(self) -> float:
        return monotonic() - self.began_s

    def passed_by(self) -> bool:
        """Whether life has gone on for so long that the deadline has to be moved."""
        idle_s = self.deadlines.idle_s
        if not self.armed_s:
            return True
        return idle_s is not None and monotonic() + idle_s > self.armed_s

    def left_s(self) -> float:
        """Seconds from now to the next deadline."""
        limits, now = self.deadlines, monotonic()
        total = float("inf") if limits.total_s is None else self.began_s + limits.total_s - now
        if not self.sign:
            return total if limits.first_token_s is None else min(total, limits.first_token_s)
        step = float("inf")
        if limits.idle_s is not None:
            step = limits.idle_s + min(SLACK_S, limits.idle_s / 20)
        self.armed_s = now + step
        return min(total, step)

    def failure(self) -> Failure:
        limits = self.deadlines
        if limits.total_s is not None and self.elapsed_s >= limits.total_s:
            return Failure(
                kind=FailureKind.TIMEOUT_TOTAL,
                message=f"{self.who} had not finished after {limits.total_s:g} s. "
                f"{'Its text so far is kept; a' if self.sign == 'wrote' else 'A'}sk for less, "
                "or raise the deadline for one request.",
            )
        if self.sign == "thought":
            return Failure(
                kind=FailureKind.TIMEOUT_IDLE,
                message=f"{self.who} went silent for {limits.idle_s:g} s while it was thinking. "
                "Retry this branch, or raise the deadline for silence.",
            )
        if self.sign:
            return Failure(
                kind=FailureKind.TIMEOUT_IDLE,
                message=f"{self.who} went silent for {limits.idle_s:g} s in mid-answer. "
                "Its text so far is kept; retry this branch.",
            )
        return Failure(
            kind=FailureKind.TIMEOUT_FIRST_TOKEN,
            message=f"No first word from {self.who} within {limits.first_token_s:g} s. "
            "The endpoint may be overloaded: retry, or choose another model.",
            retryable=False,
        )
