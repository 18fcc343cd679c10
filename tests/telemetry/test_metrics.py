"""Metrics as Prometheus reads them, over HTTP, and a log without texts or keys."""

from __future__ import annotations

import json
import logging
import urllib.request
from collections.abc import Iterator

import pytest
from prometheus_client.parser import text_string_to_metric_families

from fanout.endpoint import Secret
from fanout.errors import SettingsError
from fanout.providers.script import Reply, Rule, Script
from fanout.telemetry.labels import MOST_MODELS, Labels
from fanout.telemetry.log_form import JsonLines, Lines, write_log
from fanout.telemetry.metrics import EndpointGauges, Metrics, Sources
from fanout.telemetry.run_log import RunLog
from fanout.telemetry.witness import Witnesses
from fanout.types import EndpointId, ModelRef
from tests.rig import QUICK, free_port, rig, trio

SECRET = "the-topic-that-nobody-may-see"
NOTHING = Sources(runs=list, endpoints=list, rows=dict)


def answers(**replies: tuple[Reply, ...]) -> Script:
    return Script(
        rules=tuple(Rule(prompt=word, replies=each) for word, each in replies.items()),
        otherwise=QUICK,
    )


def scraped(port: int) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        text = answer.read().decode()
    assert SECRET not in text
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_a_scrape_counts_runs_calls_tokens_failures_and_seconds() -> None:
    limited = Reply(status=429, message="slow down", retry_after="0.01")
    metrics = Metrics({"trio"}, NOTHING)
    port = metrics.serve(0)
    with rig(answers(joke=(limited, QUICK)), witness=Witnesses([metrics])) as made:
        run = made.run(trio(), SECRET)
        found = scraped(port)
    metrics.close()
    of = (("endpoint", "here"), ("model", "m"))
    name = run.workflow if run.workflow == "trio" else "own"
    assert found["fanout_runs_total", (("status", "succeeded"), ("workflow", name))] == 1
    assert found["fanout_calls_total", (*of, ("state", "done"))] == 4
    assert (
        found["fanout_attempts_failed_total", (("endpoint", "here"), ("kind", "rate_limit"))] == 1
    )
    written = sum(call.usage.output for call in run.calls if call.usage is not None)
    assert found["fanout_tokens_total", (("direction", "output"), *of)] == written > 0
    assert found["fanout_first_token_seconds_count", of] == 4
    assert found["fanout_call_seconds_count", of] == 4
    assert found["fanout_run_seconds_count", (("workflow", name),)] == 1


def test_a_model_that_never_answered_is_not_named() -> None:
    metrics = Metrics((), NOTHING)
    port = metrics.serve(0)
    unknown = Reply(status=404, message="no such model")
    with rig(Script(otherwise=unknown), witness=Witnesses([metrics])) as made:
        made.run(trio(), SECRET)
    found = scraped(port)
    metrics.close()
    of = (("endpoint", "here"), ("model", "other"))
    assert found["fanout_calls_total", (*of, ("state", "failed"))] == 3
    assert not any(dict(labels).get("model") == "m" for _, labels in found)


def test_no_more_models_are_named_than_there_is_room_for() -> None:
    labels = Labels({"here": "default", "there": ""}.get)
    here = EndpointId("here")
    assert labels.of(ModelRef(endpoint=here, model="default"), answered=False)[1] == "default"
    named = {
        labels.of(ModelRef(endpoint=here, model=f"m{number}"), answered=True)
        for number in range(2 * MOST_MODELS)
    }
    assert len(named) == MOST_MODELS and ("here", "other") in named
    assert labels.of(ModelRef(endpoint=here, model="m0"), answered=False) == ("here", "m0")
    gone = ModelRef(endpoint=EndpointId("gone"), model="m0")
    assert labels.of(gone, answered=True) == ("own", "own")
    assert labels.endpoint(gone) == "own"


def test_gauges_are_read_at_the_moment_of_the_scrape() -> None:
    gauges = EndpointGauges(
        endpoint="here", slots=8, allowed=4, in_flight=3, waiting=2, paused_s=1.5, circuit_open=True
    )
    rows = {"waiting": 7}
    metrics = Metrics((), Sources(runs=list, endpoints=lambda: [gauges], rows=lambda: rows))
    port = metrics.serve(0)
    here = (("endpoint", "here"),)
    found = scraped(port)
    assert found["fanout_endpoint_allowed", here] == 4
    assert found["fanout_endpoint_waiting", here] == 2
    assert found["fanout_endpoint_paused_seconds", here] == 1.5
    assert found["fanout_endpoint_circuit_open", here] == 1
    assert found["fanout_batch_rows", (("state", "waiting"),)] == 7
    rows["waiting"] = 6
    assert scraped(port)["fanout_batch_rows", (("state", "waiting"),)] == 6
    metrics.close()


def test_a_port_that_is_taken_is_said_in_words() -> None:
    port = free_port()
    first, second = Metrics((), NOTHING), Metrics((), NOTHING)
    first.serve(port)
    with pytest.raises(SettingsError, match=f"port {port}.*FANOUT_METRICS"):
        second.serve(port)
    first.close()


@pytest.fixture
def as_before() -> Iterator[None]:
    logger = logging.getLogger("fanout")
    before = (logger.level, logger.propagate, list(logger.handlers))
    yield
    logger.level, logger.propagate, logger.handlers = before


@pytest.mark.usefixtures("as_before")
def test_each_line_of_the_json_log_is_an_object_with_ids_and_no_text(
    capsys: pytest.CaptureFixture[str],
) -> None:
    write_log("json", "info")
    limited = Reply(status=429, message="slow down", retry_after="0.01")
    with rig(answers(joke=(limited, QUICK)), witness=Witnesses([RunLog()])) as made:
        run = made.run(trio(), SECRET)
    logged = capsys.readouterr().err
    lines = [json.loads(line) for line in logged.splitlines()]
    runs = [line for line in lines if line["logger"] == "fanout.runs"]
    assert runs[0]["message"] == "run started" and runs[-1]["message"] == "run finished"
    assert {line["run"] for line in runs} == {run.run_id}
    (failed,) = [line for line in runs if line["message"] == "attempt failed"]
    assert (failed["branch"], failed["kind"], failed["level"]) == ("joke", "rate_limit", "warning")
    finished = {line["branch"]: line for line in runs if line["message"] == "branch finished"}
    assert finished["joke"]["state"] == "done" and finished["joke"]["output_tokens"] > 0
    assert SECRET not in logged and "three four" not in logged


@pytest.mark.parametrize("form", [Lines(), JsonLines()])
def test_no_key_is_written_into_a_line(form: logging.Formatter) -> None:
    Secret("sk-in-a-log-0123456789")
    record = logging.makeLogRecord(
        {"name": "fanout.x", "levelname": "INFO", "msg": "with sk-in-a-log-0123456789",
         "fields": {"url": "http://u:sk-in-a-log-0123456789@host"}}
    )  # fmt: skip
    assert "sk-in-a-log" not in form.format(record)
