"""What the pages say of budgets: meters, the day's fields, estimates held to account."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from components import session
from components.budget.words import (
    accuracy_words,
    beyond,
    day_gauges,
    foreseen_words,
    gauges,
    left_today,
)
from components.policies.edits import key_of
from fanout.budget.amount import Amount, Taken
from fanout.budget.budgets import Today
from fanout.budget.caps import DayCaps
from fanout.budget.ledger import DayTaken
from fanout.engine.runtime import Runtime
from fanout.insight.accuracy import Accuracy, Span
from fanout.insight.estimate import Estimate
from fanout.policies import Budget
from fanout.providers.script import Reply, Script
from fanout.providers.scripted_server import serving
from fanout.types import Forecast

SHELL = Path(__file__).resolve().parents[2] / "components" / "shell.py"
CENTS = Taken(
    spent=Amount(usd=Decimal("0.012"), tokens=1_200),
    reserved=Amount(usd=Decimal("0.008"), tokens=800),
)


@pytest.fixture
def runtime(monkeypatch: pytest.MonkeyPatch) -> Iterator[Runtime]:
    with serving(Script(otherwise=Reply(text="Fine words."), models=("m",))) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.base_url)
        monkeypatch.setenv("FANOUT_MODEL", "m")
        yield session.runtime()
        session.close_runtime()


def drawn(app: AppTest) -> AppTest:
    assert not app.exception, [error.message for error in app.exception]
    return app


def plain(app: AppTest) -> str:
    return "\n".join(str(one.value) for one in app.caption).replace("\\", "")


def test_a_gauge_says_what_is_spent_and_what_is_set_aside() -> None:
    money, tokens = gauges("This run", Budget(usd=Decimal("0.05"), tokens=4_000), CENTS)
    assert money.text == "This run: $0.012 of $0.05 spent, $0.0080 set aside for calls under way"
    assert tokens.text == (
        "This run: 1,200 of 4,000 tokens used, 800 set aside for calls under way"
    )
    assert (money.share, tokens.share) == (0.4, 0.5)
    assert gauges("This run", Budget(), CENTS) == ()


def test_an_overdrawn_gauge_is_full() -> None:
    (gauge,) = gauges("Today", Budget(usd=Decimal("0.001")), CENTS)
    assert gauge.share == 1.0


def test_the_day_is_told_for_everybody_and_for_a_person() -> None:
    caps = DayCaps(everyone=Budget(usd=Decimal(1)), person=Budget(tokens=5_000))
    today = Today(caps=caps, taken=DayTaken(everyone=CENTS, person=CENTS))
    assert [gauge.text.split(":")[0] for gauge in day_gauges(today)] == ["Today", "Your day"]
    assert left_today(today) == (
        "$0.98 of today's $1.00 left, 3,000 of your day's 5,000 tokens left"
    )


def test_a_run_is_held_against_its_estimate() -> None:
    money = Span(low=Decimal("0.01"), high=Decimal("0.03"), actual=Decimal("0.04"), in_usd=True)
    words = Span(low=Decimal(100), high=Decimal(300), actual=Decimal(200), in_usd=False)
    assert foreseen_words(money) == (
        "It cost $0.040: above the estimate of $0.010 to $0.030, 2.0 times its middle."
    )
    assert foreseen_words(words) == (
        "It wrote 200 tokens: inside the estimate of 100 to 300, 1.0 times its middle."
    )
    assert accuracy_words(Accuracy(runs=20, inside=17, of_middle=0.8)) == (
        "The last 20 estimates: actual was inside the range 17 times, median 0.8× the middle"
    )


def test_the_budget_of_the_day_is_set_on_the_models_page_and_said_before_a_run(
    runtime: Runtime,
) -> None:
    app = AppTest.from_file(SHELL, default_timeout=30).run()
    app = drawn(app.switch_page("../pages/models.py").run())
    assert "Spent today: $0.00 and 0 tokens." in plain(app)
    app.number_input(key="day_usd").set_value(0.3)
    app.number_input(key="day_tokens").set_value(90_000)
    drawn(app.button(key="keep_day_budget").click().run())
    assert runtime.engine.budgets.caps.now().everyone == Budget(usd=Decimal("0.3"), tokens=90_000)
    app = drawn(app.switch_page("../pages/run.py").run())
    assert "$0.30 of today's $0.30 left, 90,000 of today's 90,000 tokens left" in plain(app)


def test_a_cap_of_the_day_can_be_taken_away_again(runtime: Runtime) -> None:
    runtime.engine.budgets.caps.change(DayCaps(everyone=Budget(tokens=90_000)))
    app = AppTest.from_file(SHELL, default_timeout=30).run()
    app = drawn(app.switch_page("../pages/models.py").run())
    field = app.number_input(key="day_tokens")
    assert field.value == 90_000
    # Streamlit lets a field be emptied only where it has no default.
    assert not field.proto.HasField("default")
    field.set_value(None)
    drawn(app.button(key="keep_day_budget").click().run())
    assert not runtime.engine.budgets.caps.now().capped
    app = drawn(app.switch_page("../pages/run.py").run())
    app = drawn(app.switch_page("../pages/models.py").run())
    assert app.number_input(key="day_tokens").value is None


def test_a_finished_run_shows_its_budget_and_how_good_its_estimate_was(runtime: Runtime) -> None:
    app = drawn(AppTest.from_file(SHELL, default_timeout=30).run())
    app.session_state[key_of("creative-trio", "tokens")] = 50_000
    app.text_area(key="topic").set_value("rain")
    drawn(app.button(key="run").click().run())
    (handle,) = runtime.engine.runs()
    assert handle.wait(timeout_s=20).status.finished
    assert runtime.engine.scribe is not None
    assert runtime.engine.scribe.flush(5)
    app = drawn(app.run())
    meter = runtime.engine.budgets.meter(handle.id)
    assert meter is not None
    assert meter.cap == Budget(tokens=50_000)
    assert "It wrote " in plain(app)
    assert "The last estimate: actual was inside the range" in plain(app)


def test_a_cap_in_dollars_that_nobody_can_keep_is_said_before_the_run(runtime: Runtime) -> None:
    forecast = Forecast(
        input_tokens=10,
        output_tokens_least=10,
        output_tokens_most=20,
        low_usd=None,
        high_usd=None,
    )
    unknown = Estimate(branches=1, combining_calls=0, forecast=forecast, basis="")
    assert "can't be kept" in beyond(unknown, Budget(usd=Decimal(1)))
    assert beyond(unknown, Budget()) == ""
