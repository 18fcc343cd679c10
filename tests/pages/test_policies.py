"""The policies of a run on its page: one line in words, and what is chosen is what is run."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from components import session
from components.policies import load_policies, with_policies
from components.policies.edits import key_of
from fanout.policies import FanIn
from fanout.providers.script import Reply, Script
from fanout.providers.scripted_server import ServerHandle, serving
from fanout.workflows.library import shipped

SHELL = Path(__file__).resolve().parents[2] / "components" / "shell.py"
TRIO = "creative-trio"


@pytest.fixture(autouse=True)
def endpoint(monkeypatch: pytest.MonkeyPatch) -> Iterator[ServerHandle]:
    with serving(Script(otherwise=Reply(text="Fine words."), models=("m", "n"))) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.base_url)
        monkeypatch.setenv("FANOUT_MODEL", "m")
        yield server
        session.close_runtime()


def opened() -> AppTest:
    """The run page with its policies unfolded."""
    app = AppTest.from_file(SHELL, default_timeout=30)
    app.session_state["policies_area"] = True
    return drawn(app.run())


def drawn(app: AppTest) -> AppTest:
    assert not app.exception, [error.message for error in app.exception]
    return app


def line(app: AppTest) -> str:
    (found,) = [e.value for e in app.caption if "attempt" in e.value]
    return str(found).replace("\\", "")


def key(field: str) -> str:
    return key_of(TRIO, field)


def test_a_line_says_how_a_run_behaves_while_the_fields_are_folded() -> None:
    app = drawn(AppTest.from_file(SHELL, default_timeout=30).run())
    assert line(app) == ("Waits for all · 4 attempts · 2 min to the first word · no budget")
    assert not [one for one in app.number_input if str(one.key).startswith("policy-")]


def test_what_is_chosen_is_said_and_is_what_the_run_obeys() -> None:
    app = opened()
    app.selectbox(key=key("wait")).set_value("either").run()
    app.number_input(key=key("k")).set_value(2)
    app.number_input(key=key("fan_in-deadline_s")).set_value(40.0)
    app.number_input(key=key("retries-attempts")).set_value(2)
    app.number_input(key=key("deadlines-first_token_s")).set_value(None)
    app.number_input(key=key("policies-run_s")).set_value(120.0)
    app.toggle(key=key("hedging")).set_value(True)
    app.selectbox(key=key("prefix")).set_value("off")
    app.multiselect(key=key("fallback")).set_value(["environment/n"])
    app.number_input(key=key("tokens")).set_value(20_000)
    app = drawn(app.run())
    assert line(app) == (
        "Answers after 2 of 3 or 40 s · 2 attempts · no limit to the first word "
        "· ends after 2 min · late calls asked twice · shared beginning not shared "
        "· 1 fallback model · at most 20,000 tokens"
    )
    app.text_area(key="topic").set_value("remote work")
    app = drawn(app.button(key="run").click().run())
    (handle,) = session.runtime().engine.runs()
    handle.wait(timeout_s=20)
    workflow = handle.workflow
    assert workflow.policies.value().fan_in == FanIn(k=2, deadline_s=40.0)
    assert workflow.policies.retries.attempts == 2
    assert workflow.policies.hedging.enabled
    assert workflow.policies.prefix == "off"
    assert workflow.policies.run_s == 120.0
    assert workflow.policies.budget.tokens == 20_000
    assert workflow.deadlines.first_token_s is None
    assert workflow.defaults.fallback == ("environment/n",)
    again = opened()
    again.query_params["run"] = handle.id
    assert line(drawn(again.run())) == line(app)


def test_policies_that_contradict_each_other_are_told_and_not_run() -> None:
    app = opened()
    app.selectbox(key=key("wait")).set_value("deadline").run()
    app.number_input(key=key("fan_in-deadline_s")).set_value(60.0)
    app.number_input(key=key("policies-run_s")).set_value(30.0)
    app.text_area(key="topic").set_value("remote work")
    app = drawn(app.button(key="run").click().run())
    (error,) = {e.value.replace("\\", "") for e in app.error}
    assert "combined after 60 s, but the whole run ends after 30 s" in error
    assert not session.runtime().engine.runs()


def test_the_workflows_own_policies_come_back_at_a_click() -> None:
    app = opened()
    drawn(app.number_input(key=key("retries-attempts")).set_value(7).run())
    assert "7 attempts" in line(app)
    app = drawn(app.button(key="reset_policies").click().run())
    assert "4 attempts" in line(app)
    assert app.number_input(key=key("retries-attempts")).value == 4


def test_a_budget_in_dollars_is_kept_to_the_cent() -> None:
    app = opened()
    drawn(app.number_input(key=key("usd")).set_value(0.1).run())
    assert line(app).endswith("at most $0.10")
    drawn(app.number_input(key=key("usd")).set_value(None).run())
    assert line(app).endswith("no budget")


def test_an_emptied_field_that_needs_a_number_keeps_the_workflows() -> None:
    app = opened()
    drawn(app.number_input(key=key("retries-attempts")).set_value(None).run())
    assert "4 attempts" in line(app)


def test_a_workflow_without_a_combined_answer_has_nothing_that_waits() -> None:
    app = opened()
    drawn(app.selectbox(key="workflow").set_value("models").run())
    combines = shipped().get("models").aggregate is not None
    shown = [s for s in app.selectbox if s.key == key_of("models", "wait")]
    assert bool(shown) == combines


def test_untouched_fields_leave_every_shipped_workflow_as_it_is() -> None:
    for workflow in shipped().workflows:
        load_policies(workflow)
        assert with_policies(workflow) == workflow
