"""A run travels as JSON: out and in again it is the same, and no file at all breaks an import."""

from __future__ import annotations

import json
import time
import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from fanout.errors import InputError
from fanout.events import BranchWrote, RunFinished, RunStarted
from fanout.export.importing import SAFE_ID, import_run, read_export
from fanout.export.importing_limits import DEEPEST, MOST_BYTES, MOST_TEXT_EVENTS
from fanout.export.json_export import json_export
from fanout.record import run_record
from fanout.store.values import StoredRun
from fanout.types import RunId, RunStatus
from tests.export.stored_runs import LABEL, NAMES, Shelf, failed_run, nasty_run, shipped_runs

Edit = Callable[[Any], object]


def exported(run: StoredRun) -> Any:
    return json.loads(json_export(run))


def reread(record: object) -> StoredRun:
    return read_export(json.dumps(record).encode())


def trio() -> StoredRun:
    return shipped_runs()["creative-trio"]


def edited(edit: Edit) -> bytes:
    """The export of a run after somebody was at it."""
    record = exported(trio())
    edit(record)
    return json.dumps(record).encode()


def refusal(data: bytes) -> str:
    with pytest.raises(InputError) as told:
        read_export(data)
    assert str(told.value).startswith("This file can't be imported")
    return str(told.value)


@pytest.mark.parametrize("name", NAMES)
def test_a_run_comes_back_as_it_was(name: str) -> None:
    run = shipped_runs()[name]
    back = read_export(json_export(run).encode())
    assert back.events == run.events
    assert back.snapshot == run.snapshot
    assert back.label == LABEL


def test_a_run_with_a_failure_and_a_second_go_comes_back_as_it_was() -> None:
    run = failed_run()
    assert run.snapshot.goes[2].earlier or any(b.earlier for b in run.snapshot.branches)
    back = read_export(json_export(run).encode())
    assert (back.events, back.snapshot) == (run.events, run.snapshot)


def test_hostile_texts_come_back_as_they_were() -> None:
    run = nasty_run()
    back = read_export(json_export(run).encode())
    assert (back.events, back.snapshot) == (run.events, run.snapshot)


@pytest.mark.parametrize("name", NAMES)
def test_an_export_begins_with_the_record_of_the_command_line(name: str) -> None:
    run = shipped_runs()[name]
    record = exported(run)
    assert record["format"] == "fanout-run" and record["format_version"] == 1
    wanted = json.loads(json.dumps(run_record(run.snapshot, run.snapshot.at)))
    assert {key: record[key] for key in wanted} == wanted
    assert len(record["timeline"]) == len(run.events)


def test_only_timeline_and_label_are_believed() -> None:
    record = exported(trio())
    record |= {"topic": "Another", "status": "failed", "branches": [], "cost_usd": 1e9}
    assert reread(record).snapshot == trio().snapshot
    bare = {key: record[key] for key in ("format", "format_version", "timeline")}
    assert reread(bare).snapshot == trio().snapshot


def test_a_byte_order_mark_and_another_encoding_do_no_harm() -> None:
    text = json_export(trio())
    assert read_export(b"\xef\xbb\xbf" + text.encode()).snapshot == trio().snapshot
    assert read_export(text.encode("utf-16")).snapshot == trio().snapshot


def test_a_running_run_is_imported_as_interrupted() -> None:
    first_text = next(i for i, event in enumerate(trio().events) if isinstance(event, BranchWrote))
    record = exported(trio())
    record["timeline"] = record["timeline"][: first_text + 1]
    back = reread(record)
    assert back.snapshot.status is RunStatus.INTERRUPTED
    assert isinstance(back.events[-1], RunFinished)
    assert back.events[: first_text + 1] == trio().events[: first_text + 1]
    assert any(branch.text for branch in back.snapshot.branches)
    assert reread(exported(back)).snapshot == back.snapshot


def test_a_timeline_that_is_too_fine_is_exported_with_its_text_joined() -> None:
    run = trio()
    index, piece = next(
        (i, event) for i, event in enumerate(run.events) if isinstance(event, BranchWrote)
    )
    pieces = [replace(piece, text="x", pieces=1)] * (MOST_TEXT_EVENTS + 1)
    events = (*run.events[:index], *pieces, *run.events[index:])
    back = read_export(json_export(replace(run, events=events)).encode())
    text = back.snapshot.branch(piece.id).text
    assert text == "x" * len(pieces) + run.snapshot.branch(piece.id).text


