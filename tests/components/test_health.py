"""The health of endpoints in words, and its panel on the models page."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from components import session
from components.health.words import busy, calls_words, limit_words, state_words, trouble
from fanout.providers.script import Reply, Script
from fanout.providers.scripted_server import serving
from fanout.settings import ENVIRONMENT
from fanout.traffic.circuit import CircuitState
from fanout.traffic.health import EndpointHealth, RateHealth
from fanout.types import EndpointId, Failure, FailureKind, ModelRef, RunId
from fanout.workflows.library import shipped
from tests.traffic.rig import fail

SHELL = Path(__file__).resolve().parents[2] / "components" / "shell.py"
REST = EndpointHealth(
    endpoint=EndpointId("one"),
    slots=8,
    allowed=8,
    in_flight=0,
    queued={},
    paused_s=0,
    paused_why=None,
    circuit=CircuitState.CLOSED,
    circuit_s=0,
    failures_in_a_row=0,
    requests=RateHealth(),
    tokens=RateHealth(),
    calls=0,
    successes=0,
    failures=0,
    rate_limited=0,
    hedges=0,
    hedges_won=0,
    first_tokens=(),
)
BUSY = replace(REST, in_flight=3, queued={RunId("a"): 1, RunId("b"): 1}, calls=5)
PAUSING = replace(REST, paused_s=11.6, paused_why=FailureKind.RATE_LIMIT)
ALONE = replace(REST, circuit=CircuitState.OPEN, circuit_s=18.2, failures_in_a_row=5)


@pytest.mark.parametrize(
    ("health", "words"),
    [
        (REST, "At rest: not asked in the last 15 minutes"),
        (replace(REST, calls=3), "At rest"),
        (BUSY, "Answering · 3 of 8 calls under way · 2 queued of 2 runs"),
        (
            replace(BUSY, allowed=4, queued={}),
            "Answering · 3 of 4 calls under way (fewer than its 8, after a rate limit)",
        ),
        (PAUSING, "Pausing for 12 s: it asked somebody to wait, so everybody waits"),
        (
            replace(PAUSING, paused_why=FailureKind.SERVER, queued={RunId("a"): 4}),
            "Pausing for 12 s: it is overloaded, so everybody waits · 4 queued",
        ),
        (ALONE, "Left alone for 18 s after 5 failed calls in a row"),
        (
            replace(ALONE, circuit_s=0),
            "The next call tries it again, after 5 failed calls in a row",
        ),
        (
            replace(ALONE, circuit=CircuitState.PROBING, in_flight=1),
            "One call tries whether it answers again",
        ),
    ],
)
def test_the_state_of_an_endpoint_is_said_in_words(health: EndpointHealth, words: str) -> None:
    assert state_words(health) == words


def test_only_what_changes_by_itself_is_looked_at_again() -> None:
    assert not busy(replace(REST, calls=9, failures=9))
    assert all(map(busy, (BUSY, PAUSING, ALONE)))


def test_what_its_limits_leave_is_said_with_who_says_so() -> None:
    requests = RateHealth(limit=500, source="set", left=480)
    tokens = RateHealth(limit=100_000, source="learnt", left=99_000)
    assert limit_words(REST) == ""
    assert limit_words(BUSY) == "No limit is set, and it has said none"
    assert limit_words(replace(BUSY, requests=requests)) == (
        "480 of 500 requests a minute left, as set here"
    )
    assert limit_words(replace(BUSY, requests=requests, tokens=tokens)) == (
        "480 of 500 requests a minute left, as set here; "
        "99,000 of 100,000 tokens a minute left, as it says itself"
    )
    both = replace(BUSY, requests=replace(requests, source="learnt"), tokens=tokens)
    assert limit_words(both) == (
        "480 of 500 requests and 99,000 of 100,000 tokens a minute left, as it says itself"
    )


def test_how_its_calls_ended_is_counted() -> None:
    assert calls_words(REST) == ""
    assert calls_words(replace(BUSY, successes=5)) == "5 calls in the last 15 minutes · none failed"
    mixed = replace(
        BUSY, calls=50, successes=45, failures=5, rate_limited=1, hedges=2, hedges_won=1
    )
    assert calls_words(mixed) == (
        "50 calls in the last 15 minutes · 10 % failed · 1 rate limit "
        "· 2 asked twice, 1 won by the second"
    )
    assert "under 1 % failed" in calls_words(replace(mixed, successes=999, failures=1))


def test_a_closed_panel_tells_trouble_and_else_nothing() -> None:
    names = {EndpointId("one"): "One", EndpointId("two"): "Two"}
    assert trouble([REST, BUSY], names) == ""
    assert trouble([PAUSING, BUSY], names) == "One pauses for a while"
    two = replace(ALONE, endpoint=EndpointId("two"))
    assert trouble([PAUSING, two], names) == "Two is left alone after failures"
    assert trouble([ALONE, two], names) == "One, Two are left alone after failures"


@pytest.fixture
def endpoint(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with serving(Script(otherwise=Reply(text="Fine words."), models=("m",))) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.base_url)
        monkeypatch.setenv("FANOUT_MODEL", "m")
        yield
        session.close_runtime()


@pytest.mark.usefixtures("endpoint")
def test_the_panel_shows_what_a_run_has_left_behind() -> None:
    runtime = session.runtime()
    model = ModelRef(endpoint=ENVIRONMENT, model="m")
    handle = runtime.engine.start(shipped().get("creative-trio"), "remote work", model)
    handle.wait(timeout_s=20)
    app = AppTest.from_file(SHELL, default_timeout=30)
    app.session_state["health"] = True
    app = app.run().switch_page("../pages/models.py").run()
    assert not app.exception
    text = "\n".join(e.value for e in (*app.markdown, *app.caption)).replace("\\", "")
    assert "4 calls in the last 15 minutes · none failed" in text
    (table,) = app.table
    assert list(table.value["Calls"]) == ["4"]
    assert app.button(key="health_again").label == "Refresh"


@pytest.mark.usefixtures("endpoint")
def test_an_endpoint_that_asks_to_wait_for_years_can_be_tried_now() -> None:
    runtime = session.runtime()
    gate = runtime.engine.endpoints.gate(ENVIRONMENT)
    model = ModelRef(endpoint=ENVIRONMENT, model="m")
    asked = Failure(kind=FailureKind.RATE_LIMIT, message="Wait.", retry_after_s=1e9)
    runtime.engine.call(fail, gate, asked)
    app = AppTest.from_file(SHELL, default_timeout=30)
    app.session_state["health"] = True
    app = app.run().switch_page("../pages/models.py").run()
    app.button(key=f"try-{ENVIRONMENT}").click().run()
    assert not app.exception
    assert f"try-{ENVIRONMENT}" not in {button.key for button in app.button}
    handle = runtime.engine.start(shipped().get("creative-trio"), "remote work", model)
    assert handle.wait(timeout_s=20).status.value == "succeeded"
