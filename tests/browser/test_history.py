"""The History page in a real browser: find, open, come back, label, delete, undo, turn pages."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from fanout.store.store import Store
from fanout.store.values import Label
from fanout.types import RunStatus
from tests.browser.conftest import Server, running_app
from tests.browser.steps import OpenPage
from tests.browser.test_accessibility import findings
from tests.pages.history_steps import START, keep

SCRIPT = "<script>window.hurt = 1</script><img src=x onerror='window.hurt = 1'>"
MARKDOWN = "![seen](http://127.0.0.1:9/seen.png) [go](http://127.0.0.1:9) **loud** $x^2$"
ARABIC = "قصة قصيرة عن الحصان والبحر"
LONG = "A" * 400
RUNS = 60


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """An app that comes up with sixty runs of its past."""
    folder = tmp_path_factory.mktemp("history")
    with Store.open(folder / "home") as store:
        filled(store)
    environment = {"OPENAI_BASE_URL": "http://127.0.0.1:9/v1", "FANOUT_MODEL": "none"}
    with running_app(folder, environment) as app:
        yield app


def filled(store: Store) -> None:
    for number in range(RUNS - 5):
        word = "storm" if 40 <= number < 50 else "weather"
        keep(store, f"run-{number:03}", topic=f"{word} {number}", started_at=START + number)
    for number, topic in enumerate((SCRIPT, MARKDOWN, ARABIC, LONG)):
        label = Label(tags=(f"<i>{number}</i>",), notes=MARKDOWN) if number else None
        text = f"The lighthouse {SCRIPT} keeper. "
        keep(
            store,
            f"odd-{number}",
            topic=topic,
            text=text,
            started_at=START + 1000 + number,
            label=label,
        )
    keep(
        store,
        "failed",
        topic="a failure",
        workflow="panel",
        status=RunStatus.FAILED,
        started_at=START + 2000,
        label=Label(favourite=True, tags=("demo",)),
    )


@pytest.fixture
def opened(history: Server, open_page: OpenPage) -> OpenPage:
    """Opens the page with an address of its own."""

    def open_it(address: str = "", *, width: int = 1360, dark: bool = False) -> Page:
        page: Page = open_page(history.url, width=width, dark=dark)
        page.goto(f"{history.url}/history{address}")
        expect(page.get_by_role("heading", name="History", exact=True)).to_be_visible()
        # The last thing on the page: what is clicked before it is there, may be drawn once more.
        expect(page.get_by_text("Import runs")).to_be_visible()
        return page

    return open_it


def runs(page: Page) -> Locator:
    return page.get_by_role("list", name="Runs").get_by_role("listitem")


def search(page: Page) -> Locator:
    return page.get_by_role("searchbox", name="Search topics and texts")


def button(page: Page, name: str) -> Locator:
    return page.get_by_role("button", name=name, exact=True)


def test_a_search_is_kept_through_a_run_and_back_and_through_a_reload(opened: OpenPage) -> None:
    page = opened()
    search(page).press_sequentially("stor", delay=30)
    expect(page).to_have_url(re.compile(r"/history\?q=stor$"))
    expect(runs(page)).to_have_count(10)
    expect(page.locator("mark").first).to_have_text("storm")
    page.get_by_role("link", name="storm 44", exact=True).click()
    expect(page).to_have_url(re.compile(r"/\?run=run-044$"))
    expect(page.get_by_role("region", name="Branch 0", exact=True)).to_be_visible()
    page.go_back()
    expect(runs(page)).to_have_count(10)
    expect(search(page)).to_have_value("stor")
    page.go_forward()
    expect(page.get_by_role("region", name="Branch 0", exact=True)).to_be_visible()
    page.get_by_role("link", name="History", exact=True).click()
    expect(search(page)).to_have_value("stor")
    page.reload()
    expect(runs(page)).to_have_count(10)
    expect(search(page)).to_have_value("stor")
    search(page).fill("storm 44")
    expect(runs(page)).to_have_count(1)
    page.go_back()
    expect(search(page)).to_have_value("stor")
    expect(runs(page)).to_have_count(10)


def test_a_link_can_be_opened_in_another_tab(opened: OpenPage) -> None:
    page = opened("?q=failure")
    link = page.get_by_role("link", name="a failure")
    with page.context.expect_page() as waiting:
        link.click(modifiers=["ControlOrMeta"])
    expect(waiting.value).to_have_url(re.compile(r"/\?run=failed$"))
    expect(search(page)).to_have_value("failure")


def test_filters_are_set_in_the_form_and_by_a_click_on_a_tag(opened: OpenPage) -> None:
    page = opened()
    page.get_by_text("Filters", exact=True).click()
    state = page.get_by_role("combobox", name="State")
    expect(state).to_be_in_viewport()
    state.press("ArrowDown")
    page.get_by_role("option", name="Failed", exact=True).click()
    page.keyboard.press("Escape")
    expect(runs(page)).to_have_count(1)
    expect(page).to_have_url(re.compile(r"\?state=failed$"))
    expect(page.get_by_role("combobox", name="State")).to_be_visible()
    button(page, "Clear search and filters").click()
    expect(runs(page)).to_have_count(25)
    page.get_by_role("button", name="Show runs tagged demo").click()
    expect(page).to_have_url(re.compile(r"\?tag=demo$"))
    expect(runs(page)).to_have_count(1)
    search(page).fill("nothing like it")
    expect(page.get_by_text("No run fits the search and filters.")).to_be_visible()
    button(page, "Clear search and filters").last.click()
    expect(runs(page)).to_have_count(25)
    expect(search(page)).to_have_value("")


def test_a_run_gets_a_title_tags_notes_and_a_star(opened: OpenPage) -> None:
    page = opened("?q=weather+7")
    button(page, "Title, tags and notes of weather 7").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("textbox", name="Title").fill("Mine <b>own</b> *title*")
    tags = dialog.get_by_role("combobox", name="Tags")
    tags.fill("for Ann")
    tags.press("Enter")
    tags.press("Tab")
    dialog.get_by_role("textbox", name="Notes").fill("Shown on Friday")
    button(page, "Save").click()
    expect(dialog).to_have_count(0)
    line = runs(page).filter(has=page.get_by_role("link", name="Mine <b>own</b> *title*"))
    expect(line).to_contain_text("weather 7")
    expect(line).to_contain_text("Shown on Friday")
    expect(line.get_by_role("button", name="Show runs tagged for Ann")).to_be_visible()
    star = line.get_by_role("button", name="Favourite")
    expect(star).to_have_attribute("aria-pressed", "false")
    star.click()
    expect(star).to_be_focused()
    page.goto(page.url.split("?")[0] + "?fav=1")
    expect(runs(page)).to_have_count(2)
    search(page).fill("friday")
    expect(runs(page)).to_have_count(1)


def test_a_deleted_run_comes_back_by_undo_and_later_from_among_the_deleted(
    opened: OpenPage,
) -> None:
    page = opened("?q=weather+12")
    button(page, "Delete weather 12").click()
    expect(page.get_by_text("One run is deleted.")).to_be_visible()
    expect(page.get_by_role("link", name="weather 12", exact=True)).to_have_count(0)
    button(page, "Undo").click()
    expect(page.get_by_role("link", name="weather 12", exact=True)).to_be_visible()
    button(page, "Delete weather 12").click()
    expect(page.get_by_text("One run is deleted.")).to_be_visible()
    page.goto(page.url.split("?")[0] + "?deleted=1")
    button(page, "Restore weather 12").click()
    expect(page.get_by_text("Nothing is deleted.")).to_be_visible()
    button(page, "Back to all runs").click()
    expect(runs(page)).to_have_count(25)


def test_pages_are_turned_by_their_numbers_and_by_back(opened: OpenPage) -> None:
    page = opened()
    expect(page.get_by_text(f"1 to 25 of {RUNS}")).to_be_visible()
    button(page, "Page 3").click()
    expect(page.get_by_text(f"51 to {RUNS} of {RUNS}")).to_be_visible()
    expect(runs(page)).to_have_count(RUNS - 50)
    page.go_back()
    expect(page.get_by_text(f"1 to 25 of {RUNS}")).to_be_visible()
    expect(runs(page)).to_have_count(25)


def test_runs_selected_on_several_pages_are_compared_and_exported(
    opened: OpenPage, tmp_path: Path
) -> None:
    page = opened()
    page.get_by_role("checkbox", name="Select a failure").check()
    expect(page.get_by_text("1 run selected")).to_be_visible()
    expect(button(page, "Compare")).to_be_disabled()
    button(page, "Page 2").click()
    page.get_by_role("checkbox", name="Select weather 20", exact=True).check()
    expect(page.get_by_text("2 runs selected")).to_be_visible()
    with page.expect_download() as waiting:
        button(page, "Export as zip").click()
    waiting.value.save_as(tmp_path / "runs.zip")
    assert (tmp_path / "runs.zip").read_bytes()[:2] == b"PK"
    button(page, "Compare").click()
    expect(page).to_have_url(re.compile(r"/compare\?runs=failed%2Crun-020$"))


def test_what_people_and_models_wrote_is_text_and_nothing_else(opened: OpenPage) -> None:
    page = opened("?q=lighthouse")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.reload()
    expect(runs(page)).to_have_count(4)
    for topic in (SCRIPT, MARKDOWN):
        expect(page.get_by_role("link", name=topic, exact=True)).to_be_visible()
    expect(page.locator("li .excerpt").first).to_contain_text("<script>")
    arabic = page.get_by_role("link", name=ARABIC)
    assert arabic.evaluate("node => getComputedStyle(node).direction") == "rtl"
    assert page.evaluate("window.hurt") is None
    assert page.locator("li img, li script, li strong em").count() == 0
    assert not [url for url in asked if "127.0.0.1:9" in url]


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [1360, 390], ids=["desktop", "phone"])
def test_it_reads_well_and_fits(opened: OpenPage, width: int, dark: bool) -> None:
    page = opened("?q=lighthouse", width=width, dark=dark)
    expect(runs(page)).to_have_count(4)
    page.get_by_role("checkbox", name="Select").first.check()
    expect(page.get_by_text("1 run selected")).to_be_visible()
    page.get_by_text("Filters", exact=True).click()
    expect(page.get_by_role("combobox", name="State")).to_be_visible()
    assert findings(page, sees="lighthouse") == []
    wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    assert wide <= 0, f"{wide} px too wide"
