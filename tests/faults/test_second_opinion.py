"""What an independent fault server says of Fanout as a client: nothing against it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from openai import OpenAI

from fanout.endpoint import Endpoint, Secret
from fanout.engine.endpoints import EndpointBook
from fanout.engine.engine import Engine
from fanout.policies import EndpointPolicy, RetryPolicy
from fanout.providers.openai_compatible import OpenAICompatible
from fanout.snapshot import Snapshot
from fanout.types import BranchState, EndpointId, ModelRef, RunStatus
from fanout.workflows.parsing import parse
from tests.faults.second_opinion import Judge, judging

LONG_S = 30.0
"""How long a stalled stream would be silent: nobody waits for that."""

# What goes wrong at each model, and whether the branch has its answer all the same.
FAULTS: dict[str, tuple[dict[str, object], bool]] = {
    "waits": ({"type": "fail", "status": 429, "retry_after": 0.5, "times": 2}, True),
    "limited": ({"type": "fail", "status": 429, "times": 1}, True),
    "broken": ({"type": "fail", "status": 500, "times": 2}, True),
    "gateway": ({"type": "fail", "status": 502, "times": 1}, True),
    "overloaded": ({"type": "fail", "status": 529, "times": 1}, True),
    "down": ({"type": "fail", "status": 503, "times": None}, False),
    "keyless": ({"type": "fail", "status": 401, "times": None}, False),
    "forbidden": ({"type": "fail", "status": 403, "times": None}, False),
    "bad": ({"type": "fail", "status": 400, "times": None}, False),
    "odd": ({"type": "fail", "status": 422, "times": None}, False),
    "slow": ({"type": "slow_first_token", "seconds": 1.0}, True),
    "drops": ({"type": "stream_fault", "kind": "disconnect", "after_chunks": 3}, True),
    "truncates": ({"type": "stream_fault", "kind": "truncate", "after_chunks": 3}, True),
    "garbles": ({"type": "stream_fault", "kind": "malformed", "after_chunks": 3}, True),
    "stalls": (
        {"type": "stream_fault", "kind": "stall", "after_chunks": 3, "stall_seconds": LONG_S},
        False,
    ),
}


@pytest.fixture(scope="module")
def judge() -> Iterator[Judge]:
    with judging() as found:
        yield found


def expected(judge: Judge) -> None:
    judge.expect(
        [{**fault, "match": {"model": f"m-{name}"}} for name, (fault, _) in FAULTS.items()]
    )


def run(judge: Judge) -> Snapshot:
    data = {
        "title": "Judged",
        "deadlines": {"idle_s": 5.0},
        "branches": [
            {
                "id": name,
                "title": name.title(),
                "prompt": f"{name}: {{topic}}",
                "model": f"m-{name}",
            }
            for name in FAULTS
        ],
        "aggregate": {"prompt": "Combine: {results}", "model": "m-combine"},
    }
    here = EndpointId("judge")
    book = EndpointBook(OpenAICompatible)
    book.put(
        Endpoint(
            id=here,
            name="Judge",
            base_url=judge.base_url,
            slots=len(FAULTS),
            policy=EndpointPolicy(circuit_failures=0),
        ),
        Secret("sk-judged-MTIzNDU2Nzg5MA"),
    )
    retries = RetryPolicy(first_wait_s=0.2)
    with Engine(book, retries=retries) as engine:
        handle = engine.start(
            parse(data, name="judged"), "rain", ModelRef(endpoint=here, model="m")
        )
        snapshot = handle.wait(timeout_s=100)
    assert snapshot.status.finished
    return snapshot


def test_it_has_nothing_against_us(judge: Judge) -> None:
    expected(judge)
    snapshot = run(judge)
    assert judge.findings() == []
    assert judge.faults() >= len(FAULTS), "every fault struck"
    for branch in snapshot.branches:
        fault, answered = FAULTS[branch.id]
        assert branch.state.succeeded is answered, (branch.id, branch.failure)
        if fault["type"] == "fail" and answered:
            assert branch.attempts == 1 + int(str(fault["times"]))
    assert snapshot.branch(snapshot.branches[-1].id).state is BranchState.TIMED_OUT
    assert snapshot.aggregate is not None and snapshot.aggregate.branch.state.succeeded
    assert snapshot.status is RunStatus.PARTIAL


def test_it_does_find_fault_with_a_client_that_deserves_it(judge: Judge) -> None:
    expected(judge)
    with OpenAI(base_url=judge.base_url, api_key="sk-naive", max_retries=0) as naive:
        stream = naive.chat.completions.create(
            model="m-truncates", messages=[{"role": "user", "content": "rain"}], stream=True
        )
        assert [chunk.choices[0].finish_reason for chunk in stream][-1] is None
    assert any("truncated_stream_accepted" in one for one in judge.findings())
