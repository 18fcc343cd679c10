"""Any mix of faults, Stops, retries, fallbacks, hedges, fan-ins and budgets ends, and adds up."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from fanout.budget.amount import Amount
from fanout.endpoint import Endpoint
from fanout.engine.endpoints import EndpointBook
from fanout.engine.engine import Engine
from fanout.engine.handle import RunHandle
from fanout.events import BranchFinished, RunFinished, RunResumed
from fanout.export.importing_order import picture
from fanout.policies import EndpointPolicy
from fanout.providers.base import ChatRequest, Embedded, StreamItem
from fanout.providers.script import Fault, Reply, Rule, Script
from fanout.providers.scripted import Scripted
from fanout.snapshot import Branch
from fanout.types import BranchId, BranchState, EndpointId, ModelRef, Price
from fanout.workflows.definition import Workflow
from fanout.workflows.parsing import parse
from tests.faults.leaks import settled, tasks_of

HERE, THERE = EndpointId("here"), EndpointId("there")
MODEL = ModelRef(endpoint=HERE, model="m")
NAMES = ("a", "b", "c", "d", "e")
TEXT = "One two three four five six seven."
REPLIES = (
    Reply(text=TEXT),
    Reply(text=TEXT),
    Reply(text=TEXT, first_token_s=0.08),
    Reply(text=TEXT * 2, tokens_per_s=150),
    Reply(text=TEXT, reasoning="Let me think about it.", tokens_per_s=300),
    Reply(text='{"reason": "fine", "clarity": 4}'),
    Reply(status=429, retry_after="0.03"),
    Reply(status=500),
    Reply(status=503, retry_after="0.02"),
    Reply(status=401),
    Reply(status=402),
    Reply(status=400, message="response_format is not supported"),
    *(
        Reply(text=TEXT, fault=fault)
        for fault in (
            Fault.RESET,
            Fault.DROPPED,
            Fault.NO_FINISH,
            Fault.BAD_JSON,
            Fault.ERROR_IN_STREAM,
            Fault.HTML_PAGE,
            Fault.EMPTY,
            Fault.REFUSAL,
            Fault.CONTENT_FILTER,
            Fault.ALL_REASONING,
            Fault.NO_USAGE,
            Fault.STALL_FIRST,
            Fault.STALL_MIDWAY,
        )
    ),
)


class Changing:
    """A provider that plays another script for each example, under one gate with one history."""

    def __init__(self) -> None:
        self.now = Scripted()

    def stream(
        self, request: ChatRequest
    ) -> AbstractAsyncContextManager[AsyncIterator[StreamItem]]:
        return self.now.stream(request)

    async def embed(self, model: str, texts: Sequence[str]) -> Embedded:
        return await self.now.embed(model, texts)

    async def aclose(self) -> None:
        """Nothing to release."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """What a person does once so many events have happened."""

    after: int
    branch: str | None
    """Whom it stops; None stops the run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """One run, what its endpoints do to it, and what a person does."""

    topic: str
    workflow: Workflow
    rules: tuple[Rule, ...]
    acts: tuple[Act, ...]
    again: tuple[str | None, ...]
    """What is asked again once the run has ended: a branch, or None for all that is missing."""


@st.composite
def crowds(draw: st.DrawFn) -> tuple[Schedule, ...]:
    """Runs that go on at the same time."""
    return tuple(draw(schedules(f"rain{n}.")) for n in range(draw(st.integers(1, 3))))


@st.composite
def schedules(draw: st.DrawFn, topic: str) -> Schedule:
    names = NAMES[: draw(st.integers(1, len(NAMES)))]
    replies = st.lists(st.sampled_from(REPLIES), min_size=1, max_size=4).map(tuple)
    rules = tuple(
        Rule(prompt=prompt, replies=draw(replies))
        for prompt in (*(f"Part {name} of {topic}" for name in names), f"Combine for {topic}")
    )
    who = st.sampled_from([None, *names])
    acts = st.builds(Act, after=st.integers(1, 40), branch=who)
    return Schedule(
        topic=topic,
        workflow=draw(workflows(names)),
        rules=rules,
        acts=tuple(sorted(draw(st.lists(acts, max_size=2)), key=lambda act: act.after)),
        again=tuple(draw(st.lists(who, max_size=2))),
    )


@st.composite
def workflows(draw: st.DrawFn, names: Sequence[str]) -> Workflow:
    judged = draw(st.sampled_from([False, False, True]))
    policies: dict[str, object] = {
        "retries": {
            "attempts": draw(st.integers(1, 4)),
            "first_wait_s": 0.02,
            "restarts": draw(st.integers(0, 2)),
        },
        "hedging": {"enabled": draw(st.booleans()), "least_s": 0.05, "share": 0.5},
        "fan_in": draw(st.sampled_from([{}, {}, {"k": 1}, {"k": 2}, {"deadline_s": 0.1}])),
        "prefix": draw(st.sampled_from(["off", "on"])),
        "budget": draw(st.sampled_from([{}, {}, {}, {"tokens": 2_500}, {"usd": "0.008"}])),
    }
    if draw(st.sampled_from([False, False, False, True])):
        policies["run_s"] = 0.3
    data: dict[str, object] = {
        "title": "Any",
        "shared": "What all of them share. " * 20,
        "deadlines": {"first_token_s": 0.2, "idle_s": 0.2, "total_s": 1.0},
        "policies": policies,
        "defaults": {
            "max_tokens": 200,
            "fallback": draw(st.sampled_from([[], ["there/m"], ["other", "there/m"]])),
        },
    }
    more = ""
    if judged:
        more = "{rubric} {task} {content}"
        data |= {"kind": "judges", "rubric": [{"id": "clarity", "title": "Clarity"}]}
        data["aggregate"] = {"kind": "scores", "title": "Judgement"}
    else:
        combining = draw(st.sampled_from([None, "synthesis", "synthesis", "concatenation", "best"]))
        if combining:
            data["aggregate"] = {"kind": combining, "prompt": "Combine for {topic} {results}"}
    data["branches"] = [
        {"id": name, "title": name.upper(), "prompt": f"Part {name} of {{topic}} {more}"}
        for name in names
    ]
    return parse(data, name="any")


