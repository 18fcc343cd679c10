"""The workflows page as a script: make, change, mend, keep and bring back; nothing is lost."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from components import session
from fanout.providers.script import Reply, Script
from fanout.providers.scripted_server import ServerHandle, serving
from fanout.workflows.library import user_workflows
from fanout.workflows.parsing import KINDS, parse
from fanout.workflows.skeletons import skeleton
from fanout.workflows.specs import MAX_BRANCHES
from fanout.workflows.user_workflows import UserWorkflows
from fanout.workflows.written import written

SHELL = Path(__file__).resolve().parents[2] / "components" / "shell.py"
PARTS = ("About", "Shared prompt", "Branches", "Combining", "Rules", "Preview", "File")


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


def opened(name: str = "") -> AppTest:
    app = AppTest.from_file(SHELL, default_timeout=30).run()
    app = drawn(app.switch_page("../pages/workflows.py").run())
    return chosen(app, name) if name else app


def drawn(app: AppTest) -> AppTest:
    assert not app.exception, [error.message for error in app.exception]
    return app


def chosen(app: AppTest, name: str) -> AppTest:
    return drawn(app.selectbox(key="opened_workflow").set_value(name).run())


def turned_to(app: AppTest, part: str) -> AppTest:
    return drawn(app.segmented_control(key="workflow_part").set_value(part).run())


def pressed(app: AppTest, key: str) -> AppTest:
    return drawn(app.button(key=key).click().run())


def made(app: AppTest, title: str, kind: str = "sectioning", name: str = "") -> AppTest:
    app.text_input(key="new_title").set_value(title)
    app.text_input(key="new-name").set_value(name)
    app.radio(key="new_kind").set_value(kind)
    return pressed(app, "create_workflow")


def said(app: AppTest) -> str:
    elements = (
        *app.header,
        *app.markdown,
        *app.caption,
        *app.error,
        *app.warning,
        *app.code,
    )
    labels = [button.label for button in app.button]
    return "\n".join([*(element.value for element in elements), *labels]).replace("\\", "")


def branch_field(app: AppTest, field: str) -> str:
    """The key of a field of the branch that is shown."""
    keys = [e.key for e in (*app.text_input, *app.text_area, *app.number_input, *app.toggle)]
    (key,) = [k for k in keys if re.fullmatch(rf"wf-.*-branches-row\d+-{field}", k or "")]
    assert key is not None
    return key


def typed_prompt(app: AppTest, text: str) -> AppTest:
    return drawn(app.text_area(key=branch_field(app, "prompt")).set_value(text).run())


def titles(app: AppTest, name: str) -> list[str]:
    """The branches as the chooser offers them."""
    return list(app.pills(key=f"branch-of-{name}").options)


def test_a_shipped_workflow_is_read_only_and_can_be_duplicated(mine: UserWorkflows) -> None:
    app = opened("creative-trio")
    assert "shipped, read-only" in said(app)
    assert not [b for b in app.button if b.key in ("save_workflow", "delete_workflow")]
    for part in PARTS:
        app = turned_to(app, part)
        assert not [field.key for field in app.text_input if (field.key or "").startswith("wf-")]
    app.text_input(key="copy_title").set_value("My Trio")
    app = pressed(app, "make_copy")
    assert app.selectbox(key="opened_workflow").value == "my-trio"
    stored = mine.get("my-trio")
    assert stored is not None and stored.workflow is not None
    assert stored.workflow.title == "My Trio"
    assert len(stored.workflow.branches) == 3


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_starts_as_a_workflow_that_can_be_run(kind: str, mine: UserWorkflows) -> None:
    app = made(opened(), f"A {kind}", kind)
    stored = mine.get(f"a-{kind}")
    assert stored is not None and stored.workflow == skeleton(
        kind, name=f"a-{kind}", title=f"A {kind}"
    )
    for part in PARTS:
        app = turned_to(app, part)
    assert app.button(key="save_workflow").disabled, "looking at every part changes nothing"
    assert f'kind = "{kind}"' in said(app)


def test_reading_writes_no_file(mine: UserWorkflows) -> None:
    opened("review")
    assert not mine.folder.exists()


def test_an_edit_survives_other_pages_and_other_workflows_until_it_is_saved(
    mine: UserWorkflows,
) -> None:
    app = made(opened(), "Trip")
    app = typed_prompt(app, "Name three sights of {topic}.")
    assert "unsaved changes" in said(app)
    app.switch_page("../pages/models.py").run()
    app = drawn(app.switch_page("../pages/workflows.py").run())
    assert "unsaved changes" in said(app)
    app = chosen(app, "review")
    assert "Unsaved changes wait in Trip" in said(app)
    app = chosen(app, "trip")
    assert app.text_area(key=branch_field(app, "prompt")).value == "Name three sights of {topic}."
    assert "sights" not in saved(mine, "trip")
    app = pressed(app, "save_workflow")
    assert "Trip is saved" in said(app) and "unsaved" not in said(app)
    assert "sights" in saved(mine, "trip")


def saved(mine: UserWorkflows, name: str) -> str:
    stored = mine.get(name)
    assert stored is not None
    return stored.text


def test_text_that_arrives_together_with_the_click_on_save_is_saved(mine: UserWorkflows) -> None:
    app = typed_prompt(made(opened(), "Trip"), "Once. {topic}")
    app.text_area(key=branch_field(app, "prompt")).set_value("Twice. {topic}")
    app = pressed(app, "save_workflow")
    assert "Twice." in saved(mine, "trip")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("About {foo}.", "Prompt uses {foo}, which nothing fills in"),
        ("A lone { brace.", "a brace stands alone"),
        (" ", "no prompt"),
    ],
)
def test_a_wrong_prompt_is_told_at_its_field_and_not_saved(
    text: str, message: str, mine: UserWorkflows
) -> None:
    app = made(opened(), "Trip")
    before = saved(mine, "trip")
    app = typed_prompt(app, text)
    beside = [m.value for m in app.markdown if m.value.startswith(":red[")]
    assert any(message.lower() in words.replace("\\", "").lower() for words in beside)
    app = pressed(app, "save_workflow")
    assert "Not saved: one thing has to be mended first" in said(app)
    assert saved(mine, "trip") == before
    assert app.text_area(key=branch_field(app, "prompt")).value == text
    app = pressed(turned_to(app, "About"), "mend_0")
    assert app.text_area(key=branch_field(app, "prompt")).value == text
    app = pressed(app, "discard_workflow")
    assert app.text_area(key=branch_field(app, "prompt")).value != text
    assert "unsaved" not in said(app)


@pytest.mark.parametrize(
    ("kind", "part", "field", "typed", "message"),
    [
        ("models", "Branches", "temperatures", "0.2, x", "valid number"),
        ("models", "Branches", "temperatures", "3", "less than or equal to 2"),
        ("moderation", "Rules", "categories", "None\nspam", "small letters"),
        ("sectioning", "About", "title", " ", "Title is empty"),
        ("sectioning", "About", "title", "x" * 81, "Title is too long"),
        ("sectioning", "Shared prompt", "system", "{x}", "System uses {x}"),
        ("sectioning", "Combining", "aggregate-prompt", "{x}", "Prompt uses {x}"),
        ("sectioning", "Combining", "aggregate-title", "", "Title is empty"),
    ],
)
def test_what_is_wrong_is_told_where_it_is(
    kind: str, part: str, field: str, typed: str, message: str
) -> None:
    app = turned_to(made(opened(), "Mine", kind), part)
    fields = {f.key: f for f in (*app.text_input, *app.text_area)}
    drawn(fields[f"wf-mine-{field}"].set_value(typed).run())
    beside = [m.value.replace("\\", "") for m in app.markdown if m.value.startswith(":red[")]
    assert any(message in words for words in beside[1:]), beside
    app = pressed(turned_to(app, "File"), "mend_0")
    assert app.segmented_control(key="workflow_part").value == part


def test_branches_are_added_copied_moved_switched_off_and_removed(mine: UserWorkflows) -> None:
    app = made(opened(), "Trip")
    assert titles(app, "trip") == ["First", "Second"]
    app = pressed(app, "branch_add")
    app.text_input(key=branch_field(app, "title")).set_value("Costs")
    app.text_input(key=branch_field(app, "id")).set_value("costs")
    app = drawn(app.run())
    app = pressed(app, "branch_copy")
    app = pressed(app, "branch_up")
    app = drawn(app.toggle(key=branch_field(app, "enabled")).set_value(False).run())
    assert titles(app, "trip") == ["First", "Second", "Costs 2 (off)", "Costs"]
    app = pressed(pressed(app, "branch_up"), "branch_up")
    assert app.button(key="branch_up").disabled
    app = pressed(app, "branch_down")
    shown = app.pills(key="branch-of-trip").value
    app = pressed(app, "save_workflow")
    assert app.pills(key="branch-of-trip").value == shown, "saving stays at the branch"
    stored = mine.get("trip")
    assert stored is not None and stored.workflow is not None
    assert [b.id for b in stored.workflow.branches] == ["first", "costs-2", "second", "costs"]
    assert not stored.workflow.branches[1].enabled
    app = pressed(pressed(app, "branch_remove"), "branch_remove")
    assert titles(app, "trip") == ["First", "Costs"]


def test_a_variable_is_defined_filled_and_dropped(mine: UserWorkflows) -> None:
    app = made(opened(), "Trip")
    uid = branch_field(app, "prompt").split("-")[-2]
    app.text_input(key=f"variable-{uid}").set_value("{role}")
    app = pressed(app, f"add-variable-{uid}")
    app.text_input(key=branch_field(app, "variables-role")).set_value("a cook")
    app = pressed(typed_prompt(app, "As {role}: {topic}"), "save_workflow")
    assert 'role = "a cook"' in saved(mine, "trip")
    app = pressed(app, f"drop-{uid}-role")
    assert "{role}" in said(app), "the prompt still uses it, and that is told"


def test_fifty_branches_are_edited_and_a_51st_is_refused(mine: UserWorkflows) -> None:
    branches = [{"id": f"b{i}", "title": f"B{i}", "prompt": "{topic}"} for i in range(MAX_BRANCHES)]
    mine.add(parse({"title": "Many", "branches": branches}, name="many"))
    app = opened("many")
    assert app.button(key="branch_add").disabled and app.button(key="branch_copy").disabled
    drawn(app.number_input(key=branch_field(app, "times")).set_value(2).run())
    assert "it would run 51 branches" in said(app).lower()
    for part in PARTS:
        turned_to(app, part)


def test_ways_of_combining_bring_their_prompt_and_keep_what_was_typed(mine: UserWorkflows) -> None:
    app = turned_to(made(opened(), "Trip"), "Combining")
    prompt = "wf-trip-aggregate-prompt"
    app = drawn(app.text_area(key=prompt).set_value("Mine: {results}").run())
    app = drawn(app.selectbox(key="way-of-trip").set_value("best").run())
    assert "best answer" in (app.text_area(key=prompt).value or "")
    app = drawn(app.selectbox(key="way-of-trip").set_value("none").run())
    app = drawn(app.selectbox(key="way-of-trip").set_value("synthesis").run())
    assert app.text_area(key=prompt).value == "Mine: {results}"
    app = pressed(app, "save_workflow")
    assert "Mine: {results}" in saved(mine, "trip")


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
