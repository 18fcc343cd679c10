"""A process that serves others and the PostgreSQL that it was given: not there yet, or never."""

from __future__ import annotations

import logging
import secrets
from pathlib import Path
from time import monotonic

import psycopg
import pytest

from fanout.endpoint import Secret
from fanout.engine.openings import awaited_store
from fanout.engine.runtime import Runtime
from fanout.errors import SettingsError
from fanout.settings import Settings
from tests.rig import free_port


class _Making(logging.Handler):
    """Makes the database when it is told that it is missing."""

    def __init__(self, address: str, name: str) -> None:
        super().__init__(logging.ERROR)
        self._address, self._name = address, name
        self.told: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.told.append(record.getMessage())
        with psycopg.connect(f"{self._address}/postgres", autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {self._name}".encode())


def test_a_database_that_comes_within_the_wait_is_used_and_the_wait_is_told(
    tmp_path: Path, postgres_address: str
) -> None:
    name = f"late_{secrets.token_hex(4)}"
    making = _Making(postgres_address, name)
    log = logging.getLogger("fanout.engine.openings")
    log.addHandler(making)
    try:
        settings = Settings(home=tmp_path, database_url=Secret(f"{postgres_address}/{name}"))
        store = awaited_store(settings)
    finally:
        log.removeHandler(making)
    assert store is not None and store.kept
    store.close()
    (told,) = making.told
    assert "does not exist there. It is tried again for 30 s." in told and "pass" not in told
    with psycopg.connect(f"{postgres_address}/postgres", autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


def test_one_that_stays_away_is_refused_and_not_replaced_by_memory(tmp_path: Path) -> None:
    url = f"postgresql://u:p4ssw0rd@127.0.0.1:{free_port()}/f"
    settings = Settings(home=tmp_path, database_url=Secret(url))
    with pytest.raises(SettingsError, match="nothing answers there") as caught:
        awaited_store(settings, wait_s=0)
    assert "p4ssw0rd" not in str(caught.value)


def test_what_no_waiting_mends_is_refused_at_once(tmp_path: Path) -> None:
    begun = monotonic()
    env = {"FANOUT_HOME": str(tmp_path), "FANOUT_DATABASE_URL": "mysql://u:p4ssw0rd@h/n"}
    with pytest.raises(SettingsError, match="no address of a PostgreSQL"):
        Runtime.from_environment(env)
    assert monotonic() - begun < 10


def test_without_an_address_there_is_nothing_to_wait_for(tmp_path: Path) -> None:
    assert awaited_store(Settings(home=tmp_path)) is None
