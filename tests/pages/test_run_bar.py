"""What stands around a run that is open: what is missing of it, its replay, and where it is not."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from components import session
from components.plain import label
from fanout.engine.runtime import Runtime
from fanout.engine.watched import ALONE
from fanout.providers.script import Fault, Reply, Rule, Script
from fanout.providers.scripted_server import ServerHandle, serving
from fanout.settings import ENVIRONMENT, Settings
from fanout.types import BranchId, ModelRef, RunStatus
from fanout.workflows.library import shipped
from tests.pages.test_run import only_run, opened, pressed, said
from tests.pages.test_run_of_earlier import interrupted

WAITING = Reply(fault=Fault.STALL_FIRST)
REFUSED_ONCE = Rule(
    prompt="Write a short poem",
    replies=(Reply(status=400), WAITING),
)


@pytest.fixture
def endpoint(monkeypatch: pytest.MonkeyPatch) -> Iterator[ServerHandle]:
    """It refuses the poem, and asked again it takes for ever; a topic can ask for either."""
    unhurried = Rule(prompt="unhurried", replies=(WAITING,))
    refused = Rule(prompt="refused", replies=(Reply(status=400),))
    told = Script(
        rules=(unhurried, refused, REFUSED_ONCE), otherwise=Reply(text="Fine words."), models=("m",)
    )
    with serving(told) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.base_url)
        yield server
        session.close_runtime()


@pytest.mark.usefixtures("endpoint")
def test_why_a_run_has_ended_and_what_it_lacks_are_two_sentences(fanout_home: Path) -> None:
    app = opened(run=interrupted(fanout_home).run_id)
    assert "before this run did. Missing: Poem." in said(app)


def test_a_run_that_cannot_be_stopped_from_here_says_so(
    endpoint: ServerHandle, fanout_home: Path
) -> None:
    settings = Settings(home=fanout_home, base_url=endpoint.base_url, model="m")
    model = ModelRef(endpoint=ENVIRONMENT, model="m")
    with Runtime(settings) as elsewhere:
        handle = elsewhere.engine.start(shipped().get("creative-trio"), "unhurried days", model)
        assert elsewhere.engine.scribe is not None and elsewhere.engine.scribe.flush(10)
        app = opened(run=handle.id)
        assert [w.value for w in app.warning] == [label(ALONE)]
        assert app.button(key="stop").disabled
        handle.stop()
        assert handle.wait(timeout_s=20).status.finished


@pytest.mark.usefixtures("endpoint")
def test_a_replay_is_left_for_good_when_its_run_goes_on() -> None:
    app = pressed(opened())
    handle = only_run()
    assert handle.snapshot.status is RunStatus.PARTIAL
    app.run()
    app.button(key="replay").click().run()
    assert app.button(key="replay").label == "Back to the run"
    assert handle.resume(BranchId("poem"))
    app.run()
    assert app.button(key="replay").disabled
    handle.stop()
    assert handle.wait(timeout_s=20).status.finished
    app.run()
    assert app.button(key="replay").label == "Replay"
    assert not app.exception


@pytest.mark.usefixtures("endpoint")
def test_only_what_failed_is_called_failed() -> None:
    app = pressed(opened(), topic="unhurried days")
    (handle,) = session.runtime().engine.runs()
    handle.stop()
    assert handle.wait(timeout_s=20).status is RunStatus.STOPPED
    assert app.run().button(key="resume").label == "Resume"
    app = pressed(opened(), topic="refused days")
    failed, _ = session.runtime().engine.runs()
    assert failed.wait(timeout_s=20).status is RunStatus.FAILED
    assert app.run().button(key="resume").label == "Retry all that failed"


@pytest.mark.usefixtures("endpoint")
def test_that_a_run_is_not_here_is_said_before_the_form() -> None:
    app = opened(run="nobody-knows")
    kinds = [element.type for element in app.main]
    assert kinds.index("warning") < kinds.index("text_area")
    app.button(key="forget_run").click().run()
    assert app.button(key="try-creative-trio").label
