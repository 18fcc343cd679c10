"""The run page with a run of an earlier process: interrupted, deleted, without its workflow."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from components import session
from fanout.providers.script import Fault, Reply, Rule, Script
from fanout.providers.scripted_server import ServerHandle, serving
from fanout.snapshot import Snapshot
from fanout.store.store import Store
from fanout.types import RunStatus
from fanout.workflows.baseline import single_prompt
from fanout.workflows.library import shipped
from tests.pages.test_run import opened, said
from tests.rig import QUICK, rig, script, trio

TRIO = shipped().get("creative-trio")


@pytest.fixture
def endpoint(monkeypatch: pytest.MonkeyPatch) -> Iterator[ServerHandle]:
    poem = Rule(prompt="Write a short poem", replies=(Reply(text="A new poem."),))
    told = Script(rules=(poem,), otherwise=Reply(text="Fine words."), models=("m",))
    with serving(told) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.base_url)
        yield server
        session.close_runtime()


def interrupted(home: Path) -> Snapshot:
    """A run whose process ended while the poem was being asked for."""
    stalled = Reply(fault=Fault.STALL_FIRST)
    with Store.open(home) as store, rig(script(QUICK, poem=stalled), store=store) as here:
        handle = here.start(trio())
        for _ in handle.follow():
            done = sum(branch.state.succeeded for branch in handle.snapshot.branches)
            if done == 2 and here.provider.streaming == 1:
                break
    assert handle.snapshot.status is RunStatus.INTERRUPTED
    return handle.snapshot


@pytest.mark.usefixtures("endpoint")
def test_an_interrupted_run_says_what_is_missing_and_where_it_was_asked(
    fanout_home: Path,
) -> None:
    app = opened(run=interrupted(fanout_home).run_id)
    assert "Interrupted" in said(app)
    assert "Missing: Poem." in said(app)
    # The rig's endpoint is not known to this process; nobody else is asked instead.
    assert "It was asked at Here, which is not set up here" in said(app)
    assert app.button(key="resume").disabled


@pytest.mark.usefixtures("endpoint")
def test_a_deleted_run_can_be_restored_where_its_link_leads(fanout_home: Path) -> None:
    run_id = interrupted(fanout_home).run_id
    with Store.open(fanout_home) as store:
        store.history.delete([run_id])
    app = opened(run=run_id)
    assert "was deleted" in app.warning[0].value
    app.button(key="restore_run").click().run()
    assert not app.exception
    assert "Missing: Poem." in said(app)


@pytest.mark.usefixtures("endpoint")
def test_a_run_whose_workflow_is_gone_says_so_and_gives_it_back(fanout_home: Path) -> None:
    with Store.open(fanout_home) as store, rig(script(), store=store) as here:
        run = here.run(single_prompt(TRIO))
    app = opened(run=run.run_id)
    assert "is not among those that can be chosen above" in said(app)
    app.button(key="keep_workflow").click().run()
    assert not app.exception
    assert "is not among those" not in said(app)
    assert app.selectbox(key="workflow").value == run.workflow


@pytest.mark.usefixtures("endpoint")
def test_what_a_retry_replaced_is_kept_on_the_page(fanout_home: Path) -> None:
    half = Reply(text="Half a poem and then", fault=Fault.NO_FINISH)
    told = script(QUICK, poem=(half, QUICK))
    with Store.open(fanout_home) as store, rig(told, store=store) as here:
        handle = here.start(trio())
        assert handle.wait(timeout_s=20).status is RunStatus.PARTIAL
        handle.resume()
        assert handle.wait(timeout_s=20).status is RunStatus.SUCCEEDED
    app = opened(run=handle.id)
    assert "2 earlier goes, kept" in [expander.label for expander in app.expander]
    assert "Half" in "".join(one.value for one in app.code)
