"""The models page in a real browser: keys go in and never come out, runs ask what was chosen."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from fanout.providers.discovery import USUAL_PORTS
from fanout.providers.script import Reply, Script
from fanout.providers.scripted_server import ServerHandle, serving
from tests.browser.conftest import App, Server, running_app
from tests.browser.steps import BRANCHES, OpenPage, region, run
from tests.browser.test_accessibility import ALL_LOOKS, findings, levels, skips

pytestmark = pytest.mark.browser
KEY = "sk-very-secret-0123456789"
WRONG = "sk-quite-wrong-9876543210"


@pytest.fixture(scope="module")
def locked() -> Iterator[ServerHandle]:
    """An endpoint that wants a key."""
    script = Script(key=KEY, models=("alpha", "beta"), otherwise=Reply(text="Behind the lock."))
    with serving(script) as server:
        yield server


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Server]:
    """An app with an empty FANOUT_HOME; no local model is started, as an endpoint is set."""
    with running_app(tmp_path, {"OPENAI_BASE_URL": "http://127.0.0.1:9/v1"}) as app:
        yield app
    written = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert tmp_path / "app.log" in written
    for path in written:
        text = path.read_text("utf-8", errors="replace")
        assert KEY not in text and WRONG not in text, f"a key stands in {path.name}"
        assert "Traceback" not in text, path.name


def models(page: Page) -> Page:
    page.get_by_role("link", name="Models").click()
    button(page, "Add endpoint").wait_for()
    return page


def button(page: Page | Locator, name: str) -> Locator:
    return page.get_by_role("button", name=name, exact=True)


def typed(page: Page | Locator, name: str, text: str) -> None:
    page.get_by_role("textbox", name=name, exact=True).fill(text)


def part(page: Page, key: str) -> Locator:
    """The part of the page with that Streamlit key."""
    return page.locator(f".st-key-{key}")


def has_no_key(page: Page) -> bool:
    values = page.locator("input").evaluate_all("all => all.map(i => i.value)")
    shown = page.content() + str(values) + page.url
    return KEY not in shown and WRONG not in shown


def add(page: Page, server: ServerHandle, key: str) -> Locator:
    typed(page, "Base URL", server.base_url)
    typed(page, "API key", key)
    typed(page, "Name", "Locked")
    button(page, "Add endpoint").click()
    card = part(page, "endpoint-locked")
    expect(card).to_contain_text("Locked")
    return card


def test_an_endpoint_with_a_key_answers_a_run_and_the_key_is_never_seen_again(
    fresh: Server, locked: ServerHandle, open_page: OpenPage
) -> None:
    page = models(open_page(fresh.url))
    card = add(page, locked, KEY)
    expect(card).to_contain_text("It answers, with 2 models.")
    expect(card).to_contain_text("key set")
    assert has_no_key(page)
    button(card, "Use for my runs").click()
    expect(page.get_by_role("heading", name="Your runs ask alpha at Locked")).to_be_visible()
    page.get_by_role("link", name="Run", exact=True).click()
    expect(page.get_by_text("alpha at Locked").first).to_be_visible()
    run(page)
    for name in BRANCHES:
        expect(region(page, name)).to_contain_text("Behind the lock.")
    assert locked.requests[-1].headers["authorization"] == f"Bearer {KEY}"
    assert has_no_key(page)


def test_a_wrong_key_is_told_at_its_endpoint_and_a_right_one_mends_it(
    fresh: Server, locked: ServerHandle, open_page: OpenPage
) -> None:
    page = models(open_page(fresh.url))
    card = add(page, locked, WRONG)
    expect(card).to_contain_text("Locked did not accept the key")
    expect(card).to_contain_text("Press Edit to type it")
    assert has_no_key(page)
    unfold = card.locator("summary", has_text="Edit")
    unfold.click()
    fields = part(page, "edit-locked")
    typed(fields, "API key", "two words")
    button(fields, "Save").click()
    expect(fields).to_contain_text("characters that no key has")
    expect(fields.get_by_role("textbox", name="API key")).to_have_value("two words")
    typed(fields, "API key", KEY)
    button(fields, "Save").click()
    expect(card).to_contain_text("It answers, with 2 models.")
    expect(button(fields, "Save")).to_be_hidden()
    unfold.click()
    expect(fields.get_by_role("textbox", name="API key")).to_have_value("")
    assert has_no_key(page)


def test_what_was_typed_stays_when_it_cannot_be_used_and_over_a_visit_elsewhere(
    fresh: Server, open_page: OpenPage
) -> None:
    page = models(open_page(fresh.url))
    typed(page, "Base URL", "nonsense")
    typed(page, "API key", WRONG)
    button(page, "Add endpoint").click()
    expect(page.get_by_text("The base URL is no web address")).to_be_visible()
    expect(page.get_by_role("textbox", name="API key").last).to_have_value(WRONG)
    typed(page, "Run another model here", "/no/such.gguf")
    button(page, "Load").click()
    expect(page.get_by_text("There is no model file such.gguf")).to_be_visible()
    page.get_by_role("link", name="Run", exact=True).click()
    button(page, "Run").wait_for()
    models(page)
    expect(page.get_by_role("textbox", name="Base URL")).to_have_value("nonsense")
    expect(page.get_by_role("textbox", name="Run another model here")).to_have_value(
        "/no/such.gguf"
    )
    assert has_no_key(page), "a key that was not taken does not wait for its writer either"


def test_a_server_of_this_machine_is_offered_and_taken(fresh: Server, open_page: OpenPage) -> None:
    port = next((port for port in USUAL_PORTS if free(port)), None)
    if port is None:
        pytest.skip("every usual port is taken here")
    with serving(Script(models=("qwen3:4b",)), port):
        page = models(open_page(fresh.url))
        button(page, "Look again").click()
        expect(part(page, f"found-{port}")).to_contain_text("1 model: qwen3:4b")
        button(page, f"Add {USUAL_PORTS[port]}").click()
        card = page.locator("[class*=st-key-endpoint-]", has_text=USUAL_PORTS[port])
        expect(card).to_contain_text("It answers, with 1 model.")
        expect(card).to_contain_text("free")
        expect(part(page, f"found-{port}")).to_have_count(0)


@ALL_LOOKS
def test_axe_finds_nothing_serious_and_nothing_is_cut_off(
    app: App, open_page: OpenPage, width: int, dark: bool
) -> None:
    page = open_page(app.url, width=width, dark=dark)
    page.goto(f"{app.url}/models")
    button(page, "Add endpoint").wait_for()
    expect(page.get_by_text("It answers, with 1 model.")).to_be_visible()
    part(page, "health").locator("summary").click()
    expect(part(page, "health-environment")).to_contain_text("At rest")
    part(page, "edit-environment").locator("summary").click()
    expect(part(page, "edit-environment").get_by_label("Requests a minute").first).to_be_visible()
    assert findings(page) == []
    assert not skips(levels(page))
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def free(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0
