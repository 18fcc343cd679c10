"""Every way to a run that is no page: the socket, the replay, the projector's page, downloads.

All of them on the app as it runs, with cookies of people who really signed in.
"""

from __future__ import annotations

import json
import re
import time
import urllib.error
import urllib.request
from collections.abc import Callable

import pytest
from itsdangerous import URLSafeTimedSerializer
from playwright.sync_api import BrowserContext, expect
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin, Subprotocol

from fanout.people import SIGN_IN_S
from tests.browser.shared.conftest import COOKIE_SECRET, Shared, Someone, newcomer

People = Callable[[str], Someone]
COOKIE = "_streamlit_user"
SIGNED_OUT, UNKNOWN = 4401, 4404


@pytest.fixture(scope="module")
def run_of_ada(people: People) -> str:
    """A finished run of hers, private."""
    return start(people("ada"), "rain")


def start(someone: Someone, topic: str, *, finished: bool = True) -> str:
    page = someone.open()
    page.get_by_label("Topic", exact=True).fill(topic)
    page.get_by_role("button", name="Run", exact=True).click()
    page.wait_for_function("location.search.startsWith('?run=')")
    if finished:
        expect(page.get_by_role("region", name="Combined answer")).to_contain_text("at once")
    return str(page.evaluate("location.search")).removeprefix("?run=")


def socket(shared: Shared, run: str, cookies: str, origin: str | None) -> ClientConnection:
    headers = {"cookie": cookies} if cookies else {}
    url = shared.url.replace("http", "ws") + f"/api/runs/{run}/ws"
    return connect(url, additional_headers=headers, origin=origin)  # type: ignore[arg-type]


def code_of(shared: Shared, run: str, cookies: str) -> int:
    """With what a socket to that run is closed; 0 where frames come."""
    with socket(shared, run, cookies, shared.url) as line:
        try:
            line.send('{"have": null}')
            assert json.loads(line.recv(timeout=10))["base"] is None
        except ConnectionClosed as closed:
            assert closed.rcvd is not None
            return closed.rcvd.code
    return 0


def signed(shared: Shared, *, secret: str = COOKIE_SECRET, **claims: object) -> str:
    told = {
        "iss": shared.issuer,
        "sub": "ada",
        "email": "ada@example.com",
        "email_verified": True,
        "iat": int(time.time()),
        "origin": shared.url,
        "is_logged_in": True,
    } | claims
    return f"{COOKIE}={URLSafeTimedSerializer(secret, salt=COOKIE).dumps(json.dumps(told))}"


def got(shared: Shared, path: str, cookies: str = "", **headers: str) -> tuple[int, str]:
    told = {name.replace("_", "-"): value for name, value in headers.items()}
    request = urllib.request.Request(shared.url + path, headers=told | {"cookie": cookies})
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as refused:
        return refused.code, refused.read().decode()


def test_its_owner_watches_a_run_and_nobody_else(
    shared: Shared, people: People, run_of_ada: str
) -> None:
    assert code_of(shared, run_of_ada, people("ada").cookie_header()) == 0
    assert code_of(shared, run_of_ada, people("bob").cookie_header()) == UNKNOWN
    assert code_of(shared, "no-such-run-at-all", people("bob").cookie_header()) == UNKNOWN
    assert code_of(shared, run_of_ada, "") == SIGNED_OUT
    assert code_of(shared, "no-such-run-at-all", "") == SIGNED_OUT


@pytest.mark.parametrize("origin", [None, "null", "http://evil.example", "http://localhost:1"])
def test_no_other_site_opens_a_socket_with_somebodys_cookie(
    shared: Shared, people: People, run_of_ada: str, origin: str | None
) -> None:
    with pytest.raises(InvalidStatus):
        socket(shared, run_of_ada, people("ada").cookie_header(), origin)


def test_a_cookie_that_proves_nothing_opens_nothing(shared: Shared, run_of_ada: str) -> None:
    """The first is as good as the provider's, so the others fail for what is wrong with them."""
    assert code_of(shared, run_of_ada, signed(shared)) == 0
    long_ago = int(time.time() - SIGN_IN_S - 60)
    worthless = (
        signed(shared, secret="another-secret-that-somebody-guessed"),
        signed(shared, origin="http://another.app"),
        signed(shared, is_logged_in=False),
        signed(shared, iat=long_ago),
        signed(shared, iat=None),
        signed(shared, iss="", sub="ada"),
        signed(shared, email="ada@example.org"),
        signed(shared, email_verified=False),
        f"{COOKIE}=nonsense",
        f"{COOKIE}=" + json.dumps({"sub": "ada"}),
    )
    assert [code_of(shared, run_of_ada, cookie) for cookie in worthless] == [SIGNED_OUT] * 10


def test_another_issuers_person_of_that_name_is_somebody_else(
    shared: Shared, run_of_ada: str
) -> None:
    assert code_of(shared, run_of_ada, signed(shared, iss="http://evil.example")) == UNKNOWN


