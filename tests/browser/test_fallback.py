"""The page when its line to the server is blocked, breaks, or the server comes back a stranger."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect

from fanout.providers.scripted_server import serving
from tests.browser.conftest import SCRIPT, App, asking
from tests.browser.relay import relay_to
from tests.browser.steps import (
    BRANCHES,
    OpenPage,
    expect_answer,
    expect_growth,
    region,
    run,
    text_of,
)
from tests.rig import free_port

pytestmark = pytest.mark.browser
UNHURRIED = "an unhurried day"

BLOCKED = """
  window.refused = 0;
  window.WebSocket = class extends WebSocket {
    constructor(url, protocols) {
      const board = String(url).includes('/api/');
      super(String(url).replace('/api/', '/no-such-route/'), protocols ?? []);
      if (board) window.refused++;
    }
  };
"""
"""A proxy that knows Streamlit's own socket only."""

LOSSY = (
    BLOCKED
    + """
  window.lost = 0;
  window.WebSocket = class extends WebSocket {
    send(data) {
      if (!lost && new TextDecoder().decode(data).includes('resync')) lost++;
      else super.send(data);
    }
  };
"""
)
"""And Streamlit forgets what it is asked while it is busy with something newer."""


def port_of(url: str) -> int:
    port = urlsplit(url).port
    assert port is not None
    return port


def test_where_no_socket_opens_the_page_polls_and_stop_works(app: App, open_page: OpenPage) -> None:
    page = open_page(app.url, script=BLOCKED)
    run(page, "an endless day")
    for name in BRANCHES:
        expect(region(page, name)).to_contain_text("Once upon a time")
        expect(region(page, name)).to_have_attribute("aria-busy", "true")
    assert page.evaluate("refused") == 3, "after three refusals it is given up"
    expect_growth(page, "Story")
    page.get_by_role("button", name="Stop Poem").click()
    expect(region(page, "Poem")).to_contain_text("Stopped")
    expect(region(page, "Story")).to_have_attribute("aria-busy", "true")
    left = app.endpoint.disconnects
    page.get_by_role("button", name="Stop", exact=True).click()
    for name in ("Joke", "Story"):
        expect(region(page, name)).to_contain_text("Stopped")
    assert app.endpoint.wait_until(lambda server: server.disconnects >= left + 2)
    expect(page.get_by_role("heading", name="Stopped after")).to_be_visible()


def test_where_no_socket_opens_the_board_ends_up_the_same(app: App, open_page: OpenPage) -> None:
    page = open_page(app.url, script=BLOCKED)
    run(page)
    expect_answer(page)
    expect(page.get_by_role("heading", name="instead of")).to_be_visible()
    assert page.evaluate("refused") >= 3
    assert texts(page) == texts(another(page, open_page))


def test_a_picture_that_was_asked_for_in_vain_is_asked_for_again(
    app: App, open_page: OpenPage
) -> None:
    page = open_page(app.url, script=LOSSY)
    run(page)
    expect_answer(page)
    expect(page.get_by_role("heading", name="instead of")).to_be_visible()
    page.wait_for_function("lost")
    expect_answer(page)


def test_a_line_that_breaks_is_taken_up_again_and_no_word_is_missed(
    app: App, open_page: OpenPage
) -> None:
    with relay_to(port_of(app.url)) as line:
        page = open_page(line.url)
        asked: list[str | None] = []
        page.on("websocket", lambda socket: socket.on("framesent", lambda data: note(data, asked)))
        run(page, UNHURRIED)
        expect(region(page, "Story")).to_contain_text("with care. Once upon")
        assert line.cut() >= 2, "the page's socket and the board's"
        expect_growth(page, "Story")
        expect(region(page, "Story")).to_have_attribute("aria-busy", "true")
        expect_answer(page)
        assert asked[0] is None, "the first line begins with nothing"
        assert asked[1:] and None not in asked[1:], "a later one says what it has"
        shown = texts(page)
    assert shown == texts(open_page(page.url.replace(line.url, app.url)))


def test_a_run_that_ends_while_the_line_is_down_still_brings_its_headline(
    app: App, open_page: OpenPage
) -> None:
    with relay_to(port_of(app.url)) as line:
        page = open_page(line.url)
        run(page)
        expect(region(page, "Story")).to_contain_text("Once upon")
        page.wait_for_url("**/?run=*")
        line.down = True
        line.cut()
        expect_answer(open_page(page.url.replace(line.url, app.url)))
        expect(region(page, "Story")).to_have_attribute("aria-busy", "true")
        line.down = False
        expect_answer(page)
        expect(page.get_by_role("heading", name="instead of")).to_be_visible(timeout=40_000)


def test_a_server_that_starts_again_shows_the_run_as_interrupted_and_resumes_it(
    open_page: OpenPage, tmp_path: Path
) -> None:
    port = free_port()
    with serving(SCRIPT) as endpoint:
        with asking(endpoint, tmp_path, port) as app:
            page = open_page(app.url)
            run(page, UNHURRIED)
            expect(region(page, "Story")).to_contain_text("Once upon")
            page.wait_for_url("**/?run=*")
            # Up to two seconds of text may be lost.
            page.wait_for_timeout(2000)
            app.process.kill()
            app.process.wait()
            said = page.get_by_text("Connection lost, trying again")
            expect(said).to_be_visible()
            stood = said.inner_text()
            page.wait_for_timeout(1500)
            assert said.inner_text() == stood, "nobody knows how long the run goes on"
        with asking(endpoint, tmp_path, port):
            resume = page.get_by_role("button", name="Resume", exact=True)
            expect(resume).to_be_visible(timeout=60_000)
            expect(region(page, "Story")).to_contain_text("Once upon")
            expect(page.get_by_label("Topic", exact=True)).to_have_value(UNHURRIED)
            expect(page.get_by_text("Traceback")).to_have_count(0)
            resume.click(delay=150)
            expect_answer(page)


def note(data: str | bytes, asked: list[str | None]) -> None:
    """What a board's line says it has when it opens."""
    if isinstance(data, str) and data.startswith('{"have"'):
        asked.append(json.loads(data)["have"])


def another(page: Page, open_page: OpenPage) -> Page:
    """The same run in a browser that has seen nothing of it."""
    fresh = open_page(page.url)
    expect_answer(fresh)
    return fresh


def texts(page: Page) -> dict[str, str]:
    expect_answer(page)
    # Where the sentences came from is told a moment after the answer.
    expect(page.get_by_role("button", name="Sources", exact=True)).to_be_visible()
    return {name: text_of(page, name) for name in (*BRANCHES, "Combined answer")}
