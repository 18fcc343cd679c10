"""The workflows page in a real browser: copy, get it wrong, mend, try, run."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import App
from tests.browser.steps import OpenPage, region


def to_workflows(page: Page) -> None:
    page.get_by_role("link", name="Workflows").click()
    expect(page.get_by_role("heading", name="Workflows")).to_be_visible()


def opened(page: Page, title: str) -> None:
    field = page.get_by_role("combobox", name="Open a workflow")
    field.fill(title)
    page.get_by_role("option", name=re.compile(title)).first.click()
    expect(page.get_by_role("heading", name=title, exact=True)).to_be_visible()


def part(page: Page, name: str) -> None:
    page.get_by_role("radio", name=name, exact=True).click()


def button(page: Page, name: str) -> Locator:
    return page.get_by_role("button", name=name, exact=True)


def typed(page: Page, label: str, text: str) -> None:
    field = page.get_by_role("textbox", name=label, exact=True)
    field.fill(text)
    field.blur()


def duplicated(page: Page, title: str, copy: str) -> None:
    opened(page, title)
    # The heading is new before what stood under the old one is gone.
    expect(button(page, "Duplicate")).to_have_count(1)
    button(page, "Duplicate").click()
    typed(page, "Title of the copy", copy)
    button(page, "Make the copy").click()
    expect(page.get_by_role("heading", name=copy, exact=True)).to_be_visible()
    expect(button(page, "Make the copy")).to_have_count(0)


def test_a_copy_is_edited_mended_saved_tried_and_run(app: App, open_page: OpenPage) -> None:
    page = open_page(app.url)
    to_workflows(page)
    duplicated(page, "Creative trio", "My quick trio")
    typed(page, "Prompt", "Write about {toppic}.")
    wrong = page.get_by_text("uses {toppic}, which nothing fills in")
    expect(wrong.first).to_be_visible()
    expect(page.get_by_text("unsaved changes")).to_be_visible()
    page.get_by_role("link", name="Models").click()
    expect(page.get_by_role("heading", name="Models", exact=True)).to_be_visible()
    to_workflows(page)
    prompt = page.get_by_role("textbox", name="Prompt", exact=True)
    expect(prompt).to_have_value("Write about {toppic}.")
    # Save takes what was typed last, though the field was never left.
    prompt.fill("Write about {topic}, in a quick way.")
    button(page, "Save").click()
    expect(page.get_by_text("My quick trio is saved.")).to_be_visible()
    expect(page.get_by_text("unsaved changes")).to_have_count(0)
    part(page, "Preview")
    typed(page, "Topic to preview with", "old bridges")
    expect(page.get_by_text("Write about old bridges, in a quick way.")).to_be_visible()
    button(page, "Try this branch").click()
    expect(region(page, "Joke")).to_contain_text("Once upon a time", timeout=30_000)
    expect(region(page, "Joke")).to_contain_text("Done", timeout=30_000)
    page.get_by_role("link", name="Run").click()
    field = page.get_by_role("combobox", name="Workflow", exact=True)
    field.fill("My quick")
    page.get_by_role("option", name="My quick trio").click()
    typed(page, "Topic", "old bridges")
    button(page, "Run").click()
    expect(region(page, "Joke")).to_contain_text("Once upon a time", timeout=30_000)


def test_delete_undo_export_and_import(app: App, open_page: OpenPage, tmp_path: Path) -> None:
    page = open_page(app.url)
    to_workflows(page)
    duplicated(page, "Review", "Passing through")
    with page.expect_download() as waiting:
        button(page, "Export").click()
    file = tmp_path / "passing-through.toml"
    waiting.value.save_as(file)
    assert 'title = "Passing through"' in file.read_text("utf-8")
    button(page, "Delete").click()
    expect(page.get_by_text("passing-through is deleted.")).to_be_visible()
    page.reload()
    expect(button(page, "Deleted")).to_be_visible()
    button(page, "Deleted").click()
    button(page, "Restore passing-through").click()
    expect(page.get_by_role("heading", name="Passing through", exact=True)).to_be_visible()
    button(page, "Import").click()
    page.locator("input[type=file]").set_input_files(file)
    expect(page.get_by_text('is called "passing-through-2"')).to_be_visible()
    assert (app.log.parent / "home" / "workflows" / "passing-through-2.toml").is_file()


@pytest.mark.parametrize(
    ("width", "dark"),
    [
        pytest.param(1360, False, id="light-desktop"),
        pytest.param(390, True, id="dark-phone"),
    ],
)
def test_every_part_reads_well_and_fits(
    app: App, open_page: OpenPage, width: int, dark: bool
) -> None:
    # Tall enough that axe sees all of it without scrolling.
    page = open_page(app.url, width=width, height=2400, dark=dark)
    page.goto(f"{app.url}/workflows")
    expect(page.get_by_role("combobox", name="Open a workflow")).to_be_visible()
    duplicated(page, "Moderation", f"Mine at {width}")
    for name in ("About", "Shared prompt", "Branches", "Combining", "Rules", "Policies", "File"):
        part(page, name)
        expect(page.get_by_role("radio", name=name, exact=True)).to_be_checked()
        assert serious(page) == [], name
        wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert wide <= 0, f"{name} is {wide} px too wide"


def serious(page: Page) -> list[str]:
    """What axe calls serious or critical, Streamlit's own parts included."""
    return [
        f"{found['impact']} {found['id']}: {node['target']} {node.get('failureSummary', '')}"
        for found in Axe().run(page).response["violations"]
        if found["impact"] in ("serious", "critical")
        for node in found["nodes"]
    ]
