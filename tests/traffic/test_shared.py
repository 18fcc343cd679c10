"""Rates and pauses over several processes: in Redis, in PostgreSQL, in a file of SQLite."""

from __future__ import annotations

import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import anyio
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyrate_limiter import InMemoryStateStore

from fanout.errors import SettingsError
from fanout.policies import EndpointPolicy, Hedging, HoldReason
from fanout.traffic.elsewhere import Elsewhere
from fanout.traffic.gate import EndpointGate
from fanout.traffic.lane import Lane, Place
from fanout.traffic.ledger import Ledger
from fanout.traffic.quota import Limits
from fanout.traffic.redis_place import RedisPlace
from fanout.traffic.shared import shared_place
from fanout.types import RunId, Usage
from tests.rig import free_port
from tests.traffic import redis_server
from tests.traffic.rig import Call, endpoint, fail, ignore, limited_to, succeed

ROOT = Path(__file__).resolve().parents[2]
MINUTE_S = 0.6
FEW_TOKENS = EndpointPolicy(tokens_per_minute=1000)


def test_two_processes_together_stay_within_the_quota(address: tuple[str, str]) -> None:
    command = [sys.executable, "-m", "tests.traffic.sender", *address, "6", str(MINUTE_S), "6"]
    processes = [
        subprocess.Popen(command, cwd=ROOT, stdin=-1, stdout=-1, text=True) for _ in range(2)
    ]
    try:
        for process in processes:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
        for process in processes:
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
        outputs = [process.communicate(timeout=20)[0] for process in processes]
    finally:
        for process in processes:
            process.kill()
            process.wait()
    assert [process.returncode for process in processes] == [0, 0]
    lines = [line.split() for output in outputs for line in output.splitlines()]
    for gate in ("requests", "tokens"):
        times = [(int(before), int(after)) for name, before, after in lines if name == gate]
        assert len(times) == 12
        for began, _ in times:
            surely = [t for t in times if began <= t[0] and t[1] < began + MINUTE_S * 1000]
            assert len(surely) <= 6


async def test_a_pause_of_one_process_holds_for_the_other(places: tuple[Place, Place]) -> None:
    one, other = (EndpointGate(endpoint(), place) for place in places)
    await succeed(other)
    began_s = anyio.current_time()
    await fail(one, limited_to(0.6))
    call = Call(gate=other)
    call.answer.set()
    with anyio.fail_after(5):
        await call.go()
    assert call.at_s - began_s >= 0.6
    assert call.reasons == [HoldReason.PAUSE]


async def test_who_will_not_wait_ends_the_pause_of_all(places: tuple[Place, Place]) -> None:
    one, other = (EndpointGate(endpoint(), place) for place in places)
    await fail(one, limited_to(900.0))
    one.try_now()
    await succeed(one)
    await succeed(other)


async def test_a_shorter_pause_of_another_process_does_not_end_a_longer_one(
    places: tuple[Place, Place],
) -> None:
    one, other = (Lane(place, endpoint(), 60.0) for place in places)
    now_ms = time.time_ns() // 1_000_000
    one.pause(now_ms + 30_000)
    other.pause(now_ms + 1_000)
    assert other.take(Limits(), 1).paused_s > 25


async def test_what_one_process_gives_back_the_other_may_take(places: tuple[Place, Place]) -> None:
    one, other = (EndpointGate(endpoint(policy=FEW_TOKENS), place) for place in places)
    waits = Call(gate=other, tokens=800)
    async with one.admit(run=RunId("a"), model="m", tokens=900, held=ignore) as permit:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(waits.go)
            with anyio.fail_after(5):
                await waits.waits.wait()
            waits.scope.cancel()
        assert waits.reasons == [HoldReason.RATE]
        permit.succeeded(Usage(input=50, output=50))
    goes = Call(gate=other, tokens=800)
    goes.answer.set()
    with anyio.fail_after(5):
        await goes.go()
    assert goes.told == []


async def test_a_wait_that_was_cancelled_spends_nothing_there_either(
    places: tuple[Place, Place],
) -> None:
    policy = EndpointPolicy(requests_per_minute=3, tokens_per_minute=1000)
    one, other = (EndpointGate(endpoint(policy=policy), place) for place in places)
    for _ in range(20):
        with anyio.CancelScope() as scope:
            scope.cancel()
            await succeed(one)
    async with anyio.create_task_group() as tasks:
        for _ in range(20):
            tasks.start_soon(succeed, one)
            await anyio.lowlevel.checkpoint()
            tasks.cancel_scope.cancel()
    await succeed(one)
    with anyio.fail_after(5):
        await succeed(other)


