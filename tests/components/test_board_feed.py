"""Everybody who looks at a run gets the same frames, and nobody gets a backlog."""

from __future__ import annotations

import json
import threading

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from components.board.feed import KEPT_FRAMES, RunFeed, rate_of, stop
from components.board.routes import NOT_UNDERSTOOD, UNKNOWN_RUN, routes
from fanout.errors import InputError
from fanout.events import (
    AggregatePlanned,
    AttemptStarted,
    BranchFinished,
    BranchWrote,
    RunFinished,
    RunStarted,
)
from fanout.fold import apply, begin
from fanout.providers.script import Fault, Reply
from fanout.snapshot import Snapshot
from fanout.types import (
    AGGREGATE,
    BranchId,
    BranchPlan,
    BranchState,
    EndpointId,
    ModelRef,
    RunId,
    RunStatus,
)
from tests.rig import rig, script, trio

JOKE = BranchId("joke")


class FoldedRun:
    """A run that a test tells event by event."""

    def __init__(self) -> None:
        model = ModelRef(endpoint=EndpointId("e"), model="m")
        plan = BranchPlan(id=JOKE, title="Joke", model=model, messages=())
        self.snapshot: Snapshot = begin(
            RunStarted(
                at=0.0,
                run_id=RunId("r"),
                workflow="w",
                title="W",
                topic="rain",
                branches=(plan,),
                started_at=0.0,
            )
        )
        self.asked: list[tuple[str, BranchId | None]] = []
        self.was_asked = threading.Event()
        self.problem = ""
        """Why nothing goes on now."""
        self.notice = ""

    def happen(self, *events) -> None:
        for event in events:
            self.snapshot = apply(self.snapshot, event)

    def write(self, text: str) -> None:
        self.happen(BranchWrote(at=self.snapshot.at + 0.1, id=JOKE, text=text, pieces=1))

    def now_s(self) -> float:
        return self.snapshot.at

    def stop(self, branch_id: BranchId | None = None) -> None:
        self.asked.append(("stop", branch_id))
        self.was_asked.set()

    def retry(self, branch_id: BranchId | None = None) -> None:
        self.refuse()
        self.asked.append(("retry", branch_id))
        self.was_asked.set()

    def fold_in(self) -> None:
        self.refuse()
        self.asked.append(("fold", None))
        self.was_asked.set()

    def refuse(self) -> None:
        if self.problem:
            raise InputError(self.problem)


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def run() -> FoldedRun:
    run = FoldedRun()
    run.happen(AttemptStarted(at=0.1, id=JOKE, attempt=1))
    return run


@pytest.fixture
def browser(run):
    runs = {"r": run}
    with TestClient(Starlette(routes=routes(runs))) as client:
        yield client


def watch(browser: TestClient, run_id: str = "r", **headers: str):
    return browser.websocket_connect(f"/api/runs/{run_id}/ws", headers=headers)


def test_frames_are_built_at_most_fifteen_times_a_second(run):
    clock = Clock()
    feed = RunFeed(run, clock)
    for _ in range(1000):
        clock.now += 0.001
        run.write("word ")
        feed.refresh()
    assert len(feed.since(None)) == 1
    assert int(feed.tag.split("-")[1]) <= 16


def test_viewers_share_one_encoded_frame(run):
    clock = Clock()
    feed = RunFeed(run, clock)
    before = feed.tag
    run.write("Hello")
    clock.now += 1
    feed.refresh()
    assert feed.since(before)[0] is feed.since(before)[0]
    assert feed.keyframe() is feed.keyframe()
    assert not feed.since(feed.tag)


def test_one_who_was_away_gets_what_it_missed_and_one_away_too_long_a_keyframe(run):
    clock = Clock()
    feed = RunFeed(run, clock)
    away = feed.tag
    for _ in range(3):
        clock.now += 1
        run.write("word ")
        feed.refresh()
    assert [json.loads(data)["base"] is None for data in feed.since(away)] == [False] * 3
    for _ in range(KEPT_FRAMES):
        clock.now += 1
        run.write("word ")
        feed.refresh()
    (only,) = feed.since(away)
    assert json.loads(only)["base"] is None
    assert feed.since("a tag of another server")[0] == only


