"""The Compare page in a browser: differences to see and to hear, a blind vote that is blind."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from fanout.providers.script import Reply, Rule, Script
from fanout.providers.scripted_server import serving
from tests.browser.conftest import App, asking
from tests.browser.steps import OpenPage
from tests.browser.test_accessibility import ALL_LOOKS, findings

pytestmark = pytest.mark.browser

FIRST = (
    "Remote work began as an exception. Today it is the rule in many offices. "
    "Still, meetings grew longer and longer. The coffee is only as good as who makes it."
)
SECOND = (
    "Remote work began as an exception. Today it is common in many offices. "
    "The coffee is only as good as who makes it. Still, meetings grew longer and longer."
)
HOSTILE = '<script>hacked=1</script><img src=x onerror="hacked=1">[x](javascript:hacked=1)'
PARTS = f"## Joke\nHa.\n\n## Story\nOnce.\n\n## Poem\nRoses.\n\n## Synthesis\n{SECOND}"
SCRIPT = Script(
    rules=(
        Rule(prompt="hostile", replies=(Reply(text=HOSTILE),)),
        Rule(prompt="following 4 tasks", replies=(Reply(text=PARTS, first_token_s=0.3),)),
        Rule(prompt="[Joke]", replies=(Reply(text=FIRST),)),
    ),
    otherwise=Reply(text="Fine words, one after the other."),
)


@pytest.fixture(scope="module")
def compared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    """The app asking an endpoint whose one-prompt answer differs from the combined one."""
    with serving(SCRIPT) as endpoint, asking(endpoint, folder(tmp_path_factory)) as app:
        yield app


def folder(factory: pytest.TempPathFactory) -> Path:
    return factory.mktemp("compared")


def run_id(page: Page, topic: str = "remote work") -> str:
    """A new finished run."""
    page.get_by_label("Topic", exact=True).fill(topic)
    page.get_by_role("button", name="Run", exact=True).click()
    expect(page.get_by_role("heading", name="instead of")).to_be_visible()
    return page.url.split("run=")[1]


def two_runs(app: App, page: Page, topic: str = "remote work") -> str:
    """The ids of two finished runs, the second of them the first one's one-prompt variant."""
    first = run_id(page, topic)
    page.goto(f"{app.url}/compare?with={first}:joke,{first}:poem")
    page.get_by_role("button", name="Run one prompt").click()
    expect(page.get_by_role("button", name="A is better")).to_be_visible()
    return page.url.split("runs=")[1].split("&")[0].replace("%2C", ",")


def side_by_side(app: App, page: Page, runs: str) -> None:
    page.goto(f"{app.url}/compare?runs={runs}")
    expect(page.get_by_role("heading", name="What was set up differently")).to_be_visible()


def show_differences(page: Page) -> None:
    page.get_by_role("radiogroup", name="Show texts").get_by_text("Differences").click()
    expect(page.locator("ins").first).to_be_visible()


def test_differences_are_underlined_struck_through_and_said_in_words(
    compared: App, open_page: OpenPage
) -> None:
    page = open_page(compared.url)
    side_by_side(compared, page, two_runs(compared, page))
    assert page.locator("ins, del").count() == 0
    show_differences(page)
    for tag, line, words in (
        ("ins", "underline", "added"),
        ("del", "line-through", "removed"),
        ("ins.moved", "underline", "moved to here"),
    ):
        mark = page.locator(f".fanout-diff {tag}").first
        expect(mark).to_have_css("text-decoration-line", line)
        told = mark.evaluate("e => getComputedStyle(e, '::before').content")
        assert words in told
    text = page.get_by_role("group", name="Combined answer of 2 Creative trio, one prompt")
    kept = text.evaluate(
        "e => { const c = e.cloneNode(true); c.querySelectorAll('del').forEach(d => d.remove());"
        " return c.textContent; }"
    )
    assert kept == SECOND


