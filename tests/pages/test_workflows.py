"""The workflows page as a script: read, make, change, mend; nothing that is typed is lost."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from components import session
from components.workflow_editor.rules import WITH_RULES
from fanout.providers.script import Reply, Script
from fanout.providers.scripted_server import ServerHandle, serving
from fanout.workflows.library import user_workflows
from fanout.workflows.parsing import KINDS, parse
from fanout.workflows.skeletons import skeleton
from fanout.workflows.specs import MAX_BRANCHES
from fanout.workflows.user_workflows import UserWorkflows
from tests.pages.workflow_steps import (
    PARTS,
    branch_field,
    chosen,
    drawn,
    made,
    opened,
    pressed,
    said,
    saved,
    titles,
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
    rules = ("Rules",) if kind in WITH_RULES else ()
    for part in (*rules, *PARTS):
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


def test_a_variable_of_all_is_defined_filled_and_told_where_its_name_is_taken(
    mine: UserWorkflows,
) -> None:
    app = turned_to(made(opened(), "Mine", "sectioning"), "Shared prompt")
    app.text_input(key="variable-variables").set_value("tone")
    app = pressed(app, "add-variable-variables")
    app.text_input(key="wf-mine-variables-tone").set_value("calm")
    app.text_area(key="wf-mine-shared").set_value("About {topic}, {tone}.")
    app = pressed(app, "save_workflow")
    assert '[variables]\ntone = "calm"' in saved(mine, "mine")
    app.text_input(key="variable-variables").set_value("topic")
    app = pressed(app, "add-variable-variables")
    assert "filled in by Fanout itself" in said(app)
    app = pressed(app, "drop-variables-topic")
    assert "filled in by Fanout itself" not in said(app)
    app = pressed(app, "drop-variables-tone")
    assert "uses {tone}, which nothing fills in" in said(app)


def test_a_thousand_branches_are_edited_and_one_more_is_refused(mine: UserWorkflows) -> None:
    branches = [{"id": f"b{i}", "title": f"B{i}", "prompt": "{topic}"} for i in range(MAX_BRANCHES)]
    mine.add(parse({"title": "Many", "branches": branches}, name="many"))
    app = opened("many")
    assert app.button(key="branch_add").disabled and app.button(key="branch_copy").disabled
    drawn(app.number_input(key=branch_field(app, "times")).set_value(2).run())
    assert f"it would run {MAX_BRANCHES + 1} branches" in said(app).lower()
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
