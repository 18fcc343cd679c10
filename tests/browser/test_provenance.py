"""Which branch each sentence of the answer came from, by mouse, keyboard and clipboard."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, Page, expect

from fanout.providers.script import Reply, Rule, Script
from fanout.providers.scripted_server import serving
from tests.browser.conftest import App, asking
from tests.browser.steps import DEEP_FOCUS, OpenPage, region, run
from tests.browser.test_accessibility import findings

pytestmark = pytest.mark.browser

JOKE = "The standards were raised so high that the worker brought a ladder to the video call."
FRIDAYS = "On **Fridays** she left the microphone open, and nobody in the company ever hung up."
STORY = f"{'Mara lived in a lighthouse far from any office building. ' * 12}\n\n{FRIDAYS}"
POEM = "The kettle hums beneath the stair,\nthe cursor blinks in empty air."
ANSWER = (
    "On **Fridays** she left the microphone open, and nobody in the company ever hung up. "
    "The kettle hums beneath the stair, and the worker brought a ladder to the video call. "
    "Distance is measured in patience and paid in gold."
)
SCRIPT = Script(
    rules=(
        Rule(prompt="[Joke]", replies=(Reply(text=ANSWER),)),
        Rule(prompt="funny answer", replies=(Reply(text=JOKE),)),
        Rule(prompt="short story", replies=(Reply(text=STORY),)),
    ),
    otherwise=Reply(text=POEM),
)
FROM_STORY = "Sentence, from B Story"
FROM_TWO = "Sentence, from A Joke and C Poem"
FROM_NOBODY = "Sentence, no source found"


@pytest.fixture(scope="module")
def telling(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    """The app asking an endpoint whose answer can be traced."""
    with serving(SCRIPT) as endpoint, asking(endpoint, tmp_path_factory.mktemp("app")) as app:
        yield app


def finished(app: App, open_page: OpenPage, **look: object) -> Page:
    page = open_page(app.url, **look)
    run(page, "working far away")
    expect(page.get_by_role("button", name="Sources", exact=True)).to_be_visible()
    expect(page.get_by_role("heading", name="How it ran")).to_be_visible()
    return page


def quoted(page: Page) -> Locator:
    return page.locator(".grid mark")


def focused(page: Page) -> str:
    node = page.evaluate_handle(DEEP_FOCUS).as_element()
    assert node is not None
    return str(node.get_attribute("aria-label"))


def test_a_sentence_lights_up_with_its_source_and_the_page_stays_where_it_is(
    telling: App, open_page: OpenPage
) -> None:
    page = finished(telling, open_page)
    answer, story = region(page, "Combined answer"), region(page, "Story")
    answer.scroll_into_view_if_needed()
    main = page.get_by_test_id("stMain")
    body = story.locator(".body")
    body.evaluate("body => { body.scrollTop = 0; }")
    page_at = main.evaluate("main => main.scrollTop")
    answer.get_by_text("she left the microphone open").hover()
    expect(answer.locator(".lit").first).to_be_visible()
    expect(quoted(page)).to_have_text(
        ["On ", "Fridays", " she left the microphone open, and nobody in the company ever hung up."]
    )
    expect(story.locator("mark").last).to_be_in_viewport()
    assert body.evaluate("body => body.scrollTop") > 0, "the column brought it into view"
    assert main.evaluate("main => main.scrollTop") == page_at
    page.mouse.move(2, 2)
    expect(quoted(page)).to_have_count(0)


def test_a_tap_keeps_it_and_says_whose_words_they_are_until_escape(
    telling: App, open_page: OpenPage
) -> None:
    page = finished(telling, open_page)
    answer = region(page, "Combined answer")
    sentence = answer.locator(".told").filter(has_text="kettle hums")
    sentence.click()
    expect(answer).to_contain_text("Where this sentence came from")
    expect(answer.locator(".panel q")).to_have_count(2)
    page.mouse.move(2, 2)
    expect(quoted(page)).not_to_have_count(0)
    expect(answer.get_by_role("button", name=FROM_TWO)).to_have_attribute("aria-expanded", "true")
    page.keyboard.press("Escape")
    expect(quoted(page)).to_have_count(0)
    expect(answer).not_to_contain_text("Where this sentence came from")
    sentence.click()
    expect(answer).to_contain_text("Where this sentence came from")
    sentence.click()
    expect(answer).not_to_contain_text("Where this sentence came from")


def test_what_no_branch_says_is_marked_in_words(telling: App, open_page: OpenPage) -> None:
    page = finished(telling, open_page)
    answer = region(page, "Combined answer")
    invented = answer.get_by_text("Distance is measured")
    expect(invented).to_have_attribute("title", "no source found")
    answer.get_by_role("button", name=FROM_NOBODY).click()
    expect(answer).to_contain_text("no branch says this in similar words")
    expect(answer).to_contain_text("no branch 2")  # its share of the answer, in per cent
    expect(region(page, "Joke")).to_contain_text("reached the answer: 100 %")


def test_the_keyboard_walks_through_the_sentences_and_tab_leaves_them(
    telling: App, open_page: OpenPage
) -> None:
    page = finished(telling, open_page)
    page.get_by_role("button", name="Copy combined answer").focus()
    page.keyboard.press("Tab")
    assert focused(page) == FROM_STORY
    expect(quoted(page)).not_to_have_count(0)
    page.keyboard.press("ArrowRight")
    assert focused(page) == FROM_TWO
    page.keyboard.press("End")
    assert focused(page) == FROM_NOBODY
    page.keyboard.press("Home")
    page.keyboard.press("Enter")
    expect(region(page, "Combined answer")).to_contain_text("Where this sentence came from")
    page.keyboard.press("Escape")
    assert focused(page) == FROM_STORY
    page.keyboard.press("Tab")
    assert not focused(page).startswith("Sentence")


def test_switched_off_nothing_of_it_is_left(telling: App, open_page: OpenPage) -> None:
    page = finished(telling, open_page)
    toggle = page.get_by_role("button", name="Sources", exact=True)
    expect(toggle).to_have_attribute("aria-pressed", "true")
    toggle.click()
    expect(toggle).to_have_attribute("aria-pressed", "false")
    expect(page.get_by_role("button", name=FROM_STORY)).to_have_count(0)
    expect(page.locator(".told")).to_have_count(0)
    expect(region(page, "Joke")).not_to_contain_text("reached the answer")
    toggle.click()
    expect(page.get_by_role("button", name=FROM_STORY)).to_have_count(1)


def test_a_copied_answer_holds_no_letters_of_ours(telling: App, open_page: OpenPage) -> None:
    page = finished(telling, open_page)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Copy combined answer").click()
    expect(page.locator(".board [aria-live]")).to_have_text("Copied")
    assert page.evaluate("navigator.clipboard.readText()") == ANSWER


def test_a_refresh_brings_the_sources_back(telling: App, open_page: OpenPage) -> None:
    page = finished(telling, open_page)
    page.wait_for_url("**/?run=*")
    page.reload()
    expect(page.get_by_role("button", name=FROM_STORY)).to_have_count(1)


@pytest.mark.parametrize(("width", "dark"), [(1360, False), (390, True)])
def test_axe_finds_nothing_serious_in_a_traced_answer(
    telling: App, open_page: OpenPage, width: int, dark: bool
) -> None:
    page = finished(telling, open_page, width=width, dark=dark)
    page.get_by_role("button", name=FROM_TWO).click()
    expect(page.get_by_role("heading", name="Where this sentence came from")).to_be_visible()
    assert findings(page, sees="How it ran") == []
