"""A server that is down for good: it is left alone, nothing is sent meanwhile, and it is tried."""

from __future__ import annotations

from fanout.endpoint import Endpoint
from fanout.engine.endpoints import EndpointBook
from fanout.engine.engine import Engine
from fanout.policies import EndpointPolicy
from fanout.providers.openai_compatible import OpenAICompatible
from fanout.providers.script import Reply, Rule, Script
from fanout.providers.scripted_server import ServerHandle, serving
from fanout.traffic.circuit import CircuitState
from fanout.types import BranchId, FailureKind, RunStatus
from tests.rig import AT_ONCE, HERE, MODEL, QUICK, trio

ALONE_S = 2.5
DOWN = Rule(prompt="Write a", replies=(*[Reply(status=503)] * 6, QUICK))


def asked(server: ServerHandle) -> int:
    return len(server.requests)


def test_a_server_that_is_down_is_left_alone_and_tried_again_later() -> None:
    policy = EndpointPolicy(circuit_failures=2, circuit_s=ALONE_S, attempts=3)
    book = EndpointBook(OpenAICompatible)
    one, two = trio(["joke"], aggregate=None), trio(["joke", "poem"], aggregate=None)
    with serving(Script(rules=(DOWN,), otherwise=QUICK)) as server:
        book.put(Endpoint(id=HERE, name="Acme AI", base_url=server.base_url, policy=policy))
        with Engine(book, retries=AT_ONCE) as engine:
            down = engine.start(two, "rain", MODEL).wait(20)
            assert down.status is RunStatus.FAILED
            assert asked(server) == 6, "two calls gave up after three attempts each"
            (health,) = book.health()
            assert health.circuit is CircuitState.OPEN and health.circuit_s > 0

            kept = engine.start(two, "rain", MODEL).wait(20)
            assert asked(server) == 6, "nothing is sent to it"
            for name in ("joke", "poem"):
                failure = kept.branch(BranchId(name)).failure
                assert failure is not None and failure.kind is FailureKind.SERVER
                assert "Acme AI failed 2 times in a row" in failure.message
                assert "choose a model of another endpoint" in failure.message
                assert kept.branch(BranchId(name)).usage is not None
                assert kept.branch(BranchId(name)).attempts == 0

            while book.health()[0].circuit_s > 0:
                server.wait_until(lambda _: False, timeout_s=0.05)
            tried = engine.start(one, "rain", MODEL).wait(20)
            assert tried.status is RunStatus.SUCCEEDED and asked(server) == 7
            assert book.health()[0].circuit is CircuitState.CLOSED
            assert engine.start(two, "rain", MODEL).wait(20).status is RunStatus.SUCCEEDED
