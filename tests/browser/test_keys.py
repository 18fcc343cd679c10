"""No key is found in what the app writes or sends, however loudly its endpoint repeats it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page, Response, WebSocket, expect

from tests.browser.conftest import Server, running_app
from tests.browser.steps import run
from tests.safety.echo import echoing
from tests.safety.keys import ENVIRONMENT, SECRETS
from tests.safety.looking import leaks, unpacked, written_in


def descendants(process: int) -> list[int]:
    found, parents = [process], {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        parents[int(stat.parent.name)] = int(fields[1])
    for parent in found:
        found += [child for child, its in parents.items() if its == parent]
    return found


def command_lines(app: Server) -> list[tuple[str, bytes]]:
    if not Path("/proc/self/cmdline").exists():
        return []
    return [
        (f"/proc/{each}/cmdline", Path(f"/proc/{each}/cmdline").read_bytes())
        for each in descendants(app.process.pid)
        if Path(f"/proc/{each}/cmdline").exists()
    ]


def listened_to(page: Page) -> list[tuple[str, bytes]]:
    """Whatever the server sends to this page from now on."""
    came: list[tuple[str, bytes]] = []

    def frame(data: str | bytes) -> None:
        came.append(("a WebSocket frame", data.encode() if isinstance(data, str) else data))

    def opened(socket: WebSocket) -> None:
        socket.on("framereceived", frame)

    def answered(response: Response) -> None:
        came.append((f"headers of {response.url}", json.dumps(response.headers).encode()))
        if response.ok and response.request.resource_type in ("document", "fetch", "xhr"):
            came.append((response.url, response.body()))

    page.on("websocket", opened)
    page.on("response", answered)
    page.on("console", lambda said: came.append(("the console", said.text.encode())))
    return came


def test_the_app_writes_and_sends_no_key_anywhere(
    tmp_path: Path, open_page: Callable[..., Page]
) -> None:
    (tmp_path / ".streamlit").mkdir()
    (tmp_path / ".streamlit" / "secrets.toml").write_text(
        f'[auth]\nredirect_uri = "http://localhost/oauth2callback"\n'
        f'cookie_secret = "{SECRETS["secret of the cookies"]}"\nclient_id = "fanout"\n'
        f'client_secret = "{SECRETS["secret of the sign-in"]}"\n'
        'server_metadata_url = "http://127.0.0.1:1/openid"\n'
    )
    folder = tmp_path / "app"
    folder.mkdir()
    with echoing() as echo:
        environment = {
            **ENVIRONMENT,
            "HOME": str(tmp_path),
            "OPENAI_BASE_URL": echo.base_url,
            "FANOUT_MODEL": "plain",
            "FANOUT_DATABASE_URL": "",
        }
        with running_app(folder, environment) as app:
            page = open_page(app.url)
            came = listened_to(page)
            page.reload()
            run(page, "parrots")
            expect(page.get_by_text("and the rest.").first).to_be_visible(timeout=20_000)
            add_endpoint(page, app.url, echo.base_url)
            came += command_lines(app)
            came.append(("the page", page.content().encode()))
    assert echo.heard >= {SECRETS["key of the environment"], SECRETS["key of the page"]}
    assert any(place == "a WebSocket frame" and b"and the rest." in data for place, data in came)
    written = [piece for place, data in came for piece in unpacked(place, data)]
    assert leaks(SECRETS, [*written, *written_in(folder)]) == []


def add_endpoint(page: Page, url: str, base_url: str) -> None:
    """The same server once more, with a key that is typed."""
    page.goto(f"{url}/models")
    page.get_by_label("Base URL", exact=True).fill(base_url)
    page.get_by_placeholder("Empty: it wants none").fill(SECRETS["key of the page"])
    page.get_by_label("Name", exact=True).fill("Typed")
    page.get_by_role("button", name="Add endpoint", exact=True).click()
    expect(page.get_by_text("Typed", exact=False).first).to_be_visible()
    expect(page.get_by_placeholder("Empty: it wants none")).to_have_value("")
