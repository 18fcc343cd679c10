"""Exports that were edited at random: a run that can be drawn comes out, or a reason why not."""

from __future__ import annotations

import copy
import json
import re
from functools import cache
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fanout.errors import InputError
from fanout.export.importing import SAFE_ID, read_export
from fanout.export.json_export import json_export
from fanout.export.markdown_export import markdown_export
from fanout.export.tables_csv import csv_export
from fanout.fold import apply, begin
from fanout.record import run_record
from fanout.render.frames import FrameBuilder
from fanout.store.values import StoredRun
from tests.export.stored_runs import NAMES, failed_run, shipped_runs

SCRIPT = "<script>alert(1)</script><img src=x onerror=alert(1)>[x](javascript:alert(1))"
ACTIVE = re.compile(
    r"<\s*(?:script|img|iframe|object|svg|style|link)\b|javascript:[^<]*\"|\son\w+\s*=\s*[\"']",
    re.IGNORECASE,
)

ODD = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8),
    st.sampled_from([
        SCRIPT, "", "NaN", "-Infinity", "1e400", -1, 0, 10**18, 10**30, 1e300, -1e-300, [], {},
        [[]], [{}], {"a": {}}, "\x00", "\ud800", "\u202e", "aggregate", "aggregate-2", "joke",
        "running", "interrupted", "succeeded", "done", "writing", "branch_wrote", "run_resumed",
        "run_started", "x" * 5000, "1.0E-500", "vote", "ranking", "best", "cited", "fused", "table",
    ]),
)  # fmt: skip


@cache
def sources() -> tuple[str, ...]:
    """Exports to begin from: each kind of workflow, and one with failures and second goes."""
    runs = [shipped_runs()[name] for name in NAMES] + [failed_run()]
    return tuple(json_export(run) for run in runs)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The way to every value below the timeline and the label."""
    found = [path] if path else []
    if isinstance(value, dict):
        inner = list(value.items())
    elif isinstance(value, list):
        inner = list(enumerate(value))
    else:
        inner = []
    for key, each in inner:
        found += places(each, (*path, key))
    return found


def edit(data: st.DataObject, record: Any) -> None:
    """One change somewhere: replace, remove, repeat, move, rename."""
    part = data.draw(st.sampled_from(["timeline", "timeline", "timeline", "label"]))
    where = data.draw(st.sampled_from(places(record[part]) or [()]))
    if not where:
        return
    parent = record[part]
    for key in where[:-1]:
        parent = parent[key]
    last = where[-1]
    match data.draw(st.sampled_from(["replace", "replace", "remove", "repeat", "swap", "rename"])):
        case "remove":
            del parent[last]
        case "repeat" if isinstance(parent, list):
            parent.insert(data.draw(st.integers(0, len(parent))), copy.deepcopy(parent[last]))
        case "swap" if isinstance(parent, list):
            other = data.draw(st.integers(0, len(parent) - 1))
            parent[last], parent[other] = parent[other], parent[last]
        case "rename" if isinstance(parent, dict):
            parent[data.draw(st.text(max_size=6))] = parent.pop(last)
        case _:
            parent[last] = data.draw(ODD)


def drawn(run: StoredRun) -> str:
    """What every viewer gets to see of the run, from its first moment to its last."""
    builder = FrameBuilder()
    snapshot = None
    frames = []
    for event in run.events:
        snapshot = begin(event) if snapshot is None else apply(snapshot, event)  # type: ignore[arg-type]
        frames.append(builder.frame(snapshot, snapshot.at))
    assert snapshot is not None and snapshot == run.snapshot
    whole = builder.keyframe()
    html = [html for c in whole["cols"].values() for _, html in c["text"]["closed"]]
    html += [column["text"]["open"][1] for column in whole["cols"].values()]
    json.dumps(frames, allow_nan=False)
    return "".join(html)


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_an_edited_export_is_a_run_or_a_reason(data: st.DataObject) -> None:
    record = json.loads(data.draw(st.sampled_from(sources())))
    for _ in range(data.draw(st.integers(1, 4))):
        edit(data, record)
    try:
        run = read_export(json.dumps(record).encode())
    except InputError as error:
        assert "can't be imported" in str(error) and len(str(error)) < 600
        return
    assert SAFE_ID.fullmatch(run.id)
    assert run.snapshot.status.finished
    assert not ACTIVE.search(drawn(run))
    json.dumps(run_record(run.snapshot, run.snapshot.at), allow_nan=False)
    markdown_export(run)
    csv_export(run)
    assert read_export(json_export(run).encode()).snapshot == run.snapshot


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_a_damaged_file_is_a_run_or_a_reason(data: st.DataObject) -> None:
    raw = bytearray(data.draw(st.sampled_from(sources())).encode())
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, len(raw) - 1))
        raw[at : at + data.draw(st.integers(0, 40))] = data.draw(st.binary(max_size=6))
    try:
        drawn(read_export(bytes(raw)))
    except InputError as error:
        assert "can't be imported" in str(error)


@settings(max_examples=100, deadline=None)
@given(st.binary() | st.recursive(ODD, lambda x: st.lists(x) | st.dictionaries(
    st.sampled_from(["format", "format_version", "timeline", "label", "event", "at"]), x)
).map(lambda value: json.dumps(value).encode()))  # fmt: skip
def test_no_other_file_is_taken_for_a_run(data: bytes) -> None:
    try:
        read_export(data)
    except InputError:
        return
    raise AssertionError("that was no run")


def test_a_script_in_every_text_is_drawn_as_text() -> None:
    for source in sources():
        record = json.loads(source)
        for event in record["timeline"]:
            if event["event"] == "branch_wrote":
                event["text"] = f"{SCRIPT}\n\n{event['text']}"
        record["timeline"][0]["topic"] = record["timeline"][0]["title"] = SCRIPT
        for plan in record["timeline"][0]["branches"]:
            plan["title"] = SCRIPT
        run = read_export(json.dumps(record).encode())
        html = drawn(run)
        assert not ACTIVE.search(html)
        assert "&lt;script&gt;" in html
