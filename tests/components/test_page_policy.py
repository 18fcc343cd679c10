"""What a page may load is said with every page, and a stricter word of a page's own stands."""

from __future__ import annotations

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.testclient import TestClient

from components.page_policy import POLICY, PagePolicy, policy


def page(request: Request) -> Response:
    kind = request.path_params["kind"]
    if kind == "strict":
        return HTMLResponse("x", headers={POLICY: "default-src 'none'"})
    return PlainTextResponse("x") if kind == "text" else HTMLResponse("x")


def answered(kind: str) -> dict[str, str]:
    app = Starlette(routes=[Route("/{kind}", page)], middleware=[Middleware(PagePolicy)])
    return dict(TestClient(app).get(f"/{kind}").headers)


def test_a_page_without_a_policy_gets_one() -> None:
    said = answered("html")
    assert said[POLICY] == policy("testserver")
    assert said["x-content-type-options"] == "nosniff"
    assert said["referrer-policy"] == "no-referrer"


def test_a_page_keeps_its_stricter_policy_and_a_file_needs_none() -> None:
    assert answered("strict")[POLICY] == "default-src 'none'"
    assert POLICY not in answered("text")


@pytest.mark.parametrize("host", ["", "evil; script-src *", "a b", "x\u00e9", "a" * 300])
def test_no_host_can_widen_the_policy(host: str) -> None:
    said = policy(host)
    assert host not in said or not host
    assert "*" not in said and "ws:" not in said


def test_nothing_of_another_site_and_no_inline_script_is_allowed() -> None:
    rules = dict(part.split(" ", 1) for part in policy("localhost:8501").split("; "))
    assert rules["default-src"] == "'self'"
    assert "unsafe-inline" not in rules["script-src"]
    assert rules["connect-src"].endswith("ws://localhost:8501 wss://localhost:8501")
    for name, allowed in rules.items():
        assert "http:" not in allowed and "https:" not in allowed, name
