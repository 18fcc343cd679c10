"""Documents are dropped, asked about, cited and opened, in a real browser."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from fanout.providers.script import Reply, Rule, Script
from fanout.providers.scripted_server import serving
from tests.browser.conftest import App, asking
from tests.browser.steps import OpenPage, region, run
from tests.browser.test_accessibility import findings
from tests.retrieval.sample_files import pdf

pytestmark = pytest.mark.browser

KEEPER = "The lighthouse keeper is paid 40 crowns a night. <b>Not bold</b>, and **not either**."
ANSWER = "The keeper is paid 40 crowns a night [1]."
SCRIPT = Script(
    rules=(Rule(prompt="Passages to read.", replies=(Reply(text=ANSWER),)),),
    otherwise=Reply(text="lighthouse keeper crowns a night"),
)


@pytest.fixture(scope="module")
def research(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    """The app asking an endpoint that answers with citations."""
    with serving(SCRIPT) as endpoint, asking(endpoint, tmp_path_factory.mktemp("app")) as app:
        yield app


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    """Two that can be read, and one that can't."""
    contents = {
        "keeper.txt": KEEPER.encode(),
        "wind.pdf": pdf(["The wind turns the mill."] * 3),
        "empty.md": b"",
    }
    for name, data in contents.items():
        (tmp_path / name).write_bytes(data)
    return [tmp_path / name for name in contents]


def chosen(page: Page) -> Page:
    page.get_by_role("combobox", name="Workflow").click()
    page.get_by_role("option", name="Research", exact=True).click()
    expect(page.get_by_text("Documents: all")).to_be_visible()
    return page


def settled(page: Page) -> None:
    """Charts that are still being drawn push away what is being clicked."""
    app = page.locator("[data-testid='stApp']")
    expect(app).to_have_attribute("data-test-script-state", "notRunning")
    expect(page.get_by_role("heading", name="How it ran")).to_be_visible()


def test_documents_are_dropped_asked_cited_and_opened(
    research: App, open_page: OpenPage, files: list[Path]
) -> None:
    page = chosen(open_page(research.url, height=2600))
    page.locator("input[type=file]").set_input_files(files)
    expect(page.get_by_text("Added keeper.txt, wind.pdf.")).to_be_visible()
    expect(page.get_by_text("empty.md is empty")).to_be_visible()
    expect(page.get_by_text("all 9 are searched")).to_be_visible()
    expect(page.get_by_text("pdf · 3 pages")).to_be_visible()

    run(page, "What is the keeper paid?")
    expect(region(page, "Combined answer")).to_contain_text("40 crowns a night [1]")
    expect(page.get_by_role("heading", name="What was found")).to_be_visible()
    settled(page)
    page.get_by_text("[1] keeper.txt").click(delay=150)
    marked = page.locator("mark").first
    expect(marked).to_have_text(KEEPER)
    assert marked.locator("b, strong").count() == 0, "a document's text was marked up"

    settled(page)
    opened = page.get_by_role("dialog")
    page.get_by_role("button", name="Open the document").first.click(delay=150)
    # Streamlit drops a click while it still draws a run's end; a person clicks once more.
    if not seen_within(opened, 8_000):
        page.get_by_role("button", name="Open the document").first.click(delay=150)
    expect(opened).to_contain_text(KEEPER)


def seen_within(place: Locator, timeout_ms: int) -> bool:
    try:
        expect(place).to_be_visible(timeout=timeout_ms)
    except AssertionError:
        return False
    return True


def test_documents_are_still_there_after_a_reload_and_can_be_removed(
    research: App, open_page: OpenPage, tmp_path: Path
) -> None:
    (tmp_path / "ferry.txt").write_text("The ferry leaves at nine and comes back at noon.")
    page = chosen(open_page(research.url, height=2000))
    page.locator("input[type=file]").set_input_files([tmp_path / "ferry.txt"])
    expect(page.get_by_text("Added ferry.txt.")).to_be_visible()
    again = chosen(open_page(research.url, height=2000))
    row = again.locator("[class*=st-key-document-]").filter(has_text="ferry.txt")
    row.get_by_role("button", name="Remove").click(delay=150)
    expect(again.get_by_text("Removed ferry.txt.")).to_be_visible()
    expect(row).to_have_count(0)
    again.get_by_role("button", name="Undo").click(delay=150)
    expect(row).to_have_count(1)


@pytest.mark.parametrize(("width", "dark"), [(390, False), (1360, True)])
def test_the_areas_are_accessible_and_fit_the_screen(
    research: App, open_page: OpenPage, width: int, dark: bool
) -> None:
    page = chosen(open_page(research.url, width=width, dark=dark))
    assert findings(page) == []
    run(page, "What does a member have to pay?")
    expect(page.get_by_role("heading", name="What was found")).to_be_visible(timeout=60_000)
    assert findings(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
