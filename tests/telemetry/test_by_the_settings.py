"""What the environment asks for is what is sent: over real HTTP, and said where it can't be."""

from __future__ import annotations

import sys
import threading
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from fanout.endpoint import Endpoint
from fanout.engine.insides import sources_of
from fanout.engine.runtime import Runtime
from fanout.people import Person, PersonId
from fanout.providers.script import Reply, Script
from fanout.providers.scripted_server import serving
from fanout.settings import ENVIRONMENT, Settings
from fanout.types import EndpointId, ModelRef, RunStatus
from fanout.workflows.library import shipped
from tests.rig import free_port

KEY = "sk-never-in-a-trace-0123456789"
TOPIC = "a topic that stays here"


class Receiver(ThreadingHTTPServer):
    """Takes traces as a collector does."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        self.paths: list[str] = []
        super().__init__(("127.0.0.1", 0), Taking)


class Taking(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        assert isinstance(self.server, Receiver)
        self.server.bodies.append(self.rfile.read(int(self.headers["content-length"])))
        self.server.paths.append(self.path)
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_a_run_is_sent_to_the_collector_of_the_environment(
    receiver: Receiver, tmp_path: Path
) -> None:
    with serving(Script(otherwise=Reply(text="Fine words."))) as endpoint:
        environment = {
            "FANOUT_HOME": str(tmp_path),
            "FANOUT_TRACES": f"http://127.0.0.1:{receiver.server_port}",
            "OPENAI_BASE_URL": endpoint.base_url,
            "OPENAI_API_KEY": KEY,
            "FANOUT_MODEL": "scripted",
        }
        with Runtime(Settings.from_environment(environment)) as runtime:
            assert not runtime.problems
            workflow = shipped().get("creative-trio")
            run = runtime.engine.start(workflow, TOPIC, runtime.chosen_model()).wait(30)
    assert run.status is RunStatus.SUCCEEDED
    assert receiver.paths == ["/v1/traces"]
    sent = ExportTraceServiceRequest.FromString(receiver.bodies[0])
    (resource,) = sent.resource_spans
    named = {one.key: one.value.string_value for one in resource.resource.attributes}
    assert named["service.name"] == "fanout"
    spans = [span for scope in resource.scope_spans for span in scope.spans]
    assert sum(span.name == "chat scripted" for span in spans) == 4
    said = b"".join(receiver.bodies)
    for hidden in (KEY, TOPIC, "Fine words."):
        assert hidden.encode() not in said


def test_a_collector_that_is_away_ends_nothing(tmp_path: Path) -> None:
    with serving(Script(otherwise=Reply(text="Fine words."))) as endpoint:
        environment = {
            "FANOUT_HOME": str(tmp_path),
            "FANOUT_TRACES": f"http://127.0.0.1:{free_port()}",
            "OPENAI_BASE_URL": endpoint.base_url,
            "FANOUT_MODEL": "scripted",
        }
        with Runtime(Settings.from_environment(environment)) as runtime:
            workflow = shipped().get("creative-trio")
            run = runtime.engine.start(workflow, TOPIC, runtime.chosen_model()).wait(30)
    assert run.status is RunStatus.SUCCEEDED


@pytest.mark.parametrize(
    ("module", "setting"),
    [
        ("opentelemetry.exporter.otlp.proto.http.trace_exporter", {"FANOUT_TRACES": "http://h"}),
        ("prometheus_client", {"FANOUT_METRICS": "9464"}),
    ],
)
def test_packages_that_are_missing_are_named_and_the_app_comes_up(
    module: str, setting: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    environment = {"FANOUT_HOME": str(tmp_path), **setting}
    with Runtime(Settings.from_environment(environment)) as runtime:
        (problem,) = runtime.problems
    assert "requirements-trace.txt" in problem and next(iter(setting)) in problem


def test_metrics_are_served_by_the_app_and_a_second_process_says_that_the_port_is_taken(
    tmp_path: Path,
) -> None:
    port = free_port()
    asked = {"FANOUT_METRICS": str(port), "OPENAI_BASE_URL": "http://127.0.0.1:9/v1"}

    def opened(name: str) -> Runtime:
        home = {"FANOUT_HOME": str(tmp_path / name)}
        return Runtime(Settings.from_environment({**home, **asked, "FANOUT_MODEL": "m"}))

    with opened("one") as one, opened("two") as other:
        one.warm_up()
        other.warm_up()
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
            text = answer.read().decode()
        assert not [problem for problem in one.problems if "FANOUT_METRICS" in problem]
        assert [problem for problem in other.problems if f"port {port}" in problem]
    assert "fanout_runs_in_flight 0.0" in text
    assert 'fanout_endpoint_slots{endpoint="environment"}' in text


def test_a_run_of_another_process_is_counted_there_alone(tmp_path: Path) -> None:
    slow = Script(otherwise=Reply(text="word " * 400, tokens_per_s=40))
    with serving(slow) as endpoint:
        settings = Settings.from_environment(
            {"FANOUT_HOME": str(tmp_path), "OPENAI_BASE_URL": endpoint.base_url}
        )
        with Runtime(settings) as one, Runtime(settings) as other:
            model = ModelRef(endpoint=ENVIRONMENT, model="m")
            run = one.engine.start(shipped().get("creative-trio"), TOPIC, model)
            watched = other.engine.get(run.id)
            assert watched is not None and watched.elsewhere
            assert [here.run_id for here in sources_of(one).runs()] == [run.id]
            assert list(sources_of(other).runs()) == []


def test_what_visitors_typed_is_in_no_label(tmp_path: Path) -> None:
    port = free_port()
    with serving(Script(otherwise=Reply(text="Fine words."))) as endpoint:
        environment = {
            "FANOUT_HOME": str(tmp_path),
            "FANOUT_SHARED": "1",
            "FANOUT_ALLOWED_HOSTS": "127.0.0.1",
            "FANOUT_METRICS": str(port),
            "OPENAI_BASE_URL": endpoint.base_url,
            "FANOUT_MODEL": "scripted",
        }
        with Runtime(Settings.from_environment(environment)) as runtime:
            runtime.warm_up()
            assert runtime.visitors is not None
            visitor = runtime.visitors.of(Person(id=PersonId("somebody")))
            typed = Endpoint(id=EndpointId("typed"), name="Typed", base_url=endpoint.base_url)
            visitor.engine.endpoints.add(typed)
            for model in (
                ModelRef(endpoint=typed.id, model="typed-model"),
                ModelRef(endpoint=ENVIRONMENT, model="scripted"),
            ):
                workflow = shipped().get("creative-trio")
                run = visitor.engine.start(workflow, TOPIC, model).wait(30)
                assert run.status is RunStatus.SUCCEEDED
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
                text = answer.read().decode()
    assert 'fanout_calls_total{endpoint="own",model="own",state="done"} 4.0' in text
    assert 'fanout_calls_total{endpoint="environment",model="scripted",state="done"} 4.0' in text
    assert "typed" not in text
