"""One suite, two databases: every test that takes `store_url` runs on SQLite and on PostgreSQL."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from fanout.store.store import Store
from tests.store import postgres

NO_POSTGRES = os.environ.get(postgres.WITHOUT, "")
"""Read now: the session's own conftest empties the environment of FANOUT_ variables."""


@pytest.fixture(scope="session")
def postgres_address() -> Iterator[str]:
    """A running server; asked for only by tests that need one."""
    programs = postgres.installed()
    if programs is None:
        if NO_POSTGRES:
            pytest.skip(f"PostgreSQL is not installed, and {postgres.WITHOUT} is set")
        pytest.fail(
            "PostgreSQL is not installed, so half of these tests can't run. Install it "
            f"(apt install postgresql), or set {postgres.WITHOUT}=1 to go without.",
            pytrace=False,
        )
    with postgres.cluster(programs) as address:
        yield address


@pytest.fixture
def postgres_url(postgres_address: str) -> Iterator[str]:
    """An empty PostgreSQL database for this test alone."""
    with postgres.database(postgres_address) as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest) -> str:
    """What FANOUT_DATABASE_URL says: nothing for SQLite, else an empty database."""
    if request.param == "sqlite":
        return ""
    url: str = request.getfixturevalue("postgres_url")
    return url


@pytest.fixture
def open_store(fanout_home: Path, store_url: str) -> Iterator[Callable[[], Store]]:
    """Opens another store on the same database, as a second process would."""
    opened: list[Store] = []

    def another() -> Store:
        opened.append(Store.open(fanout_home, store_url))
        return opened[-1]

    yield another
    for store in opened:
        store.close()


@pytest.fixture
def store(open_store: Callable[[], Store]) -> Store:
    return open_store()
