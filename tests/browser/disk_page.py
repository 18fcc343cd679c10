"""Pages opened from a disk, the network refused, with a run's board and replay in them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from fanout.events import Event, RunStarted
from fanout.fold import apply, begin
from fanout.render.replay import replay_frames
from fanout.render.stage import board_script, inline_json, replay_data

PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Replay</title>
<meta name="viewport" content="width=device-width"><h1>Replay</h1>
<div data-board="replay-data"></div>
<script type="application/json" id="replay-data">{data}</script>
<script>{script}</script></html>"""


def page_of(events: Sequence[Event]) -> str:
    """The smallest page that replays them."""
    assert isinstance(events[0], RunStarted)
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


@contextmanager
def opening(browser: Browser, folder: Path) -> Iterator[Callable[..., Opened]]:
    """Opens a text as a page from the disk; closes in the end what it opened."""
    contexts = []

    def open_it(html: str, *, width: int = 1360, height: int = 900, **kind) -> Opened:
        context = browser.new_context(viewport={"width": width, "height": height}, **kind)
        contexts.append(context)
        context.set_offline(True)
        page = context.new_page()
        opened = Opened(page=page, errors=[], asked=[])
        page.on("pageerror", lambda error: opened.errors.append(str(error)))
        page.on("request", lambda request: opened.asked.append(request.url))
        file = folder / "page.html"
        file.write_text(html, "utf-8")
        page.goto(file.as_uri())
        return opened

    yield open_it
    for context in contexts:
        context.close()


def axe(page: Page) -> list[str]:
    """What axe calls serious or critical."""
    response = Axe().run(page, options={"resultTypes": ["violations"]}).response
    return [
        f"{found['impact']} {found['id']}: {node['target']} {node.get('failureSummary', '')}"
        for found in response["violations"]
        if found["impact"] in ("serious", "critical")
        for node in found["nodes"]
    ]
