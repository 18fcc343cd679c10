"""A database that says nothing any more, without closing anything: nobody stands still for it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

import anyio
import psycopg
import pytest
from anyio.to_thread import run_sync
from sqlalchemy.engine import make_url

from fanout.policies import EndpointPolicy
from fanout.store.database import postgresql_engine
from fanout.traffic.database_place import DatabasePlace
from fanout.traffic.elsewhere import TAKE_S, Elsewhere
from fanout.traffic.gate import EndpointGate
from fanout.traffic.lane import Lane, Place
from fanout.traffic.quota import Limits
from fanout.traffic.shared import shared_place
from fanout.types import RunId
from tests.processes.silence import SilentWay, silent_way
from tests.processes.waiting import until
from tests.traffic.rig import endpoint, ignore, succeed

HOLD_UP_S = TAKE_S + 2
"""What a call is held up for at most, on a busy machine."""


@pytest.fixture
def way(postgres_url: str) -> Iterator[SilentWay]:
    port = make_url(postgres_url).port
    assert port is not None
    with silent_way(port) as way:
        yield way


@pytest.fixture
def place(postgres_url: str, way: SilentWay) -> Iterator[Place]:
    through = make_url(postgres_url).set(port=way.port)
    place = shared_place(database_url=through.render_as_string(hide_password=False))
    assert isinstance(place, DatabasePlace)
    yield place
    way.speaks.set()
    until(lambda: not place._engine.pool.checkedout(), what="what was left to its thread")  # type: ignore[attr-defined]
    place.close()


async def test_calls_go_by_this_processs_own_count(place: Place, way: SilentWay) -> None:
    gate = EndpointGate(endpoint(policy=EndpointPolicy(requests_per_minute=100)), place)
    await succeed(gate)
    way.speaks.clear()
    with anyio.fail_after(HOLD_UP_S):
        await succeed(gate)
    assert "says nothing" in gate.health().shared_problem
    with anyio.fail_after(1):
        await succeed(gate)


async def test_a_call_that_is_stopped_meanwhile_is_let_go(place: Place, way: SilentWay) -> None:
    gate = EndpointGate(endpoint(), place)
    await succeed(gate)
    way.speaks.clear()
    with anyio.fail_after(HOLD_UP_S):
        with anyio.move_on_after(0.1) as stopped:
            async with gate.admit(run=RunId("run"), model="m", tokens=1, held=ignore):
                pytest.fail("nothing says that it may go")
        assert stopped.cancelled_caught


async def test_what_is_taken_when_nobody_waits_any_more_is_given_back(
    place: Place, way: SilentWay
) -> None:
    lane = Lane(place, endpoint(), 60.0)
    elsewhere = Elsewhere(lane, place.name, again_s=0.0)
    assert await elsewhere.take(Limits(), 1) is not None
    way.speaks.clear()
    assert await elsewhere.take(Limits(requests=2), 1) is None
    way.speaks.set()
    fits = lambda: lane.take(Limits(requests=2), 1).wait_s == 0  # noqa: E731
    await run_sync(until, fits)
    assert not fits(), "it was one too many only for as long as nobody knew"


async def test_a_debt_is_not_waited_for_by_every_call(place: Place, way: SilentWay) -> None:
    elsewhere = Elsewhere(Lane(place, endpoint(), 60.0), place.name)
    assert await elsewhere.take(Limits(), 1) is not None
    way.speaks.clear()
    elsewhere.pause(30.0)
    with anyio.fail_after(HOLD_UP_S):
        await elsewhere.pay()
    with anyio.fail_after(0.5):
        await elsewhere.pay()
    assert "says nothing" in elsewhere.problem


def test_the_record_notices_a_server_that_went_away_without_a_word(postgres_url: str) -> None:
    engine = postgresql_engine(make_url(postgres_url).set(drivername="postgresql+psycopg"))
    with engine.connect() as connection:
        line = cast("psycopg.Connection", connection.connection.dbapi_connection)
        told = line.info.get_parameters()
    assert told["tcp_user_timeout"] == "10000"
    engine.dispose()