def test_text_that_was_put_off_comes_although_nothing_new_is_said(run):
    clock = Clock()
    feed = RunFeed(run, clock)
    run.write("*word* " * 400)
    clock.now += 1
    feed.refresh()
    run.write("end")
    clock.now += 1
    feed.refresh()
    clock.now += 1
    feed.refresh()
    assert "end</p>" in feed.keyframe()


def test_a_viewer_gets_a_keyframe_and_then_what_is_new(browser, run):
    with watch(browser) as socket:
        socket.send_json({})
        keyframe = socket.receive_json()
        assert keyframe["base"] is None
        assert keyframe["cols"]["joke"]["face"]["title"] == "Joke"
        run.write("Hello")
        frame = socket.receive_json()
        assert frame["base"] == keyframe["tag"]
        assert frame["cols"]["joke"]["text"]["open"] == [0, '<p dir="auto">Hello</p>\n']
        run.happen(
            BranchFinished(at=1.0, id=JOKE, state=BranchState.DONE),
            RunFinished(at=1.0, status=RunStatus.SUCCEEDED),
        )
        assert socket.receive_json()["run"]["said"] == "Run finished: 1 of 1"


def test_a_viewer_who_comes_back_is_sent_only_what_it_lacks(browser, run):
    with watch(browser) as socket:
        socket.send_json({"have": None})
        tag = socket.receive_json()["tag"]
    run.write("Hello")
    with watch(browser) as socket:
        socket.send_json({"have": tag})
        assert socket.receive_json()["base"] == tag


def test_a_viewer_who_lost_count_asks_for_everything(browser, run):
    with watch(browser) as socket:
        socket.send_json({})
        tag = socket.receive_json()["tag"]
        socket.send_json({"have": None})
        again = socket.receive_json()
        assert (again["base"], again["tag"]) == (None, tag)


def answer(run: FoldedRun, text: str, before: tuple[BranchPlan, ...] = ()) -> None:
    plan = BranchPlan(
        id=AGGREGATE, title="Synthesis", model=run.snapshot.branches[0].plan.model, messages=()
    )
    run.happen(
        BranchFinished(at=1.0, id=JOKE, state=BranchState.DONE),
        AggregatePlanned(
            at=1.0,
            kind="synthesis",
            heading="Synthesis of 1 of 1",
            used=(JOKE,),
            plan=plan,
            before=before,
        ),
        AttemptStarted(at=1.1, id=AGGREGATE, attempt=1),
        BranchWrote(at=1.2, id=AGGREGATE, text=text, pieces=1),
    )


def test_sources_follow_a_finished_answer_although_nothing_else_happens(browser, run):
    run.write("The lighthouse keeper counted eleven ships before breakfast.")
    answer(run, "The lighthouse keeper counted eleven ships before breakfast.")
    with watch(browser) as socket:
        socket.send_json({})
        assert "sources" not in socket.receive_json()["cols"]["aggregate"]
        run.happen(
            BranchFinished(at=2.0, id=AGGREGATE, state=BranchState.DONE),
            RunFinished(at=2.0, status=RunStatus.SUCCEEDED),
        )
        frames = [socket.receive_json(), socket.receive_json()]
    (sources,) = [f["cols"]["aggregate"]["sources"] for f in frames if "sources" in str(f)]
    assert sources["sentences"][0]["by"][0][0] == "joke"
    assert sources["reached"] == {"joke": 1.0}


def test_stopping_an_answer_stops_the_calls_that_prepare_it(run):
    judge = BranchPlan(
        id=BranchId("aggregate-judge-1"),
        title="Judge 1",
        model=run.snapshot.branches[0].plan.model,
        messages=(),
    )
    answer(run, "", before=(judge,))
    stop(run, AGGREGATE)
    assert run.asked == [("stop", judge.id), ("stop", AGGREGATE)]


