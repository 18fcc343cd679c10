"""What a board is told of where an answer came from, and when."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fanout.render.frames import FrameBuilder
from fanout.render.sources import Tracer, job_of
from fanout.retrieval.passages import Fused, Passage
from fanout.snapshot import Aggregate, Branch, Phase, Snapshot
from fanout.types import (
    AGGREGATE,
    BranchId,
    BranchPlan,
    BranchState,
    EndpointId,
    ModelRef,
    RunId,
)

MODEL = ModelRef(endpoint=EndpointId("e"), model="m")
DONE = (Phase(state=BranchState.DONE, since_s=1.0),)
STORY = "Mara kept the lighthouse for eleven months. The lamp was never dark."
POEM = "The harbour sleeps beneath the rain."
ANSWER = "Mara kept the lighthouse for eleven months. It earned her 4,711 dollars a week."


def call(name: str, text: str) -> Branch:
    plan = BranchPlan(id=BranchId(name), title=name.title(), model=MODEL, messages=())
    return Branch(plan=plan, phases=DONE, text=text)


def run(kind: str = "synthesis", answer: str = ANSWER, **changes) -> Snapshot:
    branches = (call("story", STORY), call("poem", POEM))
    made = Aggregate(
        kind=kind,
        heading="Synthesis of 2 of 2",
        used=tuple(branch.id for branch in branches),
        branch=call(AGGREGATE, answer),
    )
    return Snapshot(
        run_id=RunId("r"),
        workflow="w",
        title="W",
        topic="a lighthouse",
        started_at=0.0,
        branches=branches,
        aggregate_kind=kind,
        aggregates=(replace(made, **changes),),
        _index={branch.id: i for i, branch in enumerate(branches)},
    )


def traced(snapshot: Snapshot):
    job = job_of(snapshot.aggregates[0], snapshot)
    assert job is not None
    return job.trace()


def test_each_sentence_names_its_branch_and_its_words():
    first, second = traced(run())["sentences"]
    assert (first["found"], [source for source, _ in first["by"]]) == ("found", ["story"])
    assert first["by"][0][1] == "Mara kept the lighthouse for eleven months."
    assert second["found"] == "none"
    assert "4,711" in second["why"] or "4711" in second["why"]


def test_each_branch_says_how_much_of_it_arrived():
    reached = traced(run())["reached"]
    assert 0.4 < reached["story"] < 0.8
    assert reached["poem"] == 0


@pytest.mark.parametrize("kind", ["table", "best", "vote", "fused", "concatenation"])
def test_what_is_counted_or_joined_has_no_sources_to_find(kind):
    assert Tracer().due(run(kind)) is None


def test_an_answer_is_traced_when_it_is_finished_and_only_once():
    tracer, snapshot = Tracer(), run()
    (made,) = snapshot.aggregates
    writing = replace(made.branch, phases=(Phase(state=BranchState.WRITING, since_s=1.0),))
    assert tracer.due(replace(snapshot, aggregates=(replace(made, branch=writing),))) is None
    due = tracer.due(snapshot)
    assert due is not None
    tracer.learn(due[0], due[1].trace())
    assert tracer.known(made) is not None
    assert tracer.due(snapshot) is None
    assert tracer.due(run()) is not None, "another answer under the same id is another one"


def test_an_answer_that_could_not_be_traced_is_not_tried_again():
    tracer, snapshot = Tracer(), run()
    tracer.learn(snapshot.aggregates[0], None)
    assert tracer.due(snapshot) is None
    assert tracer.known(snapshot.aggregates[0]) is None


def test_an_answer_with_citations_is_traced_to_its_passages():
    passage = Passage(
        id="d-1",
        document="d",
        title="handbook.md",
        text="Members pay 21 hellers per kilowatt-hour.",
        ordinal=1,
        start=0,
        end=41,
        place="section: Fees",
    )
    fused = (Fused(passage=passage, rank=1, score=0.1, found_by={"story": 1}),)
    answer = "Members pay 21 hellers per kilowatt-hour [1]."
    sources = traced(run("cited", answer, passages=fused))
    assert [p["place"] for p in sources["passages"]] == ["section: Fees"]
    assert [s["found"] for s in sources["sentences"]] == ["found"]
    assert sources["sentences"][0]["by"][0][0] == "1"


def test_sources_come_with_the_next_frame_although_the_run_is_quiet():
    builder, snapshot = FrameBuilder(), run()
    assert builder.frame(snapshot, 1.0) is not None
    assert builder.frame(snapshot, 1.1) is None
    due = builder.tracer.due(snapshot)
    assert due is not None
    builder.tracer.learn(due[0], due[1].trace())
    frame = builder.frame(snapshot, 1.2)
    assert frame is not None
    assert frame["cols"][AGGREGATE]["sources"]
    assert builder.keyframe()["cols"][AGGREGATE]["sources"]
