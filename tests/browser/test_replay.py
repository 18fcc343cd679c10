"""A run plays again in a page that stands alone, steered by hand and by keys."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.conftest import App
from tests.browser.disk_page import Opened, axe, opening, page_of
from tests.browser.steps import OpenPage, expect_answer, region, run
from tests.render.recorded_run import recorded_run

pytestmark = pytest.mark.browser


@pytest.fixture
def open_file(browser: Browser, tmp_path: Path) -> Iterator[Callable[..., Opened]]:
    with opening(browser, tmp_path) as open_it:
        yield open_it


@pytest.fixture
def replay(open_file) -> Page:
    """A run of 12 s, standing at its end."""
    page = open_file(page_of(recorded_run())).page
    expect(page.get_by_role("group", name="Replay")).to_be_visible()
    return page


def position(page: Page) -> float:
    """Seconds that the player shows."""
    minutes, seconds = page.locator(".time").inner_text().split(" of ")[0].split(":")
    return 60 * int(minutes) + float(seconds)


def words(page: Page, name: str) -> int:
    return len(region(page, name).locator(".text").inner_text().split())


def chip(page: Page, name: str) -> Locator:
    return region(page, name).locator(".chip")


def test_a_page_from_the_disk_shows_a_run_and_asks_nobody(open_file) -> None:
    opened = open_file(page_of(recorded_run()))
    page = opened.page
    expect(region(page, "Joke")).to_contain_text("umbrellas")
    expect(region(page, "Combined answer")).to_contain_text("boats")
    expect(region(page, "Joke")).to_contain_text("</script>")
    page.get_by_role("button", name="Play").click()
    expect(page.get_by_role("button", name="Pause")).to_be_visible()
    assert page.evaluate("window.hurt") is None
    assert opened.errors == []
    assert opened.asked == [page.url]


def test_a_long_run_is_unpacked_in_the_page(open_file) -> None:
    many = tuple(f"branch{i}" for i in range(8))
    html = page_of(recorded_run(many, length_s=30.0, words_per_s=40.0))
    assert "packed" in html
    page = open_file(html).page
    expect(region(page, "Branch7")).to_contain_text("umbrellas")


def test_play_begins_anew_and_fills_the_columns_with_the_runs_own_clock(replay: Page) -> None:
    expect(chip(replay, "Joke")).to_contain_text("Done")
    before = words(replay, "Joke")
    replay.get_by_role("button", name="Play").click()
    expect(chip(replay, "Joke")).to_contain_text("Writing")
    assert words(replay, "Joke") < before
    expect(chip(replay, "Story")).to_contain_text("retrying in")
    expect(replay.locator(".status")).to_contain_text("Running")
    expect(chip(replay, "Story")).to_contain_text("Writing")
    shown = float(re.findall(r"([\d.]+) s", replay.locator(".status").inner_text())[0])
    assert abs(shown - position(replay)) < 1.0
    assert replay.get_by_role("button", name=re.compile("^(Stop|Retry)")).count() == 0


def test_a_paused_replay_stands_still_clocks_and_countdowns_too(replay: Page) -> None:
    replay.get_by_role("button", name="Restart").click()
    expect(chip(replay, "Story")).to_contain_text("retrying in")
    replay.get_by_role("button", name="Pause").click()
    expect(replay.get_by_role("button", name="Play")).to_be_visible()
    expect(chip(replay, "Story")).to_contain_text("retrying in")
    first = replay.locator(".board").inner_text()
    replay.wait_for_timeout(500)
    assert replay.locator(".board").inner_text() == first


def test_dragging_back_shows_the_text_of_that_second(replay: Page) -> None:
    line = replay.get_by_role("slider", name="Position in the replay")
    line.fill("6")
    expect(line).to_have_attribute("aria-valuetext", "0:06.0 of 0:12.0")
    expect(chip(replay, "Poem")).to_contain_text("Writing")
    at_six = replay.locator(".grid").inner_text()
    line.fill("11")
    expect(chip(replay, "Poem")).to_contain_text("Done")
    line.fill("6")
    expect(chip(replay, "Poem")).to_contain_text("Writing")
    assert replay.locator(".grid").inner_text() == at_six
    expect(region(replay, "Combined answer")).to_contain_text("Written when the branches are done")


def test_dragging_back_feels_instant_on_a_long_run(open_file) -> None:
    many = tuple(f"branch{i}" for i in range(12))
    page = open_file(page_of(recorded_run(many, length_s=60.0, words_per_s=20.0))).page
    expect(page.get_by_role("button", name="Play")).to_be_visible()
    took_ms = page.evaluate("""async () => {
      const board = document.querySelector('[data-board]').shadowRoot;
      const line = board.querySelector('input');
      const begun = performance.now();
      for (const to of [59, 10, 58, 20]) {
        line.value = to;
        line.dispatchEvent(new Event('input'));
        await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
      }
      return (performance.now() - begun) / 4;
    }""")
    assert took_ms < 400, "a tenth of a second, were the machine idle"


def test_keys_steer_the_replay(replay: Page) -> None:
    replay.get_by_role("button", name="Play").focus()
    for key, second in (("0", 0.0), ("ArrowRight", 2.0), ("ArrowRight", 4.0), ("ArrowLeft", 2.0)):
        replay.keyboard.press(key)
        assert position(replay) == second
    replay.keyboard.press("5")
    expect(replay.get_by_role("button", name="5 times")).to_have_attribute("aria-pressed", "true")
    replay.keyboard.press("Space")
    expect(replay.get_by_role("button", name="Pause")).to_be_focused()
    replay.keyboard.press("Space")
    expect(replay.get_by_role("button", name="Play")).to_be_focused()
    replay.keyboard.press("End")
    assert position(replay) == 12.0
    replay.keyboard.press("Home")
    assert position(replay) == 0.0
    expect(chip(replay, "Joke")).to_contain_text("Ready")


def test_five_times_is_faster_and_at_once_is_the_end(replay: Page) -> None:
    replay.get_by_role("button", name="5 times").click()
    replay.get_by_role("button", name="Restart").click()
    expect(chip(replay, "Joke")).to_contain_text("Writing")
    expect(replay.locator(".time")).to_have_text("0:12.0 of 0:12.0", timeout=8_000)
    replay.get_by_role("button", name="Restart").click()
    replay.get_by_role("button", name="At once").click()
    assert position(replay) == 12.0
    expect(replay.get_by_role("button", name="Play")).to_be_visible()


def test_the_line_of_time_is_marked_where_branches_ended(replay: Page) -> None:
    shares = replay.locator(".end-mark").evaluate_all(
        "marks => marks.map((one) => Number(one.style.getPropertyValue('--at')))"
    )
    assert shares == pytest.approx([0.6, 0.7, 0.8, 1.0])


def test_a_screen_reader_hears_the_ends_and_not_every_frame(replay: Page) -> None:
    replay.locator(".board").evaluate("""board => {
      const told = window.told = [];
      for (const [node, what] of [[board.querySelector('[aria-live]'), 'live'],
                                  [board.querySelector('input'), 'line']]) {
        new MutationObserver(() => told.push([what, node.textContent])).observe(
          node, {childList: true, characterData: true, subtree: true, attributes: true});
      }
    }""")
    replay.get_by_role("button", name="5 times").click()
    replay.get_by_role("button", name="Restart").click()
    expect(replay.locator(".time")).to_have_text("0:12.0 of 0:12.0", timeout=10_000)
    told = replay.evaluate("window.told")
    assert [text for what, text in told if what == "live"] == [
        "Joke is done",
        "Story is done",
        "Poem is done",
        "Synthesis is done. Run finished: 3 of 3",
    ]
    assert len([what for what, _ in told if what == "line"]) < 8


def test_who_wants_less_motion_starts_the_replay_by_hand(open_file) -> None:
    data = page_of(recorded_run()).replace('"ended":true', '"autoplay":true')
    page = open_file(data, reduced_motion="reduce").page
    expect(page.get_by_role("button", name="Play")).to_be_focused()
    assert position(page) == 0.0
    moving = open_file(data).page
    expect(moving.get_by_role("button", name="Pause")).to_be_focused()


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [390, 1360])
def test_axe_finds_nothing_in_a_page_with_a_replay(open_file, width: int, dark: bool) -> None:
    scheme = "dark" if dark else "light"
    ground = f"<style>body {{ background: {'#14161b' if dark else '#fbfaf8'} }}</style>"
    html = page_of(recorded_run()).replace("<h1>", f"{ground}<h1 hidden>")
    page = open_file(html, width=width, color_scheme=scheme, height=2000).page
    assert axe(page) == []
    page.keyboard.press("Tab")
    page.get_by_role("slider").fill("5")
    assert axe(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_a_finished_run_is_replayed_on_its_own_page_and_left_again(
    app: App, open_page: OpenPage
) -> None:
    page = open_page(app.url)
    run(page)
    expect_answer(page)
    page.get_by_role("button", name="Replay", exact=True).click()
    player = page.get_by_role("group", name="Replay")
    expect(player.get_by_role("button", name="Pause")).to_be_focused()
    expect(chip(page, "Story")).to_contain_text("Writing")
    page.keyboard.press("0")
    page.keyboard.press("Space")
    expect(player.get_by_role("button", name="Play")).to_be_visible()
    page.keyboard.press("End")
    expect_answer(page)
    assert page.get_by_role("button", name=re.compile("^(Stop|Retry) ")).count() == 0
    page.get_by_role("button", name="Back to the run").click()
    expect(player).to_have_count(0)
    expect_answer(page)
