"""Workflows kept on the page: named, deleted, brought back, changed elsewhere, tried and run."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from components import session
from fanout.providers.script import Reply, Script
from fanout.providers.scripted_server import ServerHandle, serving
from fanout.workflows.library import user_workflows
from fanout.workflows.parsing import KINDS
from fanout.workflows.skeletons import skeleton
from fanout.workflows.user_workflows import UserWorkflows
from fanout.workflows.written import written
from tests.pages.workflow_steps import (
    branch_field,
    chosen,
    drawn,
    made,
    opened,
    pressed,
    said,
    saved,
    turned_to,
    typed_prompt,
)


@pytest.fixture(autouse=True)
def endpoint(monkeypatch: pytest.MonkeyPatch) -> Iterator[ServerHandle]:
    """A scripted endpoint, and the app's own engine asking it."""
    with serving(Script(otherwise=Reply(text="Fine words."), models=("scripted",))) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.base_url)
        monkeypatch.setenv("FANOUT_MODEL", "scripted")
        yield server
        session.close_runtime()


@pytest.fixture
def mine(fanout_home: Path) -> UserWorkflows:
    return user_workflows(fanout_home)


def test_names_are_made_to_fit_and_nobodys_is_taken(mine: UserWorkflows) -> None:
    app = made(opened(), "Trip")
    app = made(app, "Trip", name="Trip")
    assert 'There is a workflow "trip" already' in said(app)
    app = made(app, "Other", name="creative trio")
    assert "name of a shipped workflow" in said(app)
    app.text_input(key="rename-name").set_value("My Long TRIP").run()
    assert "It will be called **my-long-trip**" in said(app)
    app = pressed(app, "rename_now")
    assert [stored.name for stored in mine.all()] == ["my-long-trip"]
    assert app.selectbox(key="opened_workflow").value == "my-long-trip"


def test_a_rename_keeps_unsaved_edits(mine: UserWorkflows) -> None:
    app = typed_prompt(made(opened(), "Trip"), "Edited {topic}")
    app.text_input(key="rename-name").set_value("tour")
    app = pressed(app, "rename_now")
    assert app.text_area(key=branch_field(app, "prompt")).value == "Edited {topic}"
    assert "unsaved changes" in said(app) and "elsewhere" not in said(app)
    pressed(app, "save_workflow")
    assert "Edited" in saved(mine, "tour")


def test_delete_is_undone_with_its_unsaved_edits_and_by_another_session(
    mine: UserWorkflows,
) -> None:
    app = typed_prompt(made(opened(), "Trip"), "Edited {topic}")
    app = pressed(app, "delete_workflow")
    assert mine.all() == () and "**trip** is deleted" in said(app)
    app = pressed(app, "undo_delete")
    assert app.text_area(key=branch_field(app, "prompt")).value == "Edited {topic}"
    app = pressed(app, "delete_workflow")
    (deleted,) = mine.deleted()
    pressed(opened(), f"restore-{deleted.file}")
    assert [stored.name for stored in mine.all()] == ["trip"]


def test_a_change_from_elsewhere_is_told_and_nobodys_work_is_dropped(mine: UserWorkflows) -> None:
    app = typed_prompt(made(opened(), "Trip"), "Mine {topic}")
    theirs = skeleton("sectioning", name="trip", title="Theirs")
    mine.save(theirs)
    app = pressed(app, "save_workflow")
    assert "changed elsewhere" in said(app)
    assert "Theirs" in saved(mine, "trip")
    app = pressed(app, "save_copy")
    assert {stored.name for stored in mine.all()} == {"trip", "trip-copy"}
    assert "Mine {topic}" in saved(mine, "trip-copy")
    app = chosen(app, "trip")
    assert app.header[0].value == "Theirs"


