"""A run plays again in a page that stands alone, and can be steered by hand and by keys."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from fanout.fold import apply, begin
from fanout.render.replay import replay_frames
from fanout.render.stage import board_script, inline_json, replay_data
from tests.browser.recorded_run import recorded_run
from tests.browser.steps import region

pytestmark = pytest.mark.browser
PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Replay</title>
<meta name="viewport" content="width=device-width"><h1>Replay</h1>
<div data-board="replay-data"></div>
<script type="application/json" id="replay-data">{data}</script>
<script>{script}</script></html>"""


def page_of(events) -> str:
    snapshot = begin(events[0])
    for event in events[1:]:
        snapshot = apply(snapshot, event)
    data = replay_data(snapshot, replay_frames(events))
    return PAGE.format(data=inline_json(data), script=board_script())


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A page from the disk, what went wrong in it and what it asked the network for."""

    page: Page
    errors: list[str]
    asked: list[str]


@pytest.fixture
def open_file(browser: Browser, tmp_path: Path) -> Iterator[Callable[..., Opened]]:
    """Opens a text as a page from the disk, the network refused; closes what it opened."""
    contexts = []

    def open_it(html: str, *, width: int = 1360, height: int = 900, **kind) -> Opened:
        context = browser.new_context(viewport={"width": width, "height": height}, **kind)
        contexts.append(context)
        context.set_offline(True)
        page = context.new_page()
        opened = Opened(page=page, errors=[], asked=[])
        page.on("pageerror", lambda error: opened.errors.append(str(error)))
        page.on("request", lambda request: opened.asked.append(request.url))
        file = tmp_path / "page.html"
        file.write_text(html, "utf-8")
        page.goto(file.as_uri())
        return opened

    yield open_it
    for context in contexts:
        context.close()


def test_a_page_from_the_disk_shows_a_run_and_asks_nobody(open_file) -> None:
    opened = open_file(page_of(recorded_run()))
    page = opened.page
    expect(region(page, "Joke")).to_contain_text("umbrellas")
    expect(region(page, "Combined answer")).to_contain_text("boats")
    expect(region(page, "Joke")).to_contain_text("</script>")
    assert page.evaluate("window.hurt") is None
    assert opened.errors == []
    assert opened.asked == [page.url]
