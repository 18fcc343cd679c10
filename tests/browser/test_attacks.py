"""The whole corpus of attacks on every screen, in a real browser: nothing loads, nothing runs."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from components.plain import shortened
from fanout.export.html import html_report
from fanout.providers.script import Reply, Rule, Script
from fanout.providers.scripted_server import serving
from fanout.render.sanitise import clean_text
from fanout.retrieval.library import Library
from fanout.store.store import Store
from fanout.workflows.library import shipped
from fanout.workflows.user_workflows import UserWorkflows
from tests.attacks.corpus import bundles, planted, spread, texts
from tests.attacks.watching import Watch, watching
from tests.browser.conftest import ROOT, Server, asking, wait_for_health
from tests.browser.steps import region, run
from tests.export.stored_runs import NAMES
from tests.pages.history_steps import START, keep
from tests.rig import free_port
from tests.store.samples import update

pytestmark = pytest.mark.browser
GALLERY = ROOT / "tests" / "attacks" / "gallery.py"
SHOWN = ("creative-trio", "moderation", "research")
"""A run of each shows the whole corpus, and every kind of result."""
TYPOGRAPHY = {"→": "->", "←": "<-", "—": "--", "≥": ">=", "≠": "!=", "≈": "~="}
"""What Streamlit draws for these signs."""
SLOWLY = 40_000
Open = Callable[[str], Watch]


def hostile_endpoint() -> Script:
    """Model names, answers and failures of an endpoint that means harm."""
    said = bundles(80)
    names = [name for name in texts() if name.isprintable() and len(name) < 120]
    return Script(
        rules=(
            Rule(prompt="short poem", replies=(Reply(status=400, message=next(spread())),)),
            Rule(prompt="short story", replies=(Reply(text=next(said)),)),
            Rule(prompt="combines the texts", replies=(Reply(text=next(said)),)),
        ),
        otherwise=Reply(text=next(said)),
        models=("scripted", *names),
    )


def fill(home: Path) -> None:
    """Runs, documents and workflows of which every word is an attack."""
    words = spread()
    with Store.open(home) as store:
        for n, text in enumerate(islice(words, 60)):
            keep(store, f"small-{n:03}", topic=text, started_at=START + n, workflow=f"w-{n}")
        for run in planted(NAMES):
            store.write([update(run.events)], imported=True)
            store.history.label(run.id, run.label)
    library = Library(home / "library.db")
    for n, said in enumerate(islice(bundles(100), 4)):
        name = clean_text(next(words)).replace("/", "_")[:80]
        library.add(f"{n} {name}.md", clean_text(said).encode())
    library.close()
    kept = UserWorkflows(home)
    for n, text in enumerate(islice((one for one in words if one.isprintable()), 12)):
        trio = shipped().get("creative-trio")
        title = next(words)
        branches = tuple(
            one.model_copy(update={"title": clean_text(title)[:60] or "x"}) for one in trio.branches
        )
        kept.save(
            trio.model_copy(
                update={
                    "name": f"evil-{n}",
                    "title": text[:70],
                    "promise": text[:150],
                    "topic_hint": text[:100],
                    "examples": (text[:200],),
                    "branches": branches,
                }
            )
        )


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("hostile")
    fill(folder / "home")
    with serving(hostile_endpoint()) as endpoint, asking(endpoint, folder) as app:
        yield app


@pytest.fixture(scope="module")
def watch(browser: Browser, hostile: Server) -> Iterator[Watch]:
    """One page for all, which knows the app's scripts already."""
    watch, close = watching(browser, hostile.url)
    yield watch
    close()


@pytest.fixture
def watched(watch: Watch) -> Open:
    """Opens an address of the app under watch."""

    def open_it(address: str) -> Watch:
        watch.forget()
        watch.page.goto(f"{watch.origin}{address}")
        return watch

    return open_it


def unfold(watch: Watch) -> None:
    """Open what is closed, so that what it holds is drawn."""
    closed = "document.querySelectorAll('details:not([open]) > summary')"
    watch.page.evaluate(f"for (const node of {closed}) node.click()")
    watch.page.wait_for_timeout(700)


@pytest.mark.parametrize("name", SHOWN)
def test_a_recorded_run_its_replay_and_its_presentation(watched: Open, name: str) -> None:
    watch = watched(f"/?run=planted-{name}")
    expect(watch.page.get_by_role("heading", name="How it ran", exact=True)).to_be_visible(
        timeout=SLOWLY
    )
    unfold(watch)
    assert watch.problems() == []
    watch.page.get_by_role("button", name="Export", exact=True).click()
    expect(watch.page.get_by_text("HTML report").first).to_be_visible(timeout=SLOWLY)
    assert watch.problems() == []
    watch.page.keyboard.press("Escape")
    watch.page.get_by_role("button", name="Replay", exact=True).click()
    expect(watch.page.get_by_role("button", name="Back to the run")).to_be_visible()
    watch.page.wait_for_timeout(500)
    assert watch.problems() == []
    watch.page.goto(f"{watch.origin}/present/planted-{name}")
    expect(watch.page.get_by_role("region").first).to_be_visible(timeout=SLOWLY)
    assert watch.problems() == []