def test_the_other_ways_out_of_a_conflict(mine: UserWorkflows) -> None:
    app = typed_prompt(made(opened(), "Trip"), "Mine {topic}")
    mine.save(skeleton("sectioning", name="trip", title="Theirs"))
    app = pressed(drawn(app.run()), "take_theirs")
    assert app.header[0].value == "Theirs" and "unsaved" not in said(app)
    app = typed_prompt(app, "Mine again {topic}")
    mine.save(skeleton("sectioning", name="trip", title="Theirs too"))
    pressed(drawn(app.run()), "save_over")
    assert "Mine again" in saved(mine, "trip")


def test_a_file_that_vanished_can_be_written_again(mine: UserWorkflows) -> None:
    app = typed_prompt(made(opened(), "Trip"), "Mine {topic}")
    mine.delete("trip")
    app = drawn(app.run())
    assert "Its file is gone" in said(app)
    pressed(app, "save_workflow")
    assert "Mine {topic}" in saved(mine, "trip")


def test_a_broken_file_is_shown_with_its_message_and_mended(mine: UserWorkflows) -> None:
    made(opened(), "Trip")
    (mine.folder / "wrong.toml").write_text("title = [", "utf-8")
    app = opened("wrong")
    assert "wrong.toml is not TOML" in said(app)
    app = pressed(app, "mend_workflow")
    assert "Not saved" in said(app)
    text = written(skeleton("models", name="wrong", title="Right"))
    app.text_area(key="mend-wrong").set_value(text)
    app = pressed(app, "mend_workflow")
    assert app.header[0].value == "Right"


def test_an_import_is_checked_and_gets_a_free_name(mine: UserWorkflows) -> None:
    text = written(skeleton("judges", name="any", title="Jury"))
    app = opened()
    for number, (name, body, message) in enumerate(
        (
            ("My Jury.toml", text.encode(), "is imported"),
            ("my-jury.toml", text.encode(), 'called "my-jury-2"'),
            ("odd.toml", b"\xff\xfe", "was not imported"),
            ("none.toml", b"no toml", "not TOML"),
            ("few.toml", b'title = "T"', "branches"),
        )
    ):
        upload = app.file_uploader(key=f"import_file_{number}")
        app = drawn(upload.set_value([(name, body, "application/toml")]).run())
        assert message in said(app)
    assert [stored.name for stored in mine.all()] == ["my-jury", "my-jury-2"]


def test_the_preview_shows_the_exact_prompts_and_one_branch_is_really_tried(
    endpoint: ServerHandle,
) -> None:
    app = typed_prompt(made(opened(), "Trip"), 'Sights of "{topic}", please.')
    app = turned_to(app, "Preview")
    app = drawn(app.text_area(key="preview_topic").set_value("Ghent").run())
    assert any('Sights of "Ghent", please.' in code.value for code in app.code)
    app = pressed(app, "try_branch")
    (handle,) = session.runtime().engine.runs()
    handle.wait(timeout_s=20)
    assert [branch.text for branch in handle.snapshot.branches] == ["Fine words."]
    assert handle.snapshot.aggregate is None
    assert len(endpoint.requests) == 1
    drawn(app.run())


@pytest.mark.parametrize("kind", KINDS)
def test_the_preview_of_every_kind_says_what_is_sent(kind: str) -> None:
    app = turned_to(made(opened(), "Mine", kind), "Preview")
    assert "tokens in altogether" in said(app)
    assert app.get("plotly_chart")


def test_the_run_page_offers_workflows_of_ones_own_as_they_are_now(mine: UserWorkflows) -> None:
    app = made(opened(), "Trip")
    drawn(app.switch_page("../pages/run.py").run())
    drawn(app.selectbox(key="workflow").set_value("trip").run())
    drawn(app.switch_page("../pages/workflows.py").run())
    app = pressed(typed_prompt(app, "Newer {topic}"), "save_workflow")
    drawn(app.switch_page("../pages/run.py").run())
    app.text_area(key="topic").set_value("Ghent")
    app = pressed(app, "run")
    (handle,) = session.runtime().engine.runs()
    assert handle.workflow.branches[0].prompt == "Newer {topic}"
    handle.wait(timeout_s=20)
    mine.delete("trip")
    app = drawn(app.run())
    assert app.selectbox(key="workflow").value != "trip"
