"""The places that processes share: a real Redis, a real PostgreSQL, a file of SQLite."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from redis import Redis

from fanout.traffic.lane import Place
from fanout.traffic.shared import shared_place
from tests.store import postgres
from tests.traffic import redis_server

NO_POSTGRES = os.environ.get(postgres.WITHOUT, "")
NO_REDIS = os.environ.get(redis_server.WITHOUT, "")
"""Read now: the session's own conftest empties the environment of most variables."""


@pytest.fixture(scope="session")
def redis_address() -> Iterator[str]:
    program = redis_server.installed()
    if program is None:
        _without("Redis", "redis-server", redis_server.WITHOUT, NO_REDIS)
        return
    with redis_server.server(program) as address:
        yield address


@pytest.fixture(scope="session")
def traffic_postgres() -> Iterator[str]:
    programs = postgres.installed()
    if programs is None:
        _without("PostgreSQL", "postgresql", postgres.WITHOUT, NO_POSTGRES)
        return
    with postgres.cluster(programs) as address:
        yield address


@pytest.fixture
def redis_url(redis_address: str) -> str:
    """An empty Redis."""
    with Redis.from_url(redis_address) as client:
        client.flushall()
    return redis_address


@pytest.fixture
def postgres_url(traffic_postgres: str) -> Iterator[str]:
    """An empty database."""
    with postgres.database(traffic_postgres) as url:
        yield url


@pytest.fixture(params=["redis", "postgresql", "sqlite"])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, str]:
    """FANOUT_REDIS_URL and FANOUT_DATABASE_URL."""
    if request.param == "redis":
        return request.getfixturevalue("redis_url"), ""
    if request.param == "postgresql":
        return "", request.getfixturevalue("postgres_url")
    return "", f"sqlite:///{tmp_path / 'traffic.db'}"


@pytest.fixture
def places(address: tuple[str, str]) -> Iterator[tuple[Place, Place]]:
    """The same place as two processes see it."""
    redis_url, database_url = address
    one = shared_place(redis_url=redis_url, database_url=database_url)
    other = shared_place(redis_url=redis_url, database_url=database_url)
    assert one is not None
    assert other is not None
    yield one, other
    one.close()
    other.close()


def _without(what: str, package: str, variable: str, wanted: str) -> None:
    if wanted:
        pytest.skip(f"{what} is not installed, and {variable} is set")
    pytest.fail(
        f"{what} is not installed, so some of these tests can't run. Install it (apt install "
        f"{package}), or set {variable}=1 to go without.",
        pytrace=False,
    )
