"""What doctor says of a PostgreSQL server, which it looks at and leaves as it is."""

from __future__ import annotations

from pathlib import Path

from fanout.doctor.examination import examine
from fanout.doctor.findings import Finding, Level
from fanout.store.migrations import HEAD
from fanout.store.store import Store
from tests.rig import free_port


def found(home: Path, group: str, url: str) -> list[Finding]:
    env = {"FANOUT_HOME": str(home), "FANOUT_DATABASE_URL": url}
    return [one for one in examine(env, port=free_port(), places=()) if one.group == group]


def test_a_database_server_is_looked_at_and_not_touched(tmp_path: Path, postgres_url: str) -> None:
    server, clock, tables = found(tmp_path, "Database", postgres_url)
    assert server.text.startswith("PostgreSQL 1") and "pass" not in server.text
    assert clock.level is Level.FINE and "differs by 0." in clock.text
    assert tables.level is Level.NOTE, "nothing was made"
    (system,) = found(tmp_path, "Batches", postgres_url)
    assert system.level is Level.NOTE
    Store.open(tmp_path, postgres_url).close()
    assert found(tmp_path, "Database", postgres_url)[-1].text == f"Its tables are today's ({HEAD})"
    (redis,) = found(tmp_path, "Redis", postgres_url)
    assert redis.text == "Not set: rates are counted in the PostgreSQL database"


def test_a_database_that_is_not_there_is_told_without_the_password(
    tmp_path: Path, postgres_address: str
) -> None:
    (wrong,) = found(tmp_path, "Database", f"{postgres_address}/nowhere")
    assert wrong.level is Level.BROKEN and "does not exist there" in wrong.text
    assert "pass" not in wrong.text
