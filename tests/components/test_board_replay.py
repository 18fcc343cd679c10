"""What the page hands to the board for a replay: where the frames are, or the frames themselves."""

from __future__ import annotations

import json

from streamlit.testing.v1 import AppTest

from fanout.render.replay import replay_frames
from tests.components.test_board_shows import RecordedRun


def page(run: RecordedRun) -> AppTest:
    def script(handle):
        from components.replay import replay_board

        replay_board(handle)

    return AppTest.from_function(script, kwargs={"handle": run}, default_timeout=20)


def handed_over(app: AppTest) -> dict:
    assert not app.exception
    (component,) = app.get("bidi_component")
    return json.loads(component.proto.json)


def test_the_board_is_told_where_the_frames_are_and_not_how_to_listen():
    data = handed_over(page(RecordedRun()).run())
    assert data["replay"] == {"path": "/api/runs/r/replay", "autoplay": True}
    assert [column["letter"] for column in data["columns"]] == ["A", "B", "C"]
    assert "path" not in data


def test_where_the_route_is_out_of_reach_the_page_hands_the_frames_over():
    run = RecordedRun()
    app = page(run)
    app.session_state["replay_board"] = {"mode": "poll"}
    held = handed_over(app.run())["replay"]["frames"]
    assert held == json.loads(json.dumps(replay_frames(run.events)))
    assert handed_over(app.run())["replay"]["frames"] == held


def test_a_run_that_went_on_is_another_replay():
    run = RecordedRun()
    before = handed_over(page(run).run())["run"]
    run.go_on()
    assert handed_over(page(run).run())["run"] != before
