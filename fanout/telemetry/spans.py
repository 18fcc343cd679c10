"""A finished run as spans: one for the run, one per call, one per attempt. Pure values.

Names follow OpenTelemetry's semantic conventions for generative AI (1.43): the run is an
`invoke_workflow`, an attempt a `chat`; what they have no word for begins with `fanout.`. Prompts
and answers are in it only where that was asked for.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fanout.events import BranchFinished
from fanout.insight.speed import total_cost_usd
from fanout.snapshot import Branch, Snapshot
from fanout.telemetry.call_trace import AttemptTrace, CallTrace, RunTrace
from fanout.types import AGGREGATE, BranchState, EndpointFact, EndpointId, RunStatus

Value = str | int | float | bool | Sequence[str]
_PROVIDERS = {
    "openai.com": "openai",
    "openai.azure.com": "azure.ai.openai",
    "anthropic.com": "anthropic",
    "mistral.ai": "mistral_ai",
    "groq.com": "groq",
    "deepseek.com": "deepseek",
    "x.ai": "x_ai",
    "perplexity.ai": "perplexity",
    "googleapis.com": "gcp.gemini",
    "cohere.com": "cohere",
}
"""By the end of the host; the names are the conventions'."""
_BAD = (BranchState.FAILED, BranchState.TIMED_OUT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """Something that happened within a span."""

    name: str
    at_s: float
    attributes: Mapping[str, Value]


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Times are seconds since the run began."""

    name: str
    began_s: float
    ended_s: float
    attributes: Mapping[str, Value]
    client: bool = False
    """A request to another service."""
    error: str = ""
    """Its failure's kind; "" where it is none."""
    moments: tuple[Moment, ...] = ()
    children: tuple[Span, ...] = ()


def run_span(trace: RunTrace, snapshot: Snapshot, *, texts: bool = False) -> Span:
    """The whole stretch; `texts` adds prompts and answers."""
    started = trace.started
    cost = total_cost_usd(snapshot)
    attributes: dict[str, Value] = {
        "gen_ai.operation.name": "invoke_workflow",
        "gen_ai.workflow.name": started.workflow,
        "fanout.run.id": started.run_id,
        "fanout.run.kind": started.kind,
        "fanout.run.status": trace.end.status.value,
        "fanout.run.resumed": trace.resumed,
        "fanout.branches": len(started.branches),
        "fanout.cost.known": cost is not None,
    }
    if cost is not None:
        attributes["fanout.cost.usd"] = float(cost)
    if started.made_with is not None and started.made_with.row is not None:
        attributes["fanout.batch.id"] = started.made_with.row.batch
        attributes["fanout.batch.row"] = started.made_with.row.number
    if texts:
        attributes["gen_ai.input.messages"] = json.dumps(
            [_message("user", started.topic)], ensure_ascii=False
        )
        if snapshot.aggregate is not None:
            made = next((call for call in trace.calls if call.plan.id == AGGREGATE), None)
            attributes["gen_ai.output.messages"] = _said(
                snapshot.aggregate.text, made.end if made is not None else None
            )
    failed = trace.end.status is RunStatus.FAILED
    kind = trace.end.failure.kind.value if trace.end.failure is not None else "failed"
    facts = started.made_with.endpoints if started.made_with is not None else {}
    return Span(
        name=f"invoke_workflow {started.workflow}",
        began_s=trace.began_s,
        ended_s=trace.ended_s,
        attributes=attributes,
        error=kind if failed else "",
        children=tuple(_call(call, _go(call, snapshot), facts, texts) for call in trace.calls),
    )


def _go(call: CallTrace, snapshot: Snapshot) -> Branch | None:
    """Which it is of all the times that it was asked: the last one that had begun by then."""
    begun = {
        go.phases[0].since_s: go for go in snapshot.goes if go.id == call.plan.id and go.phases
    }
    return begun.get(max((at for at in begun if at <= call.began_s), default=-1.0))


def _call(
    call: CallTrace,
    branch: Branch | None,
    facts: Mapping[EndpointId, EndpointFact],
    texts: bool,
) -> Span:
    end = call.end
    state = end.state.value if end is not None else "unfinished"
    attributes: dict[str, Value] = {
        "fanout.call.id": call.plan.id,
        "fanout.call.role": call.role,
        "fanout.call.state": state,
        "fanout.call.attempts": len(call.attempts),
        "fanout.call.hedges": len(call.hedged),
        "fanout.call.queued_s": _rounded(
            (call.attempts[0].began_s if call.attempts else call.ended_s) - call.began_s
        ),
    }
    if end is not None and end.cost is not None:
        attributes["fanout.cost.usd"] = float(end.cost.usd)
    moments = [
        Moment(name="held", at_s=at, attributes={"fanout.reason": reason})
        for at, reason in call.held
    ]
    moments += [Moment(name="hedged", at_s=at, attributes={}) for at in call.hedged]
    return Span(
        name=f"{call.role} {call.plan.id}",
        began_s=call.began_s,
        ended_s=call.ended_s,
        attributes=attributes,
        error=end.failure.kind.value
        if end is not None and end.failure is not None and end.state in _BAD
        else "",
        moments=tuple(sorted(moments, key=lambda moment: moment.at_s)),
        children=tuple(
            _attempt(one, call, branch, facts, texts and one is call.attempts[-1])
            for one in call.attempts
        ),
    )


def _attempt(
    attempt: AttemptTrace,
    call: CallTrace,
    branch: Branch | None,
    facts: Mapping[EndpointId, EndpointFact],
    texts: bool,
) -> Span:
    fact = facts.get(attempt.model.endpoint)
    last = attempt is call.attempts[-1]
    attributes: dict[str, Value] = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": _provider(fact),
        "gen_ai.request.model": attempt.model.model or "unknown",
        "gen_ai.request.stream": True,
        "fanout.call.id": call.plan.id,
        "fanout.attempt": attempt.number,
        "fanout.endpoint.id": attempt.model.endpoint,
    }
    if call.plan.temperature is not None:
        attributes["gen_ai.request.temperature"] = call.plan.temperature
    if call.plan.max_tokens is not None:
        attributes["gen_ai.request.max_tokens"] = call.plan.max_tokens
    if fact is not None and fact.host:
        host, _, port = fact.host.rpartition(":")
        attributes["server.address"] = host or fact.host
        if port.isdecimal() and host:
            attributes["server.port"] = int(port)
    if attempt.first_s is not None:
        attributes["gen_ai.response.time_to_first_chunk"] = _rounded(
            attempt.first_s - attempt.began_s
        )
    if last and call.end is not None:
        attributes.update(_outcome(call))
    if attempt.failure is not None:
        attributes["error.type"] = attempt.failure.kind.value
    if texts and branch is not None:
        attributes["gen_ai.input.messages"] = json.dumps(
            [_message(one.role, one.content) for one in call.plan.messages], ensure_ascii=False
        )
        attributes["gen_ai.output.messages"] = _said(branch.text, call.end)
    moments: tuple[Moment, ...] = ()
    if attempt.retry_at_s is not None:
        wait = _rounded(max(0.0, attempt.retry_at_s - attempt.ended_s))
        moments = (
            Moment(name="retry", at_s=attempt.ended_s, attributes={"fanout.retry.wait_s": wait}),
        )
    return Span(
        name=f"chat {attempt.model.model}".strip(),
        began_s=attempt.began_s,
        ended_s=attempt.ended_s,
        attributes=attributes,
        client=True,
        error=attempt.failure.kind.value if attempt.failure is not None else "",
        moments=moments,
    )


