"""What a program gives wrongly is told at once, in words: which field, and what to do instead."""

from __future__ import annotations

from collections.abc import Callable
from typing import get_args

import anyio
import pytest

import fanout
from fanout.providers.script import Reply, Script
from fanout.providers.scripted_server import serving
from fanout.workflows.baseline import single_prompt
from fanout.workflows.parsing import checked
from fanout.workflows.single import single

FINE = Script(otherwise=Reply(text="Fine words."))
BRANCH = fanout.BranchSpec(id="for", title="For", prompt="The best case for: {topic}")


def debate() -> fanout.Sectioning:
    return fanout.Sectioning(name="debate", title="Debate", branches=(BRANCH,))


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (
            lambda: fanout.Sectioning(name="none", title="None", branches=()),
            'Sectioning "none": branches needs at least one entry',
        ),
        (
            lambda: fanout.BranchSpec(id="a", title="A", temperature=9),
            'BranchSpec "a": temperature input should be less than or equal to 2',
        ),
        (
            lambda: fanout.BranchSpec(id="a", title="A", promt="x"),  # type: ignore[call-arg]
            'BranchSpec "a": promt is not a known field',
        ),
        (
            lambda: fanout.Sectioning(
                name="n",
                title="N",
                branches=({"id": "a", "title": "", "prompt": "x"},),  # type: ignore[arg-type]
            ),
            'Sectioning "n": branch 1: title is empty',
        ),
        (
            lambda: fanout.AggregateSpec(fallback=("other",) * 6),
            "AggregateSpec: fallback has more than 5 entries",
        ),
        (lambda: fanout.RetrySpec(attempts=0), "RetrySpec: attempts input should be greater"),
        (lambda: fanout.Models(name="m", title="M"), "prompt is missing"),
    ],
)
def test_a_workflow_made_in_code_names_the_field_that_is_wrong(
    make: Callable[[], object], said: str
) -> None:
    with pytest.raises(fanout.DefinitionError) as raised:
        make()
    assert str(raised.value).startswith(said)
    assert "pydantic" not in str(raised.value)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"branches": ()}, "branches needs at least one entry"),
        ({"branches": "x"}, "branches input should be a valid tuple"),
        ({"title": 3}, "title should be text"),
        ({"nosuch": 1}, "nosuch is not a known field"),
        ({"name": None}, "name should be text"),
        (
            {"branches": (BRANCH.model_copy(update={"temperature": 9}),)},
            "branch 1: temperature input should be less",
        ),
        (
            {"branches": (BRANCH.model_copy(update={"prompt": "{nothing}"}),)},
            'branch "for": prompt',
        ),
    ],
)
def test_a_changed_copy_is_looked_at_before_anything_is_asked(
    changes: dict[str, object], said: str
) -> None:
    wrong = debate().model_copy(update=changes)
    with serving(FINE) as server:
        with pytest.raises(fanout.DefinitionError) as raised:
            fanout.run_sync(wrong, topic="rain", endpoint=server.base_url, model="m")
        assert not server.requests
    assert said in str(raised.value)


def test_a_changed_copy_that_is_right_runs_as_it_was_changed() -> None:
    changed = fanout.shipped().get("creative-trio").model_copy(update={"branches": [BRANCH]})
    with serving(FINE) as server:
        result = fanout.run_sync(changed, topic="rain", endpoint=server.base_url, model="m")
    assert list(result.branches) == ["for"]
    assert result.status is fanout.RunStatus.SUCCEEDED


@pytest.mark.parametrize("workflow", fanout.shipped().workflows, ids=lambda one: one.name)
def test_looking_anew_changes_nothing_of_what_is_right(workflow: fanout.Workflow) -> None:
    for one in (workflow, single_prompt(workflow), single(workflow, workflow.active[0])):
        assert checked(one) == one


def test_a_topic_or_workflow_or_endpoint_of_another_type_is_refused() -> None:
    with serving(FINE) as server:

        def refused(workflow: object, topic: object, endpoint: object = server.base_url) -> str:
            with pytest.raises(fanout.FanoutError) as raised:
                fanout.run_sync(
                    workflow,  # type: ignore[arg-type]
                    topic=topic,  # type: ignore[arg-type]
                    endpoint=endpoint,  # type: ignore[arg-type]
                    model="m",
                )
            return str(raised.value)

        assert "topic has to be text" in refused(debate(), 3)
        assert "fanout.parse" in refused({"title": "Plain"}, "rain")
        assert "base URL" in refused(debate(), "rain", 3)
        assert not server.requests


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_run_sync_in_an_event_loop_points_at_run(backend: str) -> None:
    async def main() -> None:
        fanout.run_sync(debate(), topic="rain")

    with pytest.raises(RuntimeError, match=r"await fanout\.run"):
        anyio.run(main, backend=backend)


def test_stopping_a_branch_that_is_not_there_names_those_that_are() -> None:
    combined = debate().model_copy(update={"aggregate": fanout.AggregateSpec()})
    slow = Script(otherwise=Reply(text="word " * 400, tokens_per_s=40))
    with serving(slow) as server:

        async def main() -> fanout.Result:
            async with fanout.stream(
                combined, topic="rain", endpoint=server.base_url, model="m"
            ) as live:
                with pytest.raises(fanout.InputError, match=r'"nope".*for'):
                    live.stop("nope")
                live.stop("aggregate")
                live.stop("for")
                return await live.result()

        result = anyio.run(main)
    assert result.branches["for"].state is fanout.BranchState.STOPPED


def test_every_event_of_a_stream_has_a_public_name() -> None:
    for event in get_args(fanout.Event):
        assert getattr(fanout, event.__name__) is event
        assert event.__name__ in fanout.__all__
