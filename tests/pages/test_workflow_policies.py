"""Policies in the workflow editor: typed there, saved as TOML, told where they can't be so."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from components import session
from fanout.providers.script import Reply, Script
from fanout.providers.scripted_server import serving
from fanout.workflows.definition import Workflow
from fanout.workflows.library import user_workflows
from fanout.workflows.user_workflows import UserWorkflows
from tests.pages.workflow_steps import (
    branch_field,
    drawn,
    made,
    opened,
    pressed,
    said,
    saved,
    turned_to,
)


@pytest.fixture(autouse=True)
def endpoint(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with serving(Script(otherwise=Reply(text="Fine words."), models=("m", "n"))) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.base_url)
        monkeypatch.setenv("FANOUT_MODEL", "m")
        yield
        session.close_runtime()


@pytest.fixture
def mine(fanout_home: Path) -> UserWorkflows:
    return user_workflows(fanout_home)


def kept(mine: UserWorkflows, name: str) -> Workflow:
    stored = mine.get(name)
    assert stored is not None and stored.workflow is not None
    return stored.workflow


def test_policies_are_saved_with_the_workflow_and_only_those_that_were_chosen(
    mine: UserWorkflows,
) -> None:
    app = turned_to(made(opened(), "Trip"), "Policies")
    assert "policies" not in saved(mine, "trip")
    for field, number in {
        "policies-fan_in-k": 2,
        "policies-fan_in-deadline_s": 20.0,
        "policies-retries-attempts": 6,
        "policies-run_s": 90.0,
        "policies-budget-usd": 0.1,
        "policies-budget-tokens": 5000,
        "deadlines-first_token_s": None,
    }.items():
        app.number_input(key=f"wf-trip-{field}").set_value(number)
    app.selectbox(key="wf-trip-policies-prefix").set_value("off")
    app.toggle(key="wf-trip-policies-hedging-enabled").set_value(True)
    app.multiselect(key="wf-trip-defaults-fallback").set_value(["environment/n"])
    app = pressed(drawn(app.run()), "save_workflow")
    workflow = kept(mine, "trip")
    policies = workflow.policies
    assert (policies.fan_in.k, policies.fan_in.deadline_s, policies.run_s) == (2, 20.0, 90.0)
    assert (policies.retries.attempts, policies.prefix) == (6, "off")
    assert policies.hedging.enabled
    assert (policies.budget.usd, policies.budget.tokens) == (Decimal("0.1"), 5000)
    assert workflow.deadlines.first_token_s is None
    assert workflow.defaults.fallback == ("environment/n",)
    assert 'usd = "0.1"' in saved(mine, "trip")
    assert "restarts" not in saved(mine, "trip")
    app.number_input(key="wf-trip-policies-budget-usd").set_value(None)
    pressed(drawn(app.run()), "save_workflow")
    assert "usd" not in saved(mine, "trip")


def test_a_branch_and_the_answer_have_fallbacks_of_their_own(mine: UserWorkflows) -> None:
    app = made(opened(), "Trip")
    app.multiselect(key=branch_field(app, "title").replace("title", "fallback")).set_value(
        ["environment/n", "other/x"]
    )
    app = turned_to(drawn(app.run()), "Combining")
    app.multiselect(key="wf-trip-aggregate-fallback").set_value(["environment/m"])
    pressed(drawn(app.run()), "save_workflow")
    first, second = kept(mine, "trip").branches
    assert first.fallback == ("environment/n", "other/x")
    assert second.fallback is None
    aggregate = kept(mine, "trip").aggregate
    assert aggregate is not None and aggregate.fallback == ("environment/m",)


def test_what_contradicts_itself_is_told_at_its_field_and_leads_there(mine: UserWorkflows) -> None:
    app = turned_to(made(opened(), "Trip"), "Policies")
    app.number_input(key="wf-trip-policies-fan_in-deadline_s").set_value(60.0)
    app.number_input(key="wf-trip-policies-run_s").set_value(30.0)
    app = drawn(app.run())
    beside = [m.value for m in app.markdown if m.value.startswith(":red[")]
    assert any("whole run ends after 30 s" in words.replace("\\", "") for words in beside[1:])
    app = pressed(turned_to(app, "File"), "mend_0")
    assert app.segmented_control(key="workflow_part").value == "Policies"
    app = drawn(app.number_input(key="wf-trip-policies-run_s").set_value(None).run())
    assert "to mend" not in said(app)


def test_a_number_that_is_missing_is_asked_for_by_its_name(mine: UserWorkflows) -> None:
    app = turned_to(made(opened(), "Trip"), "Policies")
    app = drawn(app.number_input(key="wf-trip-policies-retries-attempts").set_value(None).run())
    assert "Attempts should be a valid integer" in said(app)
    assert "attempts" not in saved(mine, "trip")


def test_the_policies_of_a_shipped_workflow_can_be_read() -> None:
    app = turned_to(opened("creative-trio"), "Policies")
    text = said(app)
    assert "Attempts" in text and "First word" in text
    assert not [f for f in app.number_input if str(f.key).startswith("wf-")]