def test_replay_and_projector_ask_the_same(shared: Shared, people: People, run_of_ada: str) -> None:
    hers, his = people("ada").cookie_header(), people("bob").cookie_header()
    for path in ("/api/runs/{}/replay", "/present/{}"):
        assert got(shared, path.format(run_of_ada), hers)[0] == 200
        status, said = got(shared, path.format(run_of_ada), his)
        # Word for word what is said of a run that there never was.
        assert (status, said) == got(shared, path.format("no-such-run-at-all"), his)
        assert status == 404
        status, said = got(shared, path.format(run_of_ada))
        assert (status, "sign in" in said.lower(), "rain" in said) == (403, True, False)


def test_another_site_gets_no_replay(shared: Shared, people: People, run_of_ada: str) -> None:
    path, hers = f"/api/runs/{run_of_ada}/replay", people("ada").cookie_header()
    assert got(shared, path, hers, sec_fetch_site="cross-site")[0] == 403
    assert got(shared, path, hers, origin="http://evil.example")[0] == 403
    assert (
        got(shared, path, hers, x_forwarded_host="evil.example", origin="http://evil.example")[0]
        == 403
    )


def test_what_streamlit_serves_of_people_asks_for_a_sign_in(shared: Shared, people: People) -> None:
    for path in ("/media/0123.json", "/_stcore/upload_file/s/f", "/_stcore/metrics"):
        assert got(shared, path)[0] == 403, path
        assert got(shared, path, people("bob").cookie_header())[0] != 403, path


def test_a_page_left_open_does_nothing_more_after_signing_out(
    shared: Shared, contexts: Callable[..., BrowserContext]
) -> None:
    """Streamlit's socket asks who is there once, and keeps what the buttons of a page do."""
    someone = newcomer(contexts, shared, "eve")
    run = start(someone, "a run to be kept private")
    cookies = someone.cookies()
    with connect(
        shared.url.replace("http", "ws") + "/_stcore/stream",
        additional_headers={"cookie": someone.cookie_header()},
        origin=Origin(shared.url),
        subprotocols=[Subprotocol("streamlit"), Subprotocol(cookies["_streamlit_xsrf"])],
        max_size=None,
    ) as tab:
        toggle = re.search(r'id: "(\$\$ID-\w+-share)"', drawn(tab, run))
        assert toggle is not None
        someone.page.get_by_role("button", name="Eve", exact=True).click()
        someone.page.get_by_role("button", name="Sign out").click()
        someone.page.get_by_role("button", name="End session").click()
        expect(someone.page.get_by_role("heading", name="Sign in to Fanout")).to_be_visible()
        said = drawn(tab, run, WidgetState(id=toggle[1], bool_value=True))
        assert "to be kept private" not in said
        # Who has read it may still sign in from there.
        button = re.search(r'id: "(\$\$ID-\w+-sign_in_with_default)"', said)
        assert button is not None
        pressed = drawn(tab, run, WidgetState(id=button[1], trigger_value=True))
        assert "auth_redirect" in pressed
    bob = newcomer(contexts, shared, "bob")
    assert code_of(shared, run, bob.cookie_header()) == UNKNOWN


def drawn(tab: ClientConnection, run: str, *widgets: WidgetState) -> str:
    """Everything that one drawing of a run's page sends, after those widgets were changed."""
    asked = BackMsg()
    asked.rerun_script.query_string = f"run={run}"
    asked.rerun_script.widget_states.widgets.extend(widgets)
    tab.send(asked.SerializeToString())
    said = ""
    while True:
        message = ForwardMsg()
        message.ParseFromString(tab.recv(timeout=20, decode=False))
        said += str(message)
        if message.WhichOneof("type") == "script_finished":
            return said


def test_who_may_no_longer_watch_is_shown_no_more(shared: Shared, people: People) -> None:
    ada, bob = people("ada"), people("bob")
    run = start(ada, "unhurried", finished=False)
    ada.page.get_by_text("Private", exact=True).click()
    expect(ada.page.get_by_text("Shared: everyone")).to_be_visible()
    with socket(shared, run, bob.cookie_header(), shared.url) as line:
        line.send('{"have": null}')
        assert json.loads(line.recv(timeout=10))["base"] is None
        # A viewer's Stop is heard and not obeyed.
        line.send('{"stop": "*"}')
        line.send('{"retry": "*"}')
        ada.page.get_by_text("Shared: everyone").click()
        expect(ada.page.get_by_text("Private", exact=True)).to_be_visible()
        with pytest.raises(ConnectionClosed) as closed:
            while frame := json.loads(line.recv(timeout=12)):
                assert not frame.get("run") or frame["run"]["live"]
    assert closed.value.rcvd is not None and closed.value.rcvd.code == UNKNOWN
    ada.page.get_by_role("button", name="Stop", exact=True).first.click()
