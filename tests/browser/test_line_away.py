"""The line between two processes breaks: who watches the other's run is told, until it is back."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from fanout.providers.scripted_server import serving
from tests.browser.conftest import SCRIPT, running_app
from tests.browser.steps import expect_growth, region, run
from tests.processes.conftest import redis_on
from tests.processes.conftest import redis_url as redis_url
from tests.rig import free_port
from tests.store.conftest import postgres_address as postgres_address
from tests.store.conftest import postgres_url as postgres_url

AWAY = "can't be reached right now"


@pytest.mark.usefixtures("redis_url")
def test_a_run_of_another_process_says_when_it_cannot_be_stopped(
    tmp_path: Path, postgres_url: str, open_page: Callable[..., Page]
) -> None:
    port = free_port()
    folders = tmp_path / "one", tmp_path / "two"
    for folder in folders:
        folder.mkdir()
    with serving(SCRIPT) as endpoint, redis_on(port) as redis:
        environment = {
            "OPENAI_BASE_URL": endpoint.base_url,
            "FANOUT_MODEL": "scripted",
            "FANOUT_DATABASE_URL": postgres_url,
            "FANOUT_REDIS_URL": f"redis://127.0.0.1:{port}/0",
        }
        with (
            running_app(folders[0], environment) as one,
            running_app(folders[1], environment) as two,
        ):
            own = open_page(one.url)
            run(own, "endless work")
            expect_growth(own, "Story", 50)
            watching = open_page(f"{two.url}/?{own.url.partition('?')[2]}")
            expect_growth(watching, "Story", 50)
            stop = region(watching, "Story").get_by_role("button", name="Stop")
            whole = watching.locator(".st-key-stop button")
            expect(stop).to_be_visible()
            expect(whole).to_be_enabled()
            redis.kill()
            expect(watching.get_by_text(AWAY)).to_be_visible(timeout=30_000)
            expect(whole).to_be_disabled()
            expect(stop).to_have_count(0)
            with redis_on(port):
                expect(watching.get_by_text(AWAY)).to_have_count(0, timeout=30_000)
                expect(whole).to_be_enabled()
                expect(stop).to_be_visible()
                whole.click()
                expect(own.get_by_text("Stopped").first).to_be_visible()