def first(kind: str, record: Any) -> Any:
    return next(event for event in record["timeline"] if event["event"] == kind)


def swap(record: Any) -> None:
    record["timeline"][3], record["timeline"][-1] = record["timeline"][-1], record["timeline"][3]


def insert(event: Any, at: int = -1) -> Edit:
    def edit(record: Any) -> None:
        timeline = record["timeline"]
        before = timeline[: min(at, len(timeline))][-1]
        timeline.insert(at, {"at": before["at"], **event})

    return edit


BAD: dict[str, tuple[Edit, str]] = {
    "no timeline": (lambda r: r.pop("timeline"), "timeline"),
    "an object as timeline": (lambda r: r.update(timeline={}), "timeline"),
    "an empty timeline": (lambda r: r.update(timeline=[]), "run_started"),
    "no start": (lambda r: r["timeline"].pop(0), "run_started"),
    "another format": (lambda r: r.update(format="x"), "no exported run"),
    "no version": (lambda r: r.pop("format_version"), "no exported run"),
    "a newer version": (lambda r: r.update(format_version=2), "newer Fanout"),
    "a text as event": (lambda r: r["timeline"].insert(4, "hello"), "timeline[4]"),
    "an unknown event": (insert({"event": "run_paused"}, 5), "timeline[5]"),
    "an unknown branch": (insert({"event": "branch_queued", "id": "nobody"}), "nobody"),
    "a second start": (lambda r: r["timeline"].insert(1, r["timeline"][0]), "only once"),
    "events out of order": (swap, "before the event"),
    "a negative time": (lambda r: r["timeline"][0].update(at=-1), "timeline[0]"),
    "a time that is a text": (lambda r: r["timeline"][2].update(at="NaN"), "timeline[2]"),
    "a time beyond all": (lambda r: r["timeline"][-1].update(at=1e300), "at: "),
    "text as a number": (lambda r: first("branch_wrote", r).update(text=7), "text"),
    "text after the end": (
        insert({"event": "branch_wrote", "id": "joke", "text": "x", "pieces": 1}), "has ended"),
    "an event after the end": (
        insert({"event": "branch_queued", "id": "joke"}, 10_000), "has ended"),
    "a branch that ends as writing": (
        lambda r: first("branch_finished", r).update(state="writing"), "can't end"),
    "a run that ends as running": (
        lambda r: r["timeline"][-1].update(status="running"), "can't end"),
    "two branches of one id": (
        lambda r: r["timeline"][0]["branches"].append(r["timeline"][0]["branches"][0]),
        "the same id"),
    "no branches": (lambda r: r["timeline"][0].update(branches=[]), "branches"),
    "a branch named as the answer": (
        lambda r: r["timeline"][0]["branches"][0].update(id="aggregate"), "aggregate"),
    "markup as a branch's id": (
        lambda r: r["timeline"][0]["branches"][0].update(id="<b>"), "id: "),
    "an answer with a branch's id": (
        lambda r: first("aggregate_planned", r)["plan"].update(id="joke"), "id"),
    "an answer of nobody": (
        lambda r: first("aggregate_planned", r).update(used=["nobody"]), "nobody"),
    "negative tokens": (
        lambda r: first("branch_finished", r)["usage"].update(input=-1), "usage.input"),
    "tokens beyond counting": (
        lambda r: first("branch_finished", r)["usage"].update(output=10**15), "usage.output"),
    "a price that is none": (
        lambda r: first("branch_finished", r).update(cost={
            "usd": "1e999999", "price": {"input": "1", "output": "1", "source": "x"}}), "cost.usd"),
    "an infinite price": (
        lambda r: first("branch_finished", r).update(cost={
            "usd": "Infinity", "price": {"input": "1", "output": "1", "source": "x"}}), "cost"),
    "a run before its time": (
        lambda r: r["timeline"][0].update(started_at=-5), "started_at"),
    "a label that is a list": (lambda r: r.update(label=[]), "label"),
    "tags that are numbers": (lambda r: r["label"].update(tags=[1]), "label.tags"),
    "too long a name": (lambda r: r["label"].update(name="x" * 201), "label.name"),
}  # fmt: skip


