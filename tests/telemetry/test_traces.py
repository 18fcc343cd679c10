"""A run as a trace: one root, a span a call, a span an attempt, and no text unless asked for."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from fanout.providers.script import Fault, Reply, Rule, Script
from fanout.telemetry.traces import Traces
from fanout.telemetry.witness import Witnesses
from tests.rig import QUICK, rig, trio

SECRET = "the-topic-that-nobody-may-see"


def spans_of(script: Script, *, texts: bool = False) -> Sequence[ReadableSpan]:
    exporter = InMemorySpanExporter()
    kept: list[ReadableSpan] = []
    exporter.shutdown = lambda: kept.extend(exporter.get_finished_spans())  # type: ignore[method-assign]
    traces = Traces(exporter, texts=texts)
    with rig(script, witness=Witnesses([traces])) as made:
        made.run(trio(), SECRET)
    traces.close()
    return kept


def answers(**replies: tuple[Reply, ...]) -> Script:
    return Script(
        rules=tuple(Rule(prompt=word, replies=each) for word, each in replies.items()),
        otherwise=QUICK,
    )


def began(span: ReadableSpan) -> int:
    return span.start_time or 0


def ended(span: ReadableSpan) -> int:
    return span.end_time or 0


def is_of(span: ReadableSpan, call: str) -> bool:
    return attributes(span).get("fanout.call.id") == call


def attributes(span: ReadableSpan) -> dict[str, object]:
    return dict(span.attributes or {})


def test_a_run_is_one_trace_of_calls_and_attempts() -> None:
    spans = spans_of(answers())
    (root,) = [span for span in spans if span.parent is None]
    assert root.name.startswith("invoke_workflow ")
    assert attributes(root)["gen_ai.operation.name"] == "invoke_workflow"
    assert attributes(root)["fanout.run.status"] == "succeeded"
    assert len({span.context.trace_id for span in spans}) == 1
    calls = [span for span in spans if span.parent and span.parent.span_id == root.context.span_id]
    roles = sorted(str(attributes(call)["fanout.call.role"]) for call in calls)
    assert roles == ["aggregate", "branch", "branch", "branch"]
    for call in calls:
        (chat,) = [s for s in spans if s.parent and s.parent.span_id == call.context.span_id]
        told = attributes(chat)
        assert chat.kind is SpanKind.CLIENT and chat.name == "chat m"
        assert told["gen_ai.operation.name"] == "chat" and told["gen_ai.request.model"] == "m"
        assert told["gen_ai.response.finish_reasons"] == ("stop",)
        assert int(str(told["gen_ai.usage.output_tokens"])) > 0
        assert float(str(told["gen_ai.response.time_to_first_chunk"])) >= 0
        assert 0 < began(root) <= began(call) <= began(chat)
        assert 0 < ended(chat) <= ended(call) <= ended(root)


def test_each_attempt_has_its_span_and_says_why_it_failed() -> None:
    limited = Reply(status=429, message="slow down", retry_after="0.01")
    spans = spans_of(answers(joke=(limited, QUICK)))
    chats = sorted(
        (
            s
            for s in spans
            if attributes(s).get("fanout.call.id") == "joke" and s.kind is SpanKind.CLIENT
        ),
        key=began,
    )
    assert [attributes(chat)["fanout.attempt"] for chat in chats] == [1, 2]
    assert attributes(chats[0])["error.type"] == "rate_limit"
    assert chats[0].status.status_code is StatusCode.ERROR
    assert [event.name for event in chats[0].events] == ["retry"]
    assert chats[1].status.status_code is not StatusCode.ERROR
    assert "gen_ai.usage.output_tokens" not in attributes(chats[0])


def test_a_failed_branch_is_an_error_and_the_run_is_not() -> None:
    spans = spans_of(answers(joke=(Reply(status=401, message="no"),)))
    (joke,) = [span for span in spans if span.name == "branch joke"]
    assert joke.status.status_code is StatusCode.ERROR
    assert attributes(joke)["error.type"] == "auth"
    (root,) = [span for span in spans if span.parent is None]
    assert attributes(root)["fanout.run.status"] == "partial"
    assert root.status.status_code is not StatusCode.ERROR


def test_no_text_is_in_a_trace_unless_it_was_switched_on() -> None:
    reply = Reply(text="An answer that stays here.")
    silent = spans_of(answers(joke=(reply,)))
    said = json.dumps([json.loads(span.to_json()) for span in silent])
    assert SECRET not in said and "stays here" not in said
    loud = spans_of(answers(joke=(reply,)), texts=True)
    told = [attributes(span) for span in loud if attributes(span).get("fanout.call.id") == "joke"]
    messages = [
        json.loads(str(one["gen_ai.output.messages"]))
        for one in told
        if "gen_ai.output.messages" in one
    ]
    ((said,),) = messages
    assert said["role"] == "assistant" and said["finish_reason"] == "stop"
    assert said["parts"] == [{"type": "text", "content": reply.text}]
    assert any(SECRET in str(one.get("gen_ai.input.messages")) for one in told)


def test_a_run_that_goes_on_is_another_trace_of_what_was_asked_again() -> None:
    exporter = InMemorySpanExporter()
    kept: list[ReadableSpan] = []
    exporter.shutdown = lambda: kept.extend(exporter.get_finished_spans())  # type: ignore[method-assign]
    traces = Traces(exporter, texts=True)
    broken = Reply(text="Broken words that nobody finished.", fault=Fault.CUT_OFF)
    script = answers(joke=(broken, Reply(text="Words of the second go.")))
    with rig(script, witness=Witnesses([traces])) as made:
        handle = made.start(trio())
        handle.wait(20)
        assert handle.resume()
        handle.wait(20)
    traces.close()
    roots = sorted((s for s in kept if s.parent is None), key=began)
    assert [attributes(root)["fanout.run.resumed"] for root in roots] == [False, True]
    again = [s.name for s in kept if s.parent and s.parent.span_id == roots[1].context.span_id]
    assert sorted(again) == ["aggregate aggregate", "branch joke"]
    jokes = sorted((s for s in kept if s.name == "chat m" and is_of(s, "joke")), key=began)
    said = [json.loads(str(attributes(joke)["gen_ai.output.messages"]))[0] for joke in jokes]
    assert [one["finish_reason"] for one in said] == ["error", "stop"]
    assert said[0]["parts"][0]["content"].startswith("Broken")
    assert said[1]["parts"] == [{"type": "text", "content": "Words of the second go."}]


def test_a_witness_that_breaks_ends_no_run(caplog: pytest.LogCaptureFixture) -> None:
    class Broken:
        def saw(self, run: object, event: object) -> None:
            raise RuntimeError("broken")

        def close(self) -> None:
            pass

    with caplog.at_level(logging.ERROR), rig(answers(), witness=Witnesses([Broken()])) as made:
        assert made.run(trio()).status.value == "succeeded"
    assert caplog.text.count("runs go on without it") == 1


def test_a_stopped_and_a_stalled_branch_have_whole_spans() -> None:
    spans = spans_of(answers(joke=(Reply(text="a b c d e", fault=Fault.CUT_OFF),)))
    assert all(ended(span) >= began(span) > 0 for span in spans)
