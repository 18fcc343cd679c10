"""What the page hands to the board, with the socket and without it."""

from __future__ import annotations

import json

import pytest
from streamlit.testing.v1 import AppTest

from components import board
from fanout.events import AttemptStarted, BranchFinished, BranchWrote, RunFinished, RunStarted
from fanout.fold import apply, begin
from fanout.snapshot import Snapshot
from fanout.types import (
    BranchId,
    BranchPlan,
    BranchState,
    EndpointId,
    ModelRef,
    RunId,
    RunStatus,
)

MODEL = ModelRef(endpoint=EndpointId("e"), model="m")
NAMES = ("joke", "story")


class FoldedRun:
    """A run that a test tells event by event."""

    def __init__(self) -> None:
        self.snapshot: Snapshot = begin(
            RunStarted(
                at=0.0,
                run_id=RunId("r1"),
                workflow="w",
                title="W",
                topic="rain",
                branches=tuple(
                    BranchPlan(id=BranchId(name), title=name.title(), model=MODEL, messages=())
                    for name in NAMES
                ),
                started_at=0.0,
                aggregate_kind="synthesis",
            )
        )

    def happen(self, *events) -> None:
        for event in events:
            self.snapshot = apply(self.snapshot, event)

    def write(self, text: str) -> None:
        self.happen(BranchWrote(at=1.0, id=BranchId("joke"), text=text, pieces=1))

    def now_s(self) -> float:
        return self.snapshot.at

    def stop(self, branch_id: BranchId | None = None) -> None: ...

    def retry(self, branch_id: BranchId | None = None) -> None: ...

    def fold_in(self) -> None: ...


@pytest.fixture
def run() -> FoldedRun:
    run = FoldedRun()
    run.happen(AttemptStarted(at=0.5, id=BranchId("joke"), attempt=1))
    return run


def page(run: FoldedRun) -> AppTest:
    def script(handle):
        from components.board import live_board

        live_board(handle, key="board")

    return AppTest.from_function(script, kwargs={"handle": run}, default_timeout=20)


def handed_over(app: AppTest) -> dict:
    assert not app.exception
    (component,) = app.get("bidi_component")
    return json.loads(component.proto.json)


def test_the_board_is_told_where_to_listen_and_what_to_draw_at_once(run):
    data = handed_over(page(run).run())
    assert data["path"] == "/api/runs/r1/ws"
    assert [(c["title"], c["letter"]) for c in data["columns"]] == [("Joke", "A"), ("Story", "B")]
    assert (data["combined"], data["finished"]) == (True, False)
    assert "frames" not in data


def test_new_words_do_not_change_what_the_page_hands_over(run):
    app = page(run).run()
    before = handed_over(app)
    run.write("Hello")
    assert handed_over(app.run()) == before


def test_without_a_socket_the_page_hands_over_the_same_frames(run):
    app = page(run)
    app.session_state["board"] = {"mode": "poll"}
    (keyframe,) = handed_over(app.run())["frames"]
    assert keyframe["base"] is None
    run.write("Hello")
    overlap, news = handed_over(app.run())["frames"]
    assert overlap == keyframe
    assert news["base"] == keyframe["tag"]
    run.write(" there")
    assert handed_over(app.run())["frames"][0]["tag"] == news["tag"]


def test_a_polled_run_that_has_ended_is_handed_over_whole(run):
    run.write("Hello")
    run.happen(
        BranchFinished(at=2.0, id=BranchId("joke"), state=BranchState.DONE),
        RunFinished(at=2.0, status=RunStatus.PARTIAL),
    )
    app = page(run)
    app.session_state["board"] = {"mode": "poll"}
    data = handed_over(app.run())
    assert data["finished"]
    assert data["frames"][-1]["run"]["said"] == "Run finished: 1 of 2"


def test_the_script_is_code_and_not_a_path():
    for asset in (board.SCRIPT, board.STYLE, board.HTML):
        assert "\n" in asset.strip()


def test_the_script_puts_only_the_servers_html_into_the_page():
    assert board.SCRIPT.count("innerHTML") == 1
    assert "insertAdjacentHTML" not in board.SCRIPT
    assert "eval(" not in board.SCRIPT


def test_no_asset_loads_anything_from_elsewhere():
    for asset in (board.SCRIPT, board.STYLE):
        rest = asset.replace("http://www.w3.org/2000/svg", "")
        assert "http://" not in rest
        assert "https://" not in rest
        assert "url(" not in rest
        assert "@import" not in rest
