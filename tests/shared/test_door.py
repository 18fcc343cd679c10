"""What the door asks of a request, and how cookies leave where people come by https."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient
from streamlit.testing.v1 import AppTest

from components import session
from components.sign_in import door
from components.sign_in.door import Door, Guard
from components.sign_in.setup import lacks, providers
from fanout.engine.runtime import Runtime
from fanout.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
GOOD = {
    "redirect_uri": "https://fanout.example/oauth2callback",
    "cookie_secret": "x" * 32,
    "client_id": "a",
    "client_secret": "b",
    "server_metadata_url": "https://id.example/.well-known/openid-configuration",
}


async def _baked(_request: Request) -> PlainTextResponse:
    answer = PlainTextResponse("here")
    answer.set_cookie("_streamlit_user", "ada", httponly=True, samesite="lax")
    answer.set_cookie("other", "1", secure=True)
    return answer


@pytest.fixture(params=[True, False], ids=["shared", "local"])
def process(request: pytest.FixtureRequest, fanout_home: Path) -> Iterator[Runtime]:
    with Runtime(Settings(home=fanout_home, shared=request.param)) as runtime:
        yield runtime


@pytest.mark.parametrize("origin", ["https://fanout.example", "http://localhost:8501"])
def test_cookies_are_for_tls_alone_where_people_come_by_it(process: Runtime, origin: str) -> None:
    app = Guard(Starlette(routes=[Route("/", _baked)]), Door(lambda: process, lambda: origin))
    baked = TestClient(app).get("/").headers.get_list("set-cookie")
    secure = process.settings.shared and origin.startswith("https")
    assert [one.lower().count("; secure") for one in baked] == [int(secure), 1]


def test_only_where_it_is_shared_does_a_download_ask_for_a_sign_in(process: Runtime) -> None:
    app = Guard(Starlette(routes=[Route("/media/x", _baked)]), Door(lambda: process))
    expected = 403 if process.settings.shared else 200
    assert TestClient(app).get("/media/x").status_code == expected
    assert door.GUARDED[0] == "/media/"


def test_what_a_sign_in_lacks_is_said_one_by_one() -> None:
    assert lacks(GOOD) == []
    assert providers(GOOD) == (None,)
    named: dict[str, object] = {
        k: v for k, v in GOOD.items() if k in ("redirect_uri", "cookie_secret")
    }
    named["google"] = {k: GOOD[k] for k in ("client_id", "client_secret", "server_metadata_url")}
    assert lacks(named) == []
    assert providers(named) == ("google",)
    assert ["[auth]" in one for one in lacks({})] == [True]
    for name, value in (
        ("redirect_uri", "https://fanout.example/"),
        ("redirect_uri", "fanout.example/oauth2callback"),
        ("cookie_secret", "short"),
        ("client_secret", ""),
    ):
        (said,) = lacks(GOOD | {name: value})
        assert name in said


def test_without_a_sign_in_set_up_nothing_is_shown(
    monkeypatch: pytest.MonkeyPatch, fanout_home: Path
) -> None:
    monkeypatch.setenv("FANOUT_SHARED", "1")
    try:
        at = AppTest.from_file(str(ROOT / "components" / "shell.py"), default_timeout=20).run()
        assert not at.exception
        assert [title.value for title in at.title] == ["Signing in is not set up"]
        assert any("[auth]" in text.value for text in at.markdown)
        assert not at.button and not at.text_area
    finally:
        session.close_runtime()
