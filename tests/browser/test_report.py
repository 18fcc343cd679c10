"""The one-file report as somebody opens it from a stick: no network, any screen, paper."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from pathlib import Path
from unicodedata import normalize

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, ConsoleMessage, Locator, Page, expect
from pypdf import PdfReader

from fanout.export.html import html_report
from fanout.providers.script import Reply
from fanout.render.sources import shown_answer, shown_text
from fanout.store.values import StoredRun
from tests.browser.disk_page import Opened, opening
from tests.browser.steps import region
from tests.export.stored_runs import failed_run, nasty_run, shipped_runs, stored
from tests.folding import folded
from tests.render.recorded_run import recorded_run
from tests.rig import rig, script, trio

pytestmark = pytest.mark.browser
LOOKS = pytest.mark.parametrize(
    ("width", "dark"),
    [(1360, False), (1360, True), (390, False), (390, True)],
    ids=["light-desktop", "dark-desktop", "light-phone", "dark-phone"],
)
STORY = "The keeper of the light counted eleven ships before noon. Then she slept until the rain."
POEM = "| Ship | Cargo |\n|---|---|\n| Ida | salt |\n\n" + " ".join(f"verse{n}" for n in range(900))
ANSWER = "The keeper of the light counted eleven ships before noon. Nobody knows about 7777 gulls."


@pytest.fixture
def open_file(browser: Browser, tmp_path: Path) -> Iterator[Callable[..., Opened]]:
    with opening(browser, tmp_path) as open_it:
        yield open_it


@pytest.fixture(scope="module")
def told() -> StoredRun:
    """A story of which a sentence reached the answer, a long poem, and a gull of the answer's."""
    said = script(story=Reply(text=STORY), poem=Reply(text=POEM), combine=Reply(text=ANSWER))
    with rig(said) as here:
        handle = here.start(trio())
        handle.wait(timeout_s=20)
        return stored(handle)


def recorded() -> StoredRun:
    """Twelve seconds of three branches, hostile texts in them."""
    events = recorded_run()
    return StoredRun(events=events, snapshot=folded(events))


def opened(open_file: Callable[..., Opened], run: StoredRun, **kind) -> Opened:
    return open_file(html_report(run), **kind)


def violations(page: Page) -> list[str]:
    """Everything that axe finds, however small."""
    found = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
    return [
        f"{one['impact']} {one['id']}: {node['target']} {node.get('failureSummary', '')}"
        for one in found
        for node in one["nodes"]
    ]


def console_of(page: Page) -> list[str]:
    """What the page says there from now on."""
    said: list[str] = []

    def hear(message: ConsoleMessage) -> None:
        said.append(message.text)

    page.on("console", hear)
    return said


def unfold(page: Page) -> None:
    page.evaluate("for (const node of document.querySelectorAll('details')) node.open = true")


def told_sentence(page: Page, number: int) -> Locator:
    return page.locator(f'.told[data-s="answer-1-s{number}"]')


def letters(text: str) -> str:
    return "".join(filter(str.isalnum, text))


def paper(page: Page) -> str:
    """The letters of the page as it is printed."""
    pages = PdfReader(io.BytesIO(page.pdf(format="A4"))).pages
    return letters(normalize("NFKC", "".join(one.extract_text() for one in pages)))


def test_a_report_asks_nobody_and_no_text_in_it_runs(open_file) -> None:
    for run in (recorded(), nasty_run(), failed_run(), *shipped_runs().values()):
        it = opened(open_file, run)
        said = console_of(it.page)
        it.page.reload()
        unfold(it.page)
        it.page.wait_for_timeout(50)
        assert set(it.asked) == {it.page.url}
        assert it.errors == [] and said == []
        assert it.page.evaluate("window.hurt") is None


def test_the_policy_refuses_even_markup_that_slipped_through(open_file) -> None:
    bad = "<img src='http://evil.test/x.png' onerror='window.hurt=1'><script>window.hurt=1</script>"
    html = html_report(recorded())
    page = open_file(html.replace("</main>", f"{bad}</main>")).page
    page.wait_for_timeout(200)
    assert page.evaluate("window.hurt") is None


@LOOKS
def test_axe_finds_nothing_at_all(open_file, told: StoredRun, width: int, dark: bool) -> None:
    scheme = "dark" if dark else "light"
    for run in (told, failed_run(), *(shipped_runs()[n] for n in ("moderation", "research"))):
        page = opened(open_file, run, width=width, color_scheme=scheme).page
        unfold(page)
        assert violations(page) == []


def test_axe_does_look(open_file, told: StoredRun) -> None:
    page = opened(open_file, told).page
    page.locator(".foot").first.evaluate("node => { node.style.color = '#ddd'; }")
    page.locator("h2").first.evaluate("node => node.replaceWith(document.createElement('h6'))")
    found = " ".join(violations(page))
    assert "color-contrast" in found and "empty-heading" in found


@LOOKS
def test_axe_finds_nothing_while_a_sentence_is_lit_and_in_the_replay(
    open_file, told: StoredRun, width: int, dark: bool
) -> None:
    page = opened(open_file, told, width=width, color_scheme="dark" if dark else "light").page
    told_sentence(page, 1).first.click()
    expect(page.locator(".panel.full")).to_contain_text("eleven ships")
    assert violations(page) == []
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Replay").click()
    expect(page.get_by_role("group", name="Replay")).to_be_visible()
    page.get_by_role("button", name="At once").click()
    serious = [v for v in violations(page) if v.startswith(("serious", "critical"))]
    assert serious == []