def test_before_the_vote_neither_page_nor_source_tells_whose_text_it_is(
    compared: App, open_page: OpenPage
) -> None:
    page = open_page(compared.url)
    sent: list[str] = []
    runs = two_runs(compared, page)
    page.on(
        "websocket",
        lambda socket: socket.on(
            "framereceived",
            lambda data: sent.append(data if isinstance(data, str) else data.decode("latin-1")),
        ),
    )
    page.goto(f"{compared.url}/compare?runs={runs}&view=blind")
    expect(page.get_by_role("group", name="Text B")).to_be_visible()
    assert {page.get_by_role("group", name=f"Text {x}").inner_text() for x in "AB"} == {
        FIRST,
        SECOND,
    }
    assert any("Text A" in frame for frame in sent)
    for source in (page.content(), *sent):
        for hint in ("Creative trio", "one prompt", "scripted", "One prompt", *runs.split(",")):
            assert hint not in source, hint
    page.get_by_role("button", name="A is better").click()
    expect(page.get_by_role("heading", name="You found A better: Creative trio")).to_be_visible()
    expect(page.get_by_role("heading", name="Blind votes so far")).to_be_visible()
    page.get_by_role("button", name="See everything side by side").click()
    expect(page.get_by_role("heading", name="What was set up differently")).to_be_visible()
    assert "view=blind" not in page.url


def test_turning_to_the_other_view_and_back_changes_no_letter(
    compared: App, open_page: OpenPage
) -> None:
    page = open_page(compared.url)
    two_runs(compared, page)
    before = page.get_by_role("group", name="Text A").inner_text()
    page.get_by_role("radiogroup", name="View").get_by_text("Side by side").click()
    expect(page.get_by_role("heading", name="What was set up differently")).to_be_visible()
    page.get_by_role("radiogroup", name="View").get_by_text("Blind vote").click()
    expect(page.get_by_text("has seen these texts with their names")).to_be_visible()
    assert page.get_by_role("group", name="Text A").inner_text() == before


def test_what_a_model_writes_never_runs(compared: App, open_page: OpenPage) -> None:
    page = open_page(compared.url, script="window.hacked = 0")
    runs = two_runs(compared, page, "a hostile thing")
    side_by_side(compared, page, runs)
    page.get_by_role("radiogroup", name="Show texts").get_by_text("Differences").click()
    expect(page.get_by_text("Underlined: only here")).to_be_visible()
    page.get_by_text("Prompts", exact=True).click()
    expect(page.get_by_text("Asked in")).to_be_visible()
    assert page.evaluate("window.hacked") == 0
    assert page.locator(".fanout-text img, .fanout-text script, .fanout-text a").count() == 0


def test_on_a_phone_the_texts_stand_below_each_other_and_one_can_be_chosen(
    compared: App, open_page: OpenPage
) -> None:
    page = open_page(compared.url)
    runs = two_runs(compared, page)
    page.set_viewport_size({"width": 390, "height": 844})
    side_by_side(compared, page, runs)
    boxes = [
        page.get_by_role("group", name=f"Combined answer of {n}").bounding_box() for n in (1, 2)
    ]
    assert boxes[0] and boxes[1]
    assert boxes[1]["y"] >= boxes[0]["y"] + boxes[0]["height"]
    assert all(box and box["width"] > 280 for box in boxes)
    wide = page.evaluate("document.documentElement.scrollWidth")
    assert wide <= 390
    page.get_by_role("radiogroup", name="Side").get_by_text("2", exact=True).click()
    expect(page.get_by_role("group", name="Combined answer of 1")).to_have_count(0)
    expect(page.get_by_role("group", name="Combined answer of 2")).to_be_visible()


@ALL_LOOKS
def test_axe_finds_nothing_serious_in_either_view(
    compared: App, open_page: OpenPage, width: int, dark: bool
) -> None:
    page = open_page(compared.url, width=width, dark=dark)
    runs = two_runs(compared, page)
    assert findings(page, sees="Which text is better") == [], "the blind vote"
    side_by_side(compared, page, runs)
    show_differences(page)
    assert findings(page, sees="Underlined: only here") == [], "side by side"
    page.goto(f"{compared.url}/compare?runs={runs}&view=blind")
    page.get_by_role("button", name="Tie").click()
    expect(page.get_by_role("heading", name="Blind votes so far")).to_be_visible()
    assert findings(page, sees="A difference of a few votes") == [], "after the vote"
    page.goto(f"{compared.url}/compare?runs=nobody-knows")
    expect(page.get_by_text("is not known here")).to_be_visible()
    assert findings(page, sees="is not known here") == [], "the search"