async def test_two_endpoints_do_not_share(places: tuple[Place, Place]) -> None:
    for url in ("https://a.example.com/v1", "https://b.example.com/v1"):
        lane = Lane(places[0], replace(endpoint(), base_url=url), 60.0)
        assert lane.take(Limits(requests=1), 1).wait_s == 0
        assert lane.take(Limits(requests=1), 1).wait_s > 0


async def test_nothing_is_hedged_where_its_rate_could_not_be_asked_for(
    places: tuple[Place, Place],
) -> None:
    free, limited = endpoint(), endpoint(policy=FEW_TOKENS)
    hedging = Hedging(enabled=True, share=1.0)
    for known, expected in ((free, True), (limited, False)):
        gate = EndpointGate(known, places[0])
        await succeed(gate)
        permit = gate.hedge(model="m", tokens=1, hedging=hedging)
        assert (permit is not None) is expected


STEPS = st.lists(st.tuples(st.integers(0, 30_000), st.integers(-5, 12), st.booleans()), max_size=25)


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(limit=st.integers(1, 15), steps=STEPS)
def test_redis_counts_as_this_process_does(
    redis_address: str, limit: int, steps: list[tuple[int, int, bool]]
) -> None:
    place = RedisPlace(redis_address)
    there = Ledger(place.store(f"test:{time.time_ns()}"), 60.0)
    here = Ledger(InMemoryStateStore(), 60.0)
    now_ms = 1_700_000_000_000
    for gap_ms, weight, forced in steps:
        now_ms += gap_ms
        if forced or weight <= 0:
            at_ms = now_ms - gap_ms
            there.count(weight, at_ms)
            here.count(weight, at_ms)
        else:
            assert there.take(limit, weight, now_ms) == here.take(limit, weight, now_ms)
    place.close()


async def test_a_place_that_is_not_there_leaves_each_process_its_own_limits() -> None:
    policy = EndpointPolicy(requests_per_minute=2)
    place = RedisPlace(f"redis://:{redis_server.PASSWORD}@127.0.0.1:{free_port()}/0")
    gate = EndpointGate(endpoint(policy=policy), place)
    await succeed(gate)
    await succeed(gate)
    call = Call(gate=gate)
    with anyio.move_on_after(0.1):
        await call.go()
    assert call.reasons == [HoldReason.RATE]
    health = gate.health()
    assert health.shared == "Redis"
    assert "does not answer" in health.shared_problem
    assert redis_server.PASSWORD not in health.shared_problem


async def test_a_place_that_comes_back_is_used_again_and_told_what_is_owed(
    redis_address: str,
) -> None:
    program = redis_server.installed()
    assert program is not None
    port = free_port()
    place = RedisPlace(f"redis://:{redis_server.PASSWORD}@127.0.0.1:{port}/0")
    elsewhere = Elsewhere(Lane(place, endpoint(), 60.0), place.name, again_s=0.0)
    assert await elsewhere.take(Limits(), 1) is None
    elsewhere.pause(30.0)
    await elsewhere.pay()
    assert elsewhere.problem
    with redis_server.server(program, port):
        await elsewhere.pay()
        taken = await elsewhere.take(Limits(), 1)
        assert taken is not None
        assert taken.paused_s > 20
        assert elsewhere.problem == ""
    place.close()


def test_without_an_address_nothing_is_shared_and_redis_comes_first() -> None:
    assert shared_place() is None
    both = shared_place(redis_url="redis://127.0.0.1:1/0", database_url="sqlite:////tmp/x.db")
    assert both is not None
    assert both.name == "Redis"


@pytest.mark.parametrize(
    ("redis", "database"), [("my:secret@host", ""), ("", "mysql://me:secret@host/db"), ("", "::")]
)
def test_what_is_no_address_is_told_without_its_password(redis: str, database: str) -> None:
    with pytest.raises(SettingsError) as caught:
        shared_place(redis_url=redis, database_url=database)
    assert "secret" not in str(caught.value)
