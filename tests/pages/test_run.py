"""The run page as a script: what it offers, what pressing Run does, what it says when it can't."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from components import session
from fanout.engine.handle import RunHandle
from fanout.providers.script import Reply, Rule, Script
from fanout.providers.scripted_server import ServerHandle, serving
from fanout.types import RunStatus

SHELL = Path(__file__).resolve().parents[2] / "components" / "shell.py"
SCRIPT = Script(
    rules=(Rule(prompt="broken", replies=(Reply(status=401),)),),
    otherwise=Reply(text="Fine words, one after the other."),
    models=("scripted", "other"),
)


@pytest.fixture
def endpoint(monkeypatch: pytest.MonkeyPatch) -> Iterator[ServerHandle]:
    """A scripted endpoint, and the app's own engine asking it."""
    with serving(SCRIPT) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.base_url)
        monkeypatch.setenv("FANOUT_MODEL", "scripted")
        yield server
        session.close_runtime()


def opened(**query: str) -> AppTest:
    app = AppTest.from_file(SHELL, default_timeout=30)
    for name, value in query.items():
        app.query_params[name] = value
    app.run()
    assert not app.exception
    return app


def pressed(app: AppTest, topic: str = "remote work") -> AppTest:
    app.text_area(key="topic").set_value(topic)
    app.button(key="run").click().run()
    assert not app.exception
    return app


def only_run() -> RunHandle:
    (handle,) = session.runtime().engine.runs()
    handle.wait(timeout_s=20)
    return handle


def said(app: AppTest) -> str:
    texts = [element.value for element in (*app.caption, *app.markdown, *app.error, *app.header)]
    return "\n".join(texts).replace("\\", "")


@pytest.mark.usefixtures("endpoint")
def test_the_empty_page_promises_and_offers_an_example_of_every_workflow() -> None:
    app = opened()
    names = ("creative-trio", "perspectives", "review", "report", "questions")
    assert all(app.button(key=f"try-{name}") for name in names)
    assert "3 branches and 1 combining call · scripted at 127.0.0.1" in said(app)
    assert "cost unknown" in said(app)


@pytest.mark.usefixtures("endpoint")
def test_run_starts_a_run_and_its_address_opens_it_again() -> None:
    app = pressed(opened())
    handle = only_run()
    assert app.query_params["run"] in (handle.id, [handle.id])
    again = opened(run=handle.id)
    assert again.text_area(key="topic").value == "remote work"
    assert "instead of" in said(again)
    assert len(again.dataframe) == 4
    assert handle.snapshot.status is RunStatus.SUCCEEDED


@pytest.mark.usefixtures("endpoint")
def test_what_was_typed_stays_when_it_cannot_be_run() -> None:
    app = pressed(opened(), topic="   ")
    assert "There is no topic yet" in said(app)
    app = pressed(app, topic="x" * 200_001)
    assert "200,001 characters" in said(app)
    assert app.text_area(key="topic").value == "x" * 200_001
    assert session.runtime().engine.runs() == ()
    app = pressed(app, topic="fine now")
    assert "200,001" not in said(app)


@pytest.mark.usefixtures("endpoint")
def test_a_run_without_any_answer_says_so_and_draws_the_page() -> None:
    app = pressed(opened(), topic="a broken thing")
    handle = only_run()
    app.run()
    assert not app.exception
    assert handle.snapshot.status is RunStatus.FAILED
    assert "No answer after" in said(app)


@pytest.mark.usefixtures("endpoint")
def test_an_unknown_run_is_explained_and_can_be_left() -> None:
    app = opened(run="nobody-knows")
    assert "There is no run" in app.warning[0].value
    app.button(key="forget_run").click().run()
    assert "run" not in app.query_params


@pytest.mark.usefixtures("endpoint")
def test_another_page_and_back_keeps_what_was_typed() -> None:
    app = opened()
    app.text_area(key="topic").set_value("half a thought").run()
    app.switch_page("../pages/models.py").run()
    app.switch_page("../pages/run.py").run()
    assert app.text_area(key="topic").value == "half a thought"


def test_each_model_of_the_endpoint_can_be_chosen(endpoint: ServerHandle) -> None:
    app = opened()
    offers = session.runtime().offers()
    other = next(offer.ref for offer in offers if offer.ref.model == "other")
    app.selectbox(key="model").set_value(other).run()
    pressed(app)
    only_run()
    assert {request.model for request in endpoint.requests} == {"other"}
