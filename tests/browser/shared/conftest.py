"""A shared Fanout as it runs, a real identity provider on loopback, and people who sign in."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from fanout.providers.script import Reply, Rule, Script
from fanout.providers.scripted_server import ServerHandle, serving
from tests.browser.conftest import running_app
from tests.rig import free_port

COOKIE_SECRET = "a-secret-of-these-tests-alone-and-long-enough"
PEOPLE = ("ada", "bob", "eve", "mallory")
SCRIPT = Script(
    rules=(
        Rule(prompt="unhurried", replies=(Reply(text="word " * 900, tokens_per_s=40),)),
        Rule(prompt="broken", replies=(Reply(status=401),)),
    ),
    otherwise=Reply(text="Said at once."),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared:
    """The app, its provider, and the endpoint that it asks."""

    url: str
    issuer: str
    home: Path
    log: Path
    endpoint: ServerHandle


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shared]:
    folder = tmp_path_factory.mktemp("shared")
    port, issuer_port = free_port(), free_port()
    issuer = f"http://localhost:{issuer_port}"
    secrets = folder / "secrets.toml"
    secrets.write_text(
        f"""
        [auth]
        redirect_uri = "http://localhost:{port}/oauth2callback"
        cookie_secret = "{COOKIE_SECRET}"
        client_id = "fanout"
        client_secret = "of-these-tests"
        server_metadata_url = "{issuer}/.well-known/openid-configuration"
        """
    )
    with serving(SCRIPT) as endpoint, provider(issuer_port, folder / "provider.log"):
        environment = {
            "OPENAI_BASE_URL": endpoint.base_url,
            "FANOUT_MODEL": "scripted",
            "FANOUT_SHARED": "1",
            "FANOUT_ADMINS": "ada@example.com",
            "FANOUT_MEMBERS": "@example.com",
            "FANOUT_PERSON_RUNS_PER_HOUR": "40",
            "STREAMLIT_SECRETS_FILES": str(secrets),
        }
        with running_app(folder, environment, port) as server:
            yield Shared(
                url=server.url,
                issuer=issuer,
                home=folder / "home",
                log=server.log,
                endpoint=endpoint,
            )


@contextmanager
def provider(port: int, log: Path) -> Iterator[None]:
    """An OpenID provider in a process of its own, which knows PEOPLE."""
    command = [sys.executable, "-W", "ignore", "-m", "oidc_provider_mock", "--port", str(port)]
    for name in PEOPLE:
        host = "example.org" if name == "mallory" else "example.com"
        claims = {"sub": name, "name": name.title(), "email": f"{name}@{host}"}
        command += ["--user-claims", json.dumps(claims | {"email_verified": True})]
    with log.open("wb") as out:
        process = subprocess.Popen(command, stdout=out, stderr=out)
    try:
        for _ in range(200):
            assert process.poll() is None, log.read_text()
            with suppress(OSError):
                urllib.request.urlopen(f"http://localhost:{port}/", timeout=1).close()
                break
            time.sleep(0.05)
        yield
    finally:
        process.terminate()
        process.wait(timeout=10)


@dataclass(slots=True)
class Someone:
    """A person at a browser of their own."""

    name: str
    context: BrowserContext
    page: Page
    url: str

    def cookies(self) -> dict[str, str]:
        """What their browser sends to the app."""
        return {c["name"]: c["value"] for c in self.context.cookies(self.url)}

    def cookie_header(self) -> str:
        return "; ".join(f"{name}={value}" for name, value in self.cookies().items())

    def open(self, path: str = "/") -> Page:
        self.page.goto(self.url + path)
        return self.page


@pytest.fixture(scope="session")
def contexts(browser: Browser) -> Iterator[Callable[..., BrowserContext]]:
    opened: list[BrowserContext] = []

    def fresh() -> BrowserContext:
        opened.append(browser.new_context(viewport={"width": 1360, "height": 900}))
        return opened[-1]

    yield fresh
    for context in opened:
        context.close()


def sign_in(page: Page, name: str) -> None:
    """From the page before signing in, through the provider's own page, and back."""
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.get_by_role("button", name=name, exact=True).click()


@pytest.fixture(scope="session")
def people(shared: Shared, contexts: Callable[..., BrowserContext]) -> Callable[[str], Someone]:
    """Somebody who has signed in; the same browser whenever they are asked for."""
    here: dict[str, Someone] = {}

    def person(name: str) -> Someone:
        if name not in here:
            here[name] = newcomer(contexts, shared, name)
        return here[name]

    return person


def newcomer(contexts: Callable[..., BrowserContext], shared: Shared, name: str) -> Someone:
    """Signs in anew, in a browser that nobody else uses."""
    context = contexts()
    page = context.new_page()
    page.set_default_timeout(20_000)
    page.goto(shared.url)
    sign_in(page, name)
    page.get_by_role("button", name="Run", exact=True).wait_for()
    return Someone(name=name, context=context, page=page, url=shared.url)