@dataclass(slots=True)
class World:
    engine: Engine
    here: Changing
    there: Changing
    tasks: int

    def play(self, crowd: tuple[Schedule, ...]) -> list[RunHandle]:
        rules = tuple(rule for schedule in crowd for rule in schedule.rules)
        script = Script(rules=rules, otherwise=REPLIES[0])
        self.here.now, self.there.now = Scripted(script), Scripted(script)
        with ThreadPoolExecutor() as people:
            return list(people.map(self._one, crowd))

    def _one(self, schedule: Schedule) -> RunHandle:
        handle = self.engine.start(schedule.workflow, schedule.topic, MODEL)
        self._live(handle, schedule.acts)
        for branch in schedule.again:
            if handle.resume(None if branch is None else BranchId(branch)):
                self._live(handle, schedule.acts)
        return handle

    def _live(self, handle: RunHandle, acts: tuple[Act, ...]) -> None:
        """Follow the run to its end, doing what is to be done on the way."""
        left = list(acts)
        begun = len(handle.events)
        for seen, _ in enumerate(handle.follow()):
            while left and seen >= begun + left[0].after:
                branch = left.pop(0).branch
                handle.stop(None if branch is None else BranchId(branch))
        assert handle.wait(timeout_s=30).status.finished, "it never ends"


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    providers = {HERE: Changing(), THERE: Changing()}
    book = EndpointBook(lambda endpoint, _key: providers[endpoint.id])
    price = Price(input=Decimal(1), output=Decimal(10), source="test")
    for name, policy in (
        (HERE, EndpointPolicy(circuit_failures=0)),
        (THERE, EndpointPolicy(circuit_failures=3, circuit_s=0.05)),
    ):
        book.put(
            Endpoint(id=name, name=name, base_url="", slots=3, policy=policy, prices={"*": price})
        )
    with Engine(book) as engine:
        tasks = engine.call(tasks_of)
        found = World(engine, providers[HERE], providers[THERE], tasks)
        # Nothing is late before 20 first tokens are known.
        warm = {"title": "Warm", "branches": [{"id": f"w{n}", "title": f"W{n}"} for n in range(24)]}
        warm["prompt"] = "{topic}"
        found.here.now = Scripted(Script(otherwise=REPLIES[0]))
        assert engine.start(parse(warm, name="warm"), "rain", MODEL).wait(20).status.finished
        yield found


@given(crowd=crowds())
@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
def test_every_schedule_ends_and_adds_up(world: World, crowd: tuple[Schedule, ...]) -> None:
    handles = world.play(crowd)
    for handle in handles:
        snapshot = handle.snapshot
        note(
            f"{snapshot.status} {[(call.id, call.state, call.failure) for call in snapshot.calls]}"
        )
        _check_ends(handle)
        for go in snapshot.goes:
            _check_bill(go)
        assert picture(handle.events) == snapshot, "the fold of a legal order of events"
        meter = world.engine.budgets.meter(handle.id)
        assert meter is not None and meter.taken.reserved == Amount()
        assert meter.taken.spent.usd >= 0 and meter.taken.spent.tokens >= 0
    _check_given_back(world)


def _check_ends(handle: RunHandle) -> None:
    """Each call ends once each time that it is asked, and the run once each time it goes on."""
    snapshot, events = handle.snapshot, handle.events
    assert isinstance(events[-1], RunFinished)
    ends = sum(isinstance(event, RunFinished) for event in events)
    assert ends == 1 + sum(isinstance(event, RunResumed) for event in events)
    finished = Counter(event.id for event in events if isinstance(event, BranchFinished))
    for branch in snapshot.branches:
        assert branch.state.finished
        assert finished[branch.id] == len(branch.goes)
    for made in snapshot.aggregates:
        for call in made.calls:
            assert call.state.finished or call.state is BranchState.READY
    for call in snapshot.calls:
        assert all(hedge.settled for hedge in call.hedges)
        if call.state in (BranchState.FAILED, BranchState.TIMED_OUT):
            assert call.failure is not None and call.failure.message.endswith((".", "/v1."))
            assert call.failure.kind != "bug", call.failure
    assert snapshot.failure is None, snapshot.failure


def _check_bill(go: Branch) -> None:
    assert go.attempts >= 0 and go.thought >= 0
    if go.usage is not None:
        assert 0 <= go.usage.cached <= go.usage.input and go.usage.output >= 0
    if go.cost is not None:
        assert go.cost.usd >= 0
    if go.state.succeeded and go.plan.messages and go.attempts:
        assert go.usage is not None and go.usage.input > 0, "an answer is never free of tokens"


def _check_given_back(world: World) -> None:
    for health in world.engine.endpoints.health():
        assert (health.in_flight, health.waiting) == (0, 0)
        assert 1 <= health.allowed <= health.slots
    assert (world.here.now.streaming, world.there.now.streaming) == (0, 0)
    assert settled(lambda: world.engine.call(tasks_of) == world.tasks), "a task was left behind"
