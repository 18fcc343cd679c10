"""One branch's trouble is its own: for every kind of failure, its siblings finish untouched."""

from __future__ import annotations

import pytest

from fanout.providers.script import Fault, Reply
from fanout.types import BranchId, BranchState, FailureKind, RunStatus
from tests.rig import QUICK, rig, script, trio

SHORT = {"first_token_s": 1.0, "idle_s": 1.0, "total_s": 15.0}
"""They hold for the siblings too, which a busy machine may keep for a while."""

FAILURES = {
    "a wrong key": (Reply(status=401), FailureKind.AUTH),
    "no credit": (Reply(status=402), FailureKind.QUOTA),
    "rate limited": (Reply(status=429, retry_after="0.05"), FailureKind.RATE_LIMIT),
    "an unknown model": (Reply(status=404, code="model_not_found"), FailureKind.UNKNOWN_MODEL),
    "a broken server": (Reply(status=500), FailureKind.SERVER),
    "nobody there": (Reply(fault=Fault.REFUSED_CONNECTION), FailureKind.CONNECTION),
    "dropped in mid-answer": (Reply(fault=Fault.DROPPED), FailureKind.CONNECTION),
    "no finish reason": (Reply(fault=Fault.NO_FINISH), FailureKind.TRUNCATED),
    "bad JSON": (Reply(fault=Fault.BAD_JSON), FailureKind.BAD_RESPONSE),
    "a web page": (Reply(fault=Fault.HTML_PAGE), FailureKind.BAD_RESPONSE),
    "an empty answer": (Reply(fault=Fault.EMPTY), FailureKind.EMPTY),
    "a refusal": (Reply(fault=Fault.REFUSAL), FailureKind.REFUSED),
    "no first token": (Reply(fault=Fault.STALL_FIRST), FailureKind.TIMEOUT_FIRST_TOKEN),
    "silence in mid-answer": (Reply(fault=Fault.STALL_MIDWAY), FailureKind.TIMEOUT_IDLE),
}


@pytest.mark.parametrize(("reply", "kind"), FAILURES.values(), ids=FAILURES.keys())
def test_a_failed_branch_leaves_its_siblings_alone(reply: Reply, kind: FailureKind) -> None:
    with rig(script(poem=reply)) as here:
        snapshot = here.run(trio(deadlines=SHORT))
    poem = snapshot.branch(BranchId("poem"))
    assert poem.failure is not None
    assert poem.failure.kind is kind
    assert poem.state is (BranchState.TIMED_OUT if poem.failure.timed_out else BranchState.FAILED)
    for sibling in ("joke", "story"):
        assert snapshot.branch(BranchId(sibling)).text == QUICK.text
        assert snapshot.branch(BranchId(sibling)).state is BranchState.DONE
    assert snapshot.status is RunStatus.PARTIAL
    assert snapshot.aggregate is not None
    word = "timed out" if poem.failure.timed_out else "failed"
    assert snapshot.aggregate.heading == f"Synthesis of 2 of 3: Poem {word}"
    assert snapshot.aggregate.used == ("joke", "story")


def test_a_bug_in_one_branch_is_its_own_failure() -> None:
    with rig(script()) as here:
        stream = here.provider.stream

        def faulty(request):  # a provider that breaks the protocol's promise
            if "poem" in request.messages[-1].content and "Combine" not in str(request.messages):
                raise ZeroDivisionError("not a ProviderError")
            return stream(request)

        here.provider.stream = faulty  # type: ignore[method-assign]
        snapshot = here.run(trio())
    poem = snapshot.branch(BranchId("poem"))
    assert poem.failure is not None
    assert poem.failure.kind is FailureKind.BUG
    assert "ZeroDivisionError" in poem.failure.message
    assert snapshot.status is RunStatus.PARTIAL


def test_text_before_a_failure_is_kept() -> None:
    cut = Reply(text="one two three four five six", fault=Fault.NO_FINISH, fault_after=3)
    with rig(script(poem=cut)) as here:
        snapshot = here.run(trio())
    assert snapshot.branch(BranchId("poem")).text == "one two three"


def test_all_failed_pretends_no_aggregate() -> None:
    with rig(script(otherwise=Reply(status=401))) as here:
        snapshot = here.run(trio())
        asked = len(here.provider.requests)
    assert snapshot.status is RunStatus.FAILED
    assert snapshot.aggregate is None
    assert asked == 3, "the combining call must not be made"


def test_a_failed_combining_call_keeps_the_branches() -> None:
    with rig(script(combine=Reply(status=401))) as here:
        snapshot = here.run(trio())
    assert snapshot.status is RunStatus.PARTIAL
    assert snapshot.aggregate is not None
    assert snapshot.aggregate.branch.failure is not None
    assert all(branch.state is BranchState.DONE for branch in snapshot.branches)


def test_a_concatenation_makes_no_call() -> None:
    joined = {"kind": "concatenation", "title": "All", "prompt": "{results}"}
    with rig(script()) as here:
        snapshot = here.run(trio(aggregate=joined))
        asked = len(here.provider.requests)
    assert asked == 3
    assert snapshot.status is RunStatus.SUCCEEDED
    assert snapshot.aggregate is not None
    assert snapshot.aggregate.branch.text.count(str(QUICK.text)) == 3