def test_a_live_run_of_a_model_that_means_harm(watched: Open) -> None:
    watch = watched("/")
    watch.page.get_by_role("button", name="Run", exact=True).wait_for()
    topic = " ".join(islice((one for one in spread() if one.isprintable()), 30))
    run(watch.page, topic)
    expect(region(watch.page, "Combined answer")).to_contain_text("evil", timeout=SLOWLY)
    expect(watch.page.get_by_role("heading", name="How it ran", exact=True)).to_be_visible(
        timeout=SLOWLY
    )
    unfold(watch)
    assert watch.problems() == []
    address = watch.page.url
    watch.page.goto(address)
    expect(watch.page.get_by_role("heading", name="How it ran", exact=True)).to_be_visible(
        timeout=SLOWLY
    )
    assert watch.problems() == []


@pytest.mark.parametrize(
    ("address", "seen"),
    [
        ("/history", "Import runs"),
        ("/history?page=2", "Import runs"),
        ("/history?page=3", "Import runs"),
        ("/compare?runs=planted-judges,planted-research", "What was set up differently"),
        ("/compare?runs=planted-judges,planted-research&view=blind", "Compare"),
        ("/workflows", "Workflows"),
        ("/workflows?workflow=evil-3", "Workflows"),
        ("/models", "Endpoints"),
        ("/?workflow=research", "Topic"),
        ("/?workflow=evil-5", "Topic"),
    ],
)
def test_every_other_page(watched: Open, address: str, seen: str) -> None:
    watch = watched(address)
    expect(watch.page.get_by_text(seen, exact=True).first).to_be_visible(timeout=SLOWLY)
    watch.page.wait_for_timeout(500)
    unfold(watch)
    assert watch.problems() == []


def test_the_one_file_report(browser: Browser, tmp_path: Path) -> None:
    for run_of in planted(SHOWN):
        file = tmp_path / f"{run_of.id}.html"
        file.write_text(html_report(run_of), "utf-8")
        watch, close = watching(browser, file.as_uri())
        watch.page.goto(file.as_uri())
        unfold(watch)
        replay = watch.page.get_by_role("button", name="Replay")
        if replay.count():
            replay.first.click()
            watch.page.wait_for_timeout(300)
        assert watch.problems() == []
        close()


@pytest.fixture(scope="module")
def gallery(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    port = free_port()
    command = [sys.executable, "-m", "streamlit", "run", str(GALLERY), f"--server.port={port}"]
    log = (tmp_path_factory.mktemp("gallery") / "log").open("wb")
    process = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log)
    try:
        wait_for_health(f"http://localhost:{port}", process)
        yield f"http://localhost:{port}"
    finally:
        process.terminate()
        process.wait(timeout=15)
        log.close()


def test_every_attack_in_every_kind_of_element(browser: Browser, gallery: str) -> None:
    watch, close = watching(browser, gallery)
    watch.page.goto(gallery)
    watch.page.get_by_text("The end of the gallery").wait_for(timeout=40_000)
    unfold(watch)
    assert watch.problems() == []
    shown = watch.page.locator("[data-testid=stMarkdownContainer]").first.locator("p")
    read = dict(one.removesuffix("|").split("|", 1) for one in shown.all_inner_texts())
    changed = {
        text: read.get(str(n))
        for n, text in enumerate(map(clean_text, texts()))
        if flat(read.get(str(n), "")) != flat(shortened(text, 300))
    }
    assert changed == {}, "a label reads otherwise than it was written"
    close()


def flat(text: str) -> str:
    """Without blanks and the joiner that keeps signs apart, which nobody sees."""
    for drawn, written in TYPOGRAPHY.items():
        text = text.replace(drawn, written)
    return "".join(text.replace("\u2060", "").split())


def test_markup_that_slipped_through_would_load_and_run_nothing(watched: Open) -> None:
    watch = watched("/")
    watch.page.get_by_role("button", name="Run", exact=True).wait_for()
    for bad in (
        "<img src='http://evil.test/x.png'>",
        "<img src=x onerror='hurt()'>",
        "<iframe src='http://evil.test/f'></iframe>",
        "<link rel=stylesheet href='http://evil.test/x.css'>",
        "<p style='background:url(http://evil.test/y.png)'>x</p>",
        "<svg><image href='http://evil.test/i.svg' /></svg>",
        "<base href='http://evil.test/'>",
        "<object data='http://evil.test/o'></object>",
    ):
        watch.page.evaluate("html => document.body.insertAdjacentHTML('beforeend', html)", bad)
        watch.page.wait_for_timeout(60)
        watch.page.evaluate("document.body.lastElementChild.remove()")
    alarms = watch.page.evaluate("window.__alarms")
    assert [one for one in alarms if not one.startswith("policy: ")] == []
    assert len(alarms) >= 6, "the browser was told to refuse them"
    assert watch.abroad == []


def test_the_watch_notices_what_slips_through(watched: Open) -> None:
    watch = watched("/")
    watch.page.get_by_role("button", name="Run", exact=True).wait_for()
    assert watch.problems() == []
    for bad in (
        "<img src='http://evil.test/x.png'>",
        "<img src=x onerror='hurt()'>",
        "<a href='javascript:hurt()'>x</a>",
        "<a href='http://evil.test'>x</a>",
        "<form action='http://evil.test'></form>",
        "<p style='background:url(http://evil.test/y.png)'>x</p>",
    ):
        watch.page.evaluate("html => document.body.insertAdjacentHTML('beforeend', html)", bad)
        watch.page.wait_for_timeout(60)
        assert watch.problems() != [], bad
        watch.page.evaluate("document.body.lastElementChild.remove()")
        watch.forget()