@pytest.mark.parametrize("what", BAD)
def test_an_edited_export_is_refused_by_the_place_that_is_wrong(what: str) -> None:
    edit, place = BAD[what]
    assert place in refusal(edited(edit))


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"", "empty"),
        (b" \n", "empty"),
        (b"\x00\xff\xfe\x80", "this file"),
        (b"PK\x03\x04\x80\x80", "UTF-8"),
        (b"{", "line 1, column 2"),
        (b"not json", "line 1, column 1"),
        (b"[]", "no run"),
        (b"null", "no run"),
        (b'"text"', "no run"),
        (b"{}", "no exported run"),
        (b'{"a": NaN}', "NaN is no number"),
        (b'{"a": -Infinity}', "Infinity is no number"),
        (b'{"a": 1e999}', "1e999 is no number"),
        (b'{"a": ' + b"9" * 5000 + b"}", "is no number"),
        (b'{"a":' * 2000 + b"1" + b"}" * 2000, "nested"),
        (b"[" * 100_000 + b"]" * 100_000, "nested"),
        (b'{"a":' + b"[" * (DEEPEST + 1) + b"]" * (DEEPEST + 1) + b"}", "nested"),
        (b'{"a": "' + b"x" * 2_000_001 + b'"}', "2,000,000 characters"),
    ],
    ids=lambda value: repr(value)[:24],
)
def test_other_files_are_refused_with_a_reason(data: bytes, told: str) -> None:
    assert told.casefold() in refusal(data).casefold()


def test_a_huge_file_is_refused_at_once_and_takes_no_memory() -> None:
    huge = b'{"timeline": [' + b"{}," * 34_000_000
    assert len(huge) > MOST_BYTES
    many = b"[" + b"{}," * 20_000_000
    assert len(many) < MOST_BYTES
    tracemalloc.start()
    began = time.perf_counter()
    for data, told in ((huge, "102 MB"), (many, "values")):
        assert told in refusal(data)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 5_000_000
    assert time.perf_counter() - began < 10


def test_ids_that_do_not_fit_an_address_are_replaced_the_same_way_each_time() -> None:
    def named(run_id: str) -> StoredRun:
        record = exported(trio())
        record["timeline"][0]["run_id"] = run_id
        return reread(record)

    for bad in ("", "short", "../../etc", "a b c d e f", "x" * 65, "<script>alert(1)</script>"):
        assert SAFE_ID.fullmatch(named(bad).id)
        assert named(bad).id == named("../").id
    assert named("just_fine-1").id == "just_fine-1"


def test_a_run_that_is_there_is_not_kept_twice() -> None:
    shelf = Shelf(trio())
    found = import_run(shelf, json_export(trio()).encode())
    assert (found.how, found.id, len(shelf.runs)) == ("there", trio().id, 1)


def test_a_run_whose_text_was_stored_in_other_pieces_is_still_the_same() -> None:
    joined: list[Any] = []
    for event in trio().events:
        last = joined[-1] if joined else None
        if (
            isinstance(event, BranchWrote)
            and isinstance(last, BranchWrote)
            and (last.id == event.id)
        ):
            joined[-1] = replace(
                last, text=last.text + event.text, pieces=last.pieces + event.pieces
            )
        else:
            joined.append(event)
    assert len(joined) < len(trio().events)
    shelf = Shelf(replace(trio(), events=tuple(joined)))
    assert import_run(shelf, json_export(trio()).encode()).how == "there"


def test_another_run_of_the_same_id_keeps_its_place() -> None:
    other = shipped_runs()["review"]
    started = other.events[0]
    assert isinstance(started, RunStarted)
    taken = replace(
        other,
        events=(replace(started, run_id=trio().id), *other.events[1:]),
        snapshot=replace(other.snapshot, run_id=trio().id),
    )
    shelf = Shelf(taken)
    data = json_export(trio()).encode()
    found = import_run(shelf, data)
    assert found.how == "renamed" and found.id != trio().id
    assert SAFE_ID.fullmatch(found.id)
    assert shelf.runs[str(trio().id)] is taken
    assert shelf.runs[found.id].snapshot == replace(trio().snapshot, run_id=RunId(found.id))
    again = import_run(shelf, data)
    assert (again.how, again.id, len(shelf.runs)) == ("there", found.id, 2)
