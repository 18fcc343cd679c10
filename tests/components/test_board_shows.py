"""What is served of a run beside its socket: its replay, and its page for a projector."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterator

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from components.board.routes import routes
from fanout.events import Event, RunResumed, RunStarted
from fanout.fold import apply, begin
from fanout.render.replay import replay_frames
from fanout.snapshot import Snapshot
from fanout.types import BranchId
from tests.render.recorded_run import recorded_run


class RecordedRun:
    """A run of 12 s that is over."""

    def __init__(self) -> None:
        self.events: tuple[Event, ...] = recorded_run()
        assert isinstance(self.events[0], RunStarted)
        self.snapshot: Snapshot = begin(self.events[0])
        for event in self.events[1:]:
            self.snapshot = apply(self.snapshot, event)

    def go_on(self) -> None:
        event = RunResumed(at=20.0, branches=(BranchId("joke"),))
        self.events = (*self.events, event)
        self.snapshot = apply(self.snapshot, event)

    def now_s(self) -> float:
        return self.snapshot.at

    def stop(self, branch_id: BranchId | None = None) -> None: ...

    def retry(self, branch_id: BranchId | None = None) -> None: ...

    def fold_in(self) -> None: ...


@pytest.fixture
def run() -> RecordedRun:
    return RecordedRun()


@pytest.fixture
def browser(run: RecordedRun) -> Iterator[TestClient]:
    with TestClient(Starlette(routes=routes({"r": run}))) as client:
        yield client


def test_a_replay_is_sent_compressed_and_only_once(browser: TestClient, run: RecordedRun) -> None:
    answer = browser.get("/api/runs/r/replay")
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.json() == json.loads(json.dumps({"frames": replay_frames(run.events)}))
    again = browser.get("/api/runs/r/replay", headers={"if-none-match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    run.go_on()
    changed = browser.get("/api/runs/r/replay", headers={"if-none-match": answer.headers["etag"]})
    assert changed.status_code == 200


def test_who_can_not_unpack_gets_it_plain(browser: TestClient) -> None:
    answer = browser.get("/api/runs/r/replay", headers={"accept-encoding": "identity"})
    assert "content-encoding" not in answer.headers
    assert not answer.content.startswith(gzip.compress(b"")[:2])
    assert answer.json()["frames"]


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"origin": "http://testserver"}, 200),
        ({"origin": "http://evil.example"}, 403),
        ({"origin": "null"}, 403),
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"sec-fetch-site": "same-origin"}, 200),
    ],
)
def test_another_site_gets_no_replay(browser: TestClient, headers, status: int) -> None:
    assert browser.get("/api/runs/r/replay", headers=headers).status_code == status


def test_an_unknown_run_is_told_in_words(browser: TestClient) -> None:
    for path in ("/api/runs/x/replay", "/present/x"):
        answer = browser.get(path)
        assert answer.status_code == 404
        assert "not known here" in answer.text


def test_the_page_for_a_projector_runs_its_own_script_and_no_other(browser: TestClient) -> None:
    answer = browser.get("/present/r")
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert answer.text.count("<script>") == 1
    assert "<img" not in answer.text
    data = json.loads(re.findall(r'id="run">(.*?)</script>', answer.text)[0])
    assert data["path"] == "/api/runs/r/ws"
    assert data["leave"] == "/?run=r"
    assert data["finished"] is True
