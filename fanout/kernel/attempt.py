"""One request, from the moment its slot is granted to the endpoint's last word."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, assert_never

import anyio

from fanout.errors import ProviderError
from fanout.policies import RateFacts
from fanout.providers.base import ChatRequest, Done, Opened, Provider, TextPiece, Thought
from fanout.types import Deadlines, Failure, FailureKind


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
    watch = _Deadline(deadlines=deadlines, began_s=anyio.current_time())
    done: Done | None = None
    with anyio.CancelScope(deadline=watch.next_s()) as scope:
        async with provider.stream(request) as items:
            async for item in items:
                match item:
                    case Done():
                        done = item
                        break
                    case Opened():
                        listener.opened(item.rates)
                        continue
                    case Thought():
                        watch.sign = watch.sign or "thought"
                        listener.thought(item.pieces, watch.elapsed_s)
                    case TextPiece():
                        watch.sign = "wrote"
                        listener.wrote(item, watch.elapsed_s)
                    case _:
                        assert_never(item)
                scope.deadline = watch.next_s()
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
    sign: str = ""
    """The last kind of sign of life: "thought" or "wrote"."""

    @property
    def elapsed_s(self) -> float:
        return anyio.current_time() - self.began_s

    def next_s(self) -> float:
        limits = self.deadlines
        total = float("inf") if limits.total_s is None else self.began_s + limits.total_s
        step = limits.idle_s if self.sign else limits.first_token_s
        return total if step is None else min(total, anyio.current_time() + step)

    def failure(self) -> Failure:
        limits = self.deadlines
        if limits.total_s is not None and self.elapsed_s >= limits.total_s:
            return Failure(
                kind=FailureKind.TIMEOUT_TOTAL,
                message=f"The answer was not complete after {limits.total_s:g} s. "
                "Its text so far is kept; ask for less, or raise the total deadline.",
            )
        if self.sign == "thought":
            return Failure(
                kind=FailureKind.TIMEOUT_IDLE,
                message=f"The model went silent for {limits.idle_s:g} s while it was thinking. "
                "Retry this branch, or raise the idle deadline.",
            )
        if self.sign:
            return Failure(
                kind=FailureKind.TIMEOUT_IDLE,
                message=f"The model went silent for {limits.idle_s:g} s in mid-answer. "
                "Its text so far is kept; retry this branch.",
            )
        return Failure(
            kind=FailureKind.TIMEOUT_FIRST_TOKEN,
            message=f"No first word within {limits.first_token_s:g} s. "
            "The endpoint may be overloaded: retry, or choose another model.",
            retryable=False,
        )
