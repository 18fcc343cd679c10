"""One request, from the moment its slot is granted to the endpoint's last word."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import anyio

from fanout.errors import ProviderError
from fanout.providers.base import ChatRequest, Done, Provider, TextPiece
from fanout.structured.asking import Rung, asked, response_format
from fanout.types import BranchPlan, Deadlines, Failure, FailureKind

Write = Callable[[TextPiece], None]


async def attempt(provider: Provider, plan: BranchPlan, rung: Rung | None, write: Write) -> Done:
    """Stream one answer into `write`; ProviderError for every expected failure, deadlines included.

    `rung` says how the plan's form is asked for; FormRefused if the endpoint won't have it so.

    Being cancelled closes the connection before this returns.
    """
    watch = _Deadline(deadlines=plan.deadlines, began_s=anyio.current_time())
    request = ChatRequest(
        model=plan.model.model,
        messages=asked(plan.messages, plan.form, rung) if plan.form and rung else plan.messages,
        response_format=response_format(plan.form, rung) if plan.form and rung else None,
        temperature=plan.temperature,
        max_tokens=plan.max_tokens,
        extra=plan.extra,
    )
    done: Done | None = None
    with anyio.CancelScope(deadline=watch.next_s(wrote=False)) as scope:
        async with provider.stream(request) as items:
            async for item in items:
                if isinstance(item, Done):
                    done = item
                    break
                if not isinstance(item, TextPiece):
                    continue
                write(item)
                scope.deadline = watch.next_s(wrote=True)
                watch.wrote = True
    if done is not None:
        return done
    if scope.cancelled_caught:
        raise ProviderError(watch.failure(anyio.current_time()))
    raise AssertionError("a provider's stream ended without Done and without a failure")


@dataclass(slots=True, kw_only=True)
class _Deadline:
    """Which of the three deadlines comes next, and which one it was that passed."""

    deadlines: Deadlines
    began_s: float
    wrote: bool = False

    def next_s(self, *, wrote: bool) -> float:
        limits = self.deadlines
        total = float("inf") if limits.total_s is None else self.began_s + limits.total_s
        step = limits.idle_s if wrote else limits.first_token_s
        return total if step is None else min(total, anyio.current_time() + step)

    def failure(self, now_s: float) -> Failure:
        limits = self.deadlines
        if limits.total_s is not None and now_s - self.began_s >= limits.total_s:
            return Failure(
                kind=FailureKind.TIMEOUT_TOTAL,
                message=f"The answer was not complete after {limits.total_s:g} s. "
                "Its text so far is kept; ask for less, or raise the total deadline.",
            )
        if self.wrote:
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