@pytest.mark.parametrize(
    ("message", "asked"),
    [
        ({"stop": "joke"}, ("stop", JOKE)),
        ({"stop": "*"}, ("stop", None)),
        ({"retry": "joke"}, ("retry", JOKE)),
        ({"retry": "*"}, ("retry", None)),
        ({"fold": True}, ("fold", None)),
    ],
)
def test_stop_retry_and_fold_in_reach_the_run(browser, run, message, asked):
    with watch(browser) as socket:
        socket.send_json({})
        socket.receive_json()
        socket.send_json(message)
        assert run.was_asked.wait(5)
    assert run.asked == [asked]


def test_a_stop_that_nobody_heard_is_sent_back_for_the_page_to_say_so(browser, run):
    with watch(browser) as socket:
        socket.send_json({})
        socket.receive_json()
        socket.send_json({"stop": "joke"})
        assert run.was_asked.wait(5)
        run.notice = "Its process does not answer."
        assert socket.receive_json() == {"refused": {"stop": "joke"}}


def test_what_finds_no_place_is_sent_back_for_the_page_to_say_why(browser, run):
    run.problem = "As many runs as may be are going."
    with watch(browser) as socket:
        socket.send_json({})
        socket.receive_json()
        socket.send_json({"retry": "joke"})
        assert socket.receive_json() == {"refused": {"retry": "joke"}}
        socket.send_json({"fold": True})
        assert socket.receive_json() == {"refused": {"fold": True}}
        socket.send_json({"stop": "*"})
        assert run.was_asked.wait(5)
    assert run.asked == [("stop", None)]


def test_an_unknown_run_is_told_by_its_close_code(browser):
    with watch(browser, "nobody") as socket, pytest.raises(WebSocketDisconnect) as closed:
        socket.receive_json()
    assert closed.value.code == UNKNOWN_RUN


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", "http://testserver.evil.example"]
)
def test_a_page_of_another_host_may_not_watch(browser, origin):
    with pytest.raises(WebSocketDisconnect), watch(browser, Origin=origin):
        pass


def test_a_page_of_this_host_may_watch(browser):
    with watch(browser, Origin="http://testserver") as socket:
        socket.send_json({})
        assert socket.receive_json()["base"] is None


def test_a_page_is_told_that_what_stands_around_its_board_has_changed(run, browser):
    run.fixed = "Out of reach."
    with watch(browser) as socket:
        socket.send_json({"have": None, "around": ""})
        assert socket.receive_json()["base"] is None
        assert socket.receive_json() == {"around": "Out of reach."}
        run.fixed = ""
        assert socket.receive_json() == {"around": ""}


def test_a_board_without_a_page_around_it_is_told_nothing_but_frames(run, browser):
    run.fixed = "Out of reach."
    with watch(browser) as socket:
        socket.send_json({"have": None})
        assert socket.receive_json()["base"] is None
        run.write("Hello")
        assert socket.receive_json()["cols"]


@pytest.mark.parametrize("message", ["", "nonsense", "[]", '{"have": 3}', '{"kill": "joke"}'])
def test_a_message_that_makes_no_sense_ends_the_socket_and_nothing_else(browser, run, message):
    with watch(browser) as socket:
        socket.send_text(message)
        with pytest.raises(WebSocketDisconnect) as closed:
            socket.receive_json()
    assert closed.value.code == NOT_UNDERSTOOD
    with watch(browser) as socket:
        socket.send_json({})
        assert socket.receive_json()["base"] is None
    assert not run.asked


@pytest.mark.parametrize(("watched", "rate"), [(0, 15), (1, 15), (20, 15), (50, 6), (500, 5)])
def test_many_watched_runs_are_drawn_less_often_each(watched: int, rate: float) -> None:
    assert rate_of(watched) == rate


def test_only_a_run_that_somebody_watches_takes_its_share() -> None:
    now = 0.0
    with rig(script(otherwise=Reply(fault=Fault.STALL_FIRST))) as here:
        handle = here.start(trio())
        feed = RunFeed(handle, clock=lambda: now)
        watched = [feed.watched]
        now = 5.0
        watched.append(feed.watched)
        feed.refresh()
        watched.append(feed.watched)
        assert watched == [True, False, True], "while nobody asks for frames it takes no share"
        handle.stop()
        handle.wait(5)
        assert not feed.watched, "it is over"