@pytest.mark.parametrize("name", ["creative-trio", "moderation", "judges", "research", "models"])
def test_nothing_sticks_out_of_a_phone(open_file, name: str) -> None:
    page = opened(open_file, shipped_runs()[name], width=390, height=844).page
    unfold(page)
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    out = page.evaluate(
        """() => [...document.querySelectorAll('main *, header *')].filter(node =>
             !node.closest('.scroll, .unseen, svg') && node.getBoundingClientRect().right > 391)
             .map(node => node.outerHTML.slice(0, 90))"""
    )
    assert out == []


def test_a_sentence_lights_up_with_its_source(open_file, told: StoredRun) -> None:
    page = opened(open_file, told).page
    expect(page.locator("[data-panel]")).to_contain_text("Point at a sentence")
    told_sentence(page, 1).first.hover()
    source = page.locator(".quoted.lit")
    expect(source).to_have_text("The keeper of the light counted eleven ships before noon.")
    expect(page.locator("[data-panel]")).to_contain_text("eleven ships")
    told_sentence(page, 2).first.hover()
    expect(source).to_have_count(0)
    expect(page.locator("[data-panel]")).to_contain_text("7777 is in no source")


def test_a_tap_keeps_it_lit_until_another_one_or_escape(open_file, told: StoredRun) -> None:
    page = opened(open_file, told, width=390, height=844, has_touch=True).page
    told_sentence(page, 1).first.tap()
    expect(page.locator(".panel.full")).to_be_in_viewport()
    told_sentence(page, 1).first.tap()
    expect(page.locator(".panel.full")).to_have_count(0)
    told_sentence(page, 1).first.tap()
    page.keyboard.press("Escape")
    expect(page.locator(".lit")).to_have_count(0)


def test_letters_are_links_to_the_words_by_keyboard_and_without_script(
    open_file, told: StoredRun
) -> None:
    page = opened(open_file, told, java_script_enabled=False, height=500).page
    link = page.get_by_role("link", name="From B Story").first
    link.focus()
    page.keyboard.press("Enter")
    expect(page.locator(".quoted").first).to_be_in_viewport()
    expect(page.get_by_role("button")).to_have_count(0)
    for branch in told.snapshot.branches:
        expect(page.locator(f"#branch-{told.snapshot.branches.index(branch)}")).to_be_visible()


def test_the_letters_light_up_as_the_keyboard_reaches_them(open_file, told: StoredRun) -> None:
    page = opened(open_file, told).page
    page.get_by_role("link", name="From B Story").first.focus()
    expect(page.locator(".quoted.lit")).to_have_count(1)


def test_the_replay_plays_when_asked_and_not_before(open_file) -> None:
    it = opened(open_file, recorded())
    page = it.page
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.get_by_role("button", name="Replay").click()
    dialog = page.get_by_role("dialog", name="Replay")
    expect(region(page, "Story").locator(".chip")).to_contain_text("retrying in")
    expect(dialog.locator(".status")).to_contain_text("Running")
    dialog.get_by_role("button", name="At once").click()
    expect(dialog.locator(".status")).to_contain_text("Finished")
    dialog.get_by_role("button", name="Close").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.get_by_role("button", name="Replay").click()
    expect(dialog.locator(".status")).to_contain_text("Running")
    assert it.errors == [] and set(it.asked) == {page.url}


def test_the_presentation_opens_from_the_report_and_leads_back(open_file) -> None:
    it = opened(open_file, recorded())
    page = it.page
    page.get_by_role("button", name="Present").click()
    expect(page.get_by_role("dialog", name="Presentation")).to_be_visible()
    page.keyboard.press("ArrowRight")
    expect(region(page, "Joke")).to_contain_text("umbrellas")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert it.errors == []


@pytest.mark.parametrize("unfolds", [True, False], ids=["script", "no-script"])
def test_paper_holds_every_text_in_full(open_file, told: StoredRun, unfolds: bool) -> None:
    page = opened(open_file, told, color_scheme="dark", java_script_enabled=unfolds).page
    printed = paper(page)
    # Word by word: what stands at a page's edge comes out of a PDF in an order of its own.
    (made,) = told.snapshot.aggregates
    for text in (*map(shown_text, told.snapshot.branches), shown_answer(made)):
        assert [word for word in map(letters, text.split()) if word not in printed] == []
    for branch in told.snapshot.branches:
        assert all(letters(message.content) in printed for message in branch.plan.messages)
    assert "Backingoffs" in printed, "the tables under the charts"
    assert "ReplayPresent" not in printed


def test_paper_is_light_whatever_the_screen_is(open_file, told: StoredRun) -> None:
    page = opened(open_file, told, color_scheme="dark").page
    look = "n => [getComputedStyle(n).color, getComputedStyle(n).backgroundColor].join(' ')"
    assert "20, 22, 27" in page.locator("body").evaluate(look)
    page.emulate_media(media="print", color_scheme="dark")
    assert page.locator("body").evaluate(look) == "rgb(22, 24, 29) rgb(255, 255, 255)"
    assert page.locator(".text").first.evaluate("n => getComputedStyle(n).overflow") == "visible"
    expect(page.get_by_role("button")).to_have_count(0)
