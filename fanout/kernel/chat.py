"""What a plan says to its endpoint."""

from __future__ import annotations

from fanout.providers.base import ChatRequest
from fanout.structured.asking import Rung, asked, response_format
from fanout.types import BranchPlan, ModelRef


def chat_request(
    plan: BranchPlan, model: ModelRef, rung: Rung | None, max_tokens: int | None
) -> ChatRequest:
    """The request for one answer; `rung` says how the plan's form is asked for, None: not at all.

    `max_tokens` is the length that is paid for, which may be less than the plan's own.
    """
    form = plan.form
    return ChatRequest(
        model=model.model,
        messages=asked(plan.messages, form, rung) if form and rung else plan.messages,
        response_format=response_format(form, rung) if form and rung else None,
        temperature=plan.temperature,
        max_tokens=max_tokens,
        extra=plan.extra,
        call=plan.id,
        question=plan.messages,
    )
