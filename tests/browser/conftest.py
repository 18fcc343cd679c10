"""A real app, a real scripted endpoint and a real Chromium, for tests of the live page."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from fanout.providers.script import Reply, Rule, Script
from fanout.providers.scripted_server import ServerHandle, serving
from tests.rig import free_port

ROOT = Path(__file__).resolve().parents[2]
CHROMIUMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
STORY = "Once upon a time there was a branch that wrote **slowly** and with care. " * 12
SCRIPT = Script(
    rules=(
        Rule(prompt="[Joke]", replies=(Reply(text="All three, in one piece.", tokens_per_s=60),)),
        Rule(prompt="broken", replies=(Reply(status=401),)),
        Rule(prompt="crowded", replies=(Reply(status=429, retry_after="6"),)),
        Rule(prompt="unhurried", replies=(Reply(text=STORY * 3, tokens_per_s=80),)),
        Rule(prompt="endless", replies=(Reply(text=STORY * 60, tokens_per_s=80),)),
        Rule(prompt="quick", replies=(Reply(text=STORY),)),
    ),
    otherwise=Reply(text=STORY, tokens_per_s=35, first_token_s=0.1),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """The app as it runs."""

    url: str
    process: subprocess.Popen[bytes]
    log: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class App(Server):
    """With the endpoint that it asks."""

    endpoint: ServerHandle


# A machine with two busy cores takes its time; a test that waits longer fails no less surely.
expect.set_options(timeout=15_000)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    installed = filter(None, map(shutil.which, CHROMIUMS))
    found = os.environ.get("FANOUT_CHROMIUM") or next(installed, "")
    assert found, "no Chromium: `python3 run.py test` installs it, or set FANOUT_CHROMIUM"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=list(QUIET))
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    """The app asking a scripted endpoint.

    A topic with "broken" in it fails, "crowded" is put off, "quick" is done at once and
    "unhurried" takes its time; "endless" goes on until it is stopped.
    """
    with serving(SCRIPT) as endpoint, asking(endpoint, tmp_path_factory.mktemp("app")) as app:
        yield app


@contextlib.contextmanager
def asking(endpoint: ServerHandle, folder: Path, port: int | None = None) -> Iterator[App]:
    """The app with that endpoint in its environment."""
    environment = {"OPENAI_BASE_URL": endpoint.base_url, "FANOUT_MODEL": "scripted"}
    with running_app(folder, environment, port) as it:
        yield App(url=it.url, process=it.process, log=it.log, endpoint=endpoint)


@contextlib.contextmanager
def running_app(
    folder: Path, environment: dict[str, str], port: int | None = None
) -> Iterator[Server]:
    """`streamlit run app.py` in a process of its own, until the context ends."""
    port = port or free_port()
    log = folder / "app.log"
    command = [
        sys.executable,
        "-m",
        "streamlit",
        "run",
        "app.py",
        f"--server.port={port}",
        "--server.headless=true",
        "--server.showEmailPrompt=false",
    ]
    with log.open("ab") as out:
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env={**os.environ, "FANOUT_HOME": str(folder / "home"), **environment},
            stdout=out,
            stderr=out,
        )
    url = f"http://localhost:{port}"
    try:
        wait_for_health(url, process)
        yield Server(url=url, process=process, log=log)
    finally:
        process.send_signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=15)
        if process.poll() is None:
            process.kill()
            raise AssertionError("the app did not end within 15 s of SIGTERM")


def wait_for_health(url: str, process: subprocess.Popen[bytes]) -> None:
    for _ in range(400):
        assert process.poll() is None, "the app ended at once"
        with contextlib.suppress(OSError):
            urllib.request.urlopen(f"{url}/_stcore/health", timeout=1).close()
            return
        time.sleep(0.1)
    raise AssertionError("the app did not come up within 40 s")


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Opens a page in a fresh context; fails the test if the page logs an error of its own."""
    contexts = []

    def open_it(
        url: str, *, width: int = 1360, height: int = 900, dark: bool = False, script: str = ""
    ) -> Page:
        context = browser.new_context(
            viewport={"width": width, "height": height}, color_scheme="dark" if dark else "light"
        )
        contexts.append(context)
        context.add_init_script(script)
        page = context.new_page()
        page.set_default_timeout(20_000)
        page.goto(url)
        page.get_by_role("button", name="Run", exact=True).wait_for()
        return page

    yield open_it
    for context in contexts:
        context.close()