def _outcome(call: CallTrace) -> dict[str, Value]:
    """Tokens of all attempts stand at the last one: the endpoint reports only that one's."""
    assert call.end is not None
    found: dict[str, Value] = {}
    if call.end.usage is not None:
        found["gen_ai.usage.input_tokens"] = call.end.usage.input
        found["gen_ai.usage.output_tokens"] = call.end.usage.output
        found["gen_ai.usage.cache_read.input_tokens"] = call.end.usage.cached
        found["fanout.usage.estimated"] = call.end.usage.estimated
    if call.end.finish_reason:
        found["gen_ai.response.finish_reasons"] = [call.end.finish_reason]
    if call.end.cost is not None:
        found["fanout.cost.usd"] = float(call.end.cost.usd)
    return found


def _said(answer: str, end: BranchFinished | None) -> str:
    """One answer; the conventions want to know of each why it ends."""
    succeeded = end is None or end.state.succeeded
    reason = (end.finish_reason if end is not None else None) or ("stop" if succeeded else "error")
    said = {**_message("assistant", answer), "finish_reason": reason}
    return json.dumps([said], ensure_ascii=False)


def _message(role: str, text: str) -> dict[str, object]:
    return {"role": role, "parts": [{"type": "text", "content": text}]}


def _provider(fact: EndpointFact | None) -> str:
    """The conventions' name of who answers; the host where they have none."""
    if fact is None:
        return "unknown"
    host = fact.host.rpartition(":")[0] or fact.host
    if not host:
        return "llama.cpp"
    known = (name for end, name in _PROVIDERS.items() if f".{host}".endswith(f".{end}"))
    return next(known, host)


def _rounded(seconds: float) -> float:
    return round(seconds, 6)
