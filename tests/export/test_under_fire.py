"""Every export tells what limits, failures and stragglers did to a run."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from components.timeline_chart import timeline_chart, timeline_frame, timeline_note
from fanout.cli.progress import branch_line
from fanout.export.html.mishaps import mishaps
from fanout.export.html.page import html_report
from fanout.export.markdown_export import markdown_export
from fanout.export.tables import branches_table
from fanout.record import run_record
from fanout.store.values import StoredRun
from fanout.types import BranchId
from tests.folding import folded
from tests.render.under_fire import survived, under_fire

NOW, OVER = folded(under_fire()), folded(survived())
RUN = StoredRun(events=survived(), snapshot=OVER)


def test_the_record_says_who_answered_what_was_waited_for_and_what_failed():
    record = json.loads(json.dumps(run_record(OVER, OVER.at)))
    rows = {row["id"]: row for row in record["branches"]}
    assert rows["fallen"]["answered_by"] == {"endpoint": "acme", "name": "lab/small"}
    assert rows["done"]["answered_by"]["name"] == "lab/big"
    assert rows["rate"]["held"] == {"slot": 0.1, "rate": 6.0}
    assert rows["won"]["hedges"] == 1
    assert rows["restart"]["setbacks"] == ["connection"]
    assert rows["budget"]["failure"]["kind"] == "budget"
    assert record["late"] == ["late", "straggler"]
    assert record["policies"]["fan_in"] == {"k": 2, "deadline_s": 30.0}


def test_a_terminal_says_it_in_the_same_words():
    lines = {call.title: branch_line(call, NOW, 4.0) for call in NOW.calls}
    assert lines["Retry"].endswith("Rate limited: retrying in 2.0 s (2 of 4)")
    assert lines["Rate"].endswith("Rate limit of Acme reached: goes on in 12 s.")
    assert lines["Fallen"].endswith("Answered by small (fallback: big failed)")
    assert lines["Thinker"].endswith("Thinking (312 tokens so far)")
    assert lines["Late"].endswith("Not in this answer: it came after the answer was begun.")


def test_markdown_names_what_was_done():
    text = markdown_export(RUN).replace("\\", "")
    assert "- Combining: Combined when 2 of 18 were done" in text
    assert "- Models: lab/big, lab/small" in text
    assert "- Won: The second request answered first." in text
    assert "- Late: Not in this answer: it came after the answer was begun." in text
    assert "- Shared beginning: " in text


def test_spreadsheets_get_the_queue_by_reason():
    table = branches_table(OVER)
    names = [column.name for column in table.columns]
    rows = {row[0]: dict(zip(names, row, strict=True)) for row in table.rows}
    assert round(float(str(rows["pause"]["held_by_pause_s"])), 3) == 6.1
    assert (rows["fallback"]["answered_by"], rows["late"]["late"]) == ("lab/small", "yes")
    assert rows["lost"]["second_requests"] == 1


def test_a_report_shows_marks_and_splits_the_queue():
    report = html_report(RUN)
    for words in (
        "Answered by small (fallback: big failed)",
        "Broke off in mid-answer, begun anew (2 of 4)",
        "Not in this answer: it came after the answer was begun.",
        "held by a rate limit",
        "second request sent",
        "Skipped: budget",
    ):
        assert words in report


def test_the_timeline_has_a_look_for_each_reason_and_a_sign_for_each_second_request():
    traces: list[Any] = list(timeline_chart(OVER, dark=False).data)
    assert [trace.name for trace in traces] == [
        "waiting for a slot", "held by a rate limit", "held by the endpoint's pause",
        "waiting for the shared beginning", "waiting for the first token", "writing",
        "backing off", "second request",
    ]  # fmt: skip
    assert len(traces[-1].x) == 3
    assert timeline_note(OVER).endswith("diamond: second request sent")
    frame = timeline_frame(OVER).set_index("Call")
    assert frame.loc["B Rate", "Rate limit s"] == 6.0
    assert frame.loc["O Budget", "State"] == "Skipped: budget"


def test_a_report_tells_a_failure_that_came_again_once():
    call = OVER.branch(BranchId("fallen"))
    assert call is not None
    page = str(mishaps(replace(OVER, branches=(replace(call, setbacks=call.setbacks * 2),))))
    assert page.count("Server error, 2 times: ") == 1
    assert "Server error: " in html_report(RUN)
