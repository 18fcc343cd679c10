"""The JSON of runs and events: complete for every kind of workflow, and without a secret."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from fanout.endpoint import Endpoint, Secret
from fanout.engine.endpoints import EndpointBook
from fanout.engine.engine import Engine
from fanout.events import (
    AggregatePlanned,
    AggregateWritten,
    BallotCast,
    Event,
    MeaningMeasured,
    PassagesFound,
    RunResumed,
    RunStarted,
)
from fanout.providers.openai_compatible import OpenAICompatible
from fanout.providers.script import Reply, Script
from fanout.providers.scripted_server import serving
from fanout.record import event_record, run_record
from fanout.types import RunStatus
from fanout.workflows.combining.defaults import TITLES, default_spec
from fanout.workflows.library import shipped
from tests.rig import AT_ONCE, HERE, MODEL, rig, trio
from tests.workflows.documents import filled
from tests.workflows.panels import Answer, afterwards, moderation, record_of, replies, verdict

KEY = "sk-record-secret-0123456789"
TOPICS = {"research": "Why was the wind project delayed?", "judges": "One text.\n---\nAnother one."}
NUMBER = (int, float)
NONE = type(None)

RUN = {
    "run_id": str, "workflow": str, "topic": str, "status": str, "wall_s": NUMBER,
    "sequential_s": NUMBER, "cost_usd": (*NUMBER, NONE), "branches": list,
    "aggregate": (dict, NONE), "aggregates": list, "practices": dict,
}  # fmt: skip
BRANCH = {
    "id": str, "title": str, "status": str, "text": str, "queued_s": (*NUMBER, NONE),
    "first_token_s": (*NUMBER, NONE), "finished_s": (*NUMBER, NONE), "attempts": int,
    "usage": dict, "cost_usd": (*NUMBER, NONE), "failure": (dict, NONE),
}  # fmt: skip
AGGREGATE = {
    "kind": str, "heading": str, "status": str, "text": str, "used": list, "usage": dict,
    "cost_usd": (*NUMBER, NONE), "finished_s": (*NUMBER, NONE), "failure": (dict, NONE),
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    events: tuple[Event, ...]
    record: Any


@contextmanager
def asked_over_http() -> Iterator[Engine]:
    """An engine with documents and embeddings, whose endpoint holds a key."""
    with TemporaryDirectory() as folder, serving(Script(key=KEY)) as server:
        book = EndpointBook(OpenAICompatible)
        address = Endpoint(id=HERE, name="Here", base_url=server.base_url, embedding_model="e")
        book.put(address, Secret(KEY))
        with (
            filled(Path(folder)) as library,
            Engine(book, retries=AT_ONCE, library=lambda: library) as engine,
        ):
            yield engine


@cache
def shipped_runs() -> dict[str, Recorded]:
    """One run of each shipped workflow."""
    runs = {}
    with asked_over_http() as engine:
        for workflow in shipped().workflows:
            handle = engine.start(workflow, TOPICS.get(workflow.kind, "rain"), MODEL)
            handle.wait(timeout_s=30)
            runs[workflow.name] = Recorded(events=handle.events, record=record_of(handle))
    return runs


def lacking(record: Any, contract: dict[str, Any]) -> list[str]:
    """Fields of the contract that are missing or have another type."""
    return [
        name
        for name, kind in contract.items()
        if name not in record or not isinstance(record[name], kind)
        or isinstance(record[name], bool)
    ]  # fmt: skip


NAMES = [workflow.name for workflow in shipped().workflows]


@pytest.mark.parametrize("name", NAMES)
def test_the_record_of_each_shipped_workflow_keeps_the_contract(name: str) -> None:
    record = shipped_runs()[name].record
    assert lacking(record, RUN) == []
    assert record["status"] in {"succeeded", "partial"}
    assert record["branches"] and not [f for b in record["branches"] for f in lacking(b, BRANCH)]
    assert all(b["usage"].keys() == {"input", "output", "cached"} for b in record["branches"])
    assert lacking(record["aggregate"], AGGREGATE) == []
    ids = {branch["id"] for branch in record["branches"]}
    assert set(record["aggregate"]["used"]) <= ids
    assert record["aggregates"] == [record["aggregate"]]


@pytest.mark.parametrize("name", ["moderation", "judges", "reasoning"])
def test_a_vote_has_votes_agreement_and_ballots(name: str) -> None:
    aggregate = shipped_runs()[name].record["aggregate"]
    assert isinstance(aggregate["votes"], dict)
    assert aggregate["agreement"] is None or -1 <= aggregate["agreement"] <= 1
    assert isinstance(aggregate["outcome"], dict)
    voters = [branch["id"] for branch in shipped_runs()[name].record["branches"]]
    assert [one["voter"] for one in aggregate["ballots"]] == voters


@pytest.mark.parametrize("name", ["creative-trio", "report", "research"])
def test_what_is_no_vote_says_nothing_of_votes(name: str) -> None:
    assert not {"votes", "agreement", "ballots"} & shipped_runs()[name].record["aggregate"].keys()


@pytest.mark.parametrize("name", NAMES)
def test_every_event_is_one_flat_line_of_json(name: str) -> None:
    for event in shipped_runs()[name].events:
        record = json.loads(json.dumps(event_record(event), allow_nan=False))
        assert isinstance(record["event"], str) and isinstance(record["at"], NUMBER)


def test_the_new_events_are_all_met_and_keep_what_is_nested_in_them() -> None:
    lines = {
        type(event): json.loads(json.dumps(event_record(event)))
        for run in shipped_runs().values()
        for event in run.events
    }
    assert lines[BallotCast]["event"] == "ballot_cast"
    assert {"voter", "choice", "reason", "scores", "ranking"} <= lines[BallotCast]["ballot"].keys()
    found = lines[PassagesFound]
    assert found["queries"] and found["hits"][0]["passage"]["text"]
    measured = lines[MeaningMeasured]
    assert len(measured["cosines"]) == len(measured["branches"])
    assert lines[AggregateWritten]["text"]
    assert {"kind", "heading", "plan", "before", "passages"} <= lines[AggregatePlanned].keys()


def test_a_run_says_beforehand_how_its_votes_are_counted() -> None:
    begun = {
        name: event_record(next(e for e in run.events if isinstance(e, RunStarted)))
        for name, run in shipped_runs().items()
    }
    moderated = json.loads(json.dumps(begun["moderation"]))["vote"]
    assert moderated["rule"]["kind"] == "majority"
    assert moderated["rule"]["options"] == ["allow", "flag", "block"]
    assert set(moderated["weights"]) == {
        b["id"] for b in shipped_runs()["moderation"].record["branches"]
    }
    ranked = json.loads(json.dumps(begun["judges"]))["vote"]
    assert all(set(order) == {"text-1", "text-2"} for order in ranked["orders"].values())
    form = json.loads(json.dumps(begun["moderation"]))["branches"][0]["form"]
    assert next(iter(form["schema"]["properties"])) == "reason"
    assert begun["creative-trio"]["vote"] is None


def test_no_record_and_no_event_holds_the_key() -> None:
    for run in shipped_runs().values():
        assert KEY not in json.dumps(run.record)
        assert KEY not in json.dumps([event_record(event) for event in run.events])


def test_a_single_valid_vote_has_no_agreement() -> None:
    said = {"a": verdict("allow"), "b": "Prose.", "c": "More prose."}
    with rig(replies(said)) as here:
        handle = here.start(moderation(("a", "b", "c")), "Hello.")
        handle.wait(timeout_s=20)
    record = record_of(handle)["aggregate"]
    assert (record["votes"]["allow"], record["agreement"]) == (1, None)
    assert record["outcome"]["valid"] == 1
    assert [one["valid"] for one in record["ballots"]] == [True, False, False]
    assert record["ballots"][1]["problem"]


@pytest.mark.parametrize("kind", [kind for kind in TITLES if kind not in ("cited", "fused")])
def test_every_way_of_combining_can_be_recorded_beside_the_first(kind: Any) -> None:
    with rig(Script()) as here:
        handle = here.start(trio())
        handle.wait(timeout_s=20)
        afterwards(here, handle, lambda: handle.combine(default_spec(kind)))
    record = record_of(handle)
    assert [one["kind"] for one in record["aggregates"]] == ["synthesis", kind]
    assert lacking(record["aggregates"][1], AGGREGATE) == []
    assert record["aggregate"] == record["aggregates"][0]
    resumed = [event for event in handle.events if isinstance(event, RunResumed)]
    assert event_record(resumed[0])["combining"] is True


def test_a_run_can_be_recorded_at_any_moment() -> None:
    said: dict[str, Answer] = {
        "a": verdict("allow"),
        "b": Reply(text=verdict("block"), tokens_per_s=200),
    }
    with rig(replies(said)) as here:
        handle = here.start(moderation(("a", "b")), "Hello.")
        for _ in handle.follow():
            json.dumps(run_record(handle.snapshot, handle.now_s()), allow_nan=False)
    assert handle.snapshot.status is RunStatus.SUCCEEDED


def test_sources_of_a_synthesis_are_recorded_by_sentence() -> None:
    provenance = shipped_runs()["creative-trio"].record["aggregate"]["provenance"]
    assert provenance["sentences"]
    assert set(provenance["reached"]) == {"joke", "story", "poem"}
