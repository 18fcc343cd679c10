"""`python -m fanout doctor`: what it finds, what it says to do, and that it gives nothing away."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import create_engine, insert

from components.sign_in import setup
from fanout.doctor.configuration import configuration
from fanout.doctor.databases import _clocks, _revision
from fanout.doctor.examination import _guarded, examine
from fanout.doctor.findings import Finding, Group, Level, status
from fanout.doctor.people import lacks, sign_in
from fanout.providers.script import Reply, Script
from fanout.providers.scripted_server import serving
from fanout.settings import Settings
from fanout.store.migrations import HEAD
from fanout.store.schema_batches import batches, workers
from fanout.store.store import Store
from tests.command_line import fanout
from tests.rig import free_port

GROUP = Group(name="It")
SIGN_IN = {
    "redirect_uri": "https://fanout.example.com/oauth2callback",
    "cookie_secret": "x" * 40,
    "client_id": "id",
    "client_secret": "s3cret-of-the-client",
    "server_metadata_url": "http://127.0.0.1:9/.well-known/openid-configuration",
}


def levels(findings: Iterable[Finding], group: str) -> list[tuple[Level, str]]:
    return [(one.level, one.text) for one in findings if one.group == group]


def found(home: Path, **environment: str) -> list[Finding]:
    env = {"FANOUT_HOME": str(home), **environment}
    return list(examine(env, port=free_port(), places=(home,)))


def test_a_fresh_installation_is_fine(tmp_path: Path) -> None:
    findings = found(tmp_path)
    assert status(findings) == 0, [f for f in findings if f.level is not Level.FINE]
    assert {one.group for one in findings} >= {
        *("Settings", "Python", "Folder", "Database", "Batches", "Endpoint"),
        *("Model on this machine", "Ports", "Time and language"),
    }
    assert [path.name for path in tmp_path.iterdir()] == [], "it leaves nothing behind"


def test_it_prints_a_line_a_check_and_its_exit_status(fanout_home: Path) -> None:
    port = str(free_port())
    done = fanout("doctor", "--port", port)
    assert done.returncode == 0, done.stdout
    assert "\nFolder\n  ok      " in done.stdout
    assert done.stdout.endswith("\nEverything is fine.\n")
    mistyped = fanout("doctor", "--port", port, environment={"FANOUT_MAX_RUN": "3"})
    assert mistyped.returncode == 3
    assert (
        "  warning FANOUT_MAX_RUN: no such setting; did you mean FANOUT_MAX_RUNS?\n"
        "          > Rename or remove it.\n" in mistyped.stdout
    )
    assert mistyped.stdout.endswith("0 broken, 1 warning.\n")


def test_as_json_it_is_one_object(fanout_home: Path) -> None:
    done = fanout("doctor", "--json", "--offline", environment={"FANOUT_MAX_RUNS": "none"})
    said = json.loads(done.stdout)
    assert (done.returncode, said["status"]) == (1, 1)
    (wrong,) = [one for one in said["findings"] if one["level"] == "broken"]
    assert wrong["group"] == "Settings" and "FANOUT_MAX_RUNS is a whole number" in wrong["text"]
    assert wrong["todo"]


def test_every_wrong_setting_is_told_and_the_others_still_count(tmp_path: Path) -> None:
    (tmp_path / "fanout.toml").write_text("[limits]\nmax_runs = 0\nmax_branches = 9\n")
    env = {"FANOUT_HOME": str(tmp_path), "FANOUT_DAY_USD": "much", "OPENAI_BASE_URL": "x"}
    findings, settings = configuration(env, {})
    said = " ".join(one.text for one in findings if one.level is Level.BROKEN)
    assert "FANOUT_DAY_USD" in said and "OPENAI_BASE_URL" in said
    assert f"limits.max_runs ({tmp_path}/fanout.toml, line 2)" in said
    assert (settings.home, settings.bounds.branches) == (tmp_path, 9)


def test_a_settings_file_that_cannot_be_read_ends_no_other_check(tmp_path: Path) -> None:
    (tmp_path / "fanout.toml").write_text("[limits\n")
    findings = found(tmp_path)
    assert any("line 1" in text for level, text in levels(findings, "Settings"))
    assert levels(findings, "Python")


KEY = "sk-meant-for-another-address"


@pytest.mark.parametrize(
    ("environment", "file", "secrets"),
    [
        ({"OPENAI_BASE_URL": "localhost:11434", "OPENAI_API_KEY": KEY}, "", {}),
        ({"OPENAI_API_KEY": KEY}, '[endpoint]\nbase_url = "http://h/v1"\nmodle = "m"\n', {}),
        ({"OPENAI_API_KEY": KEY}, '[endpoint]\nbase_url = "http://h/v1\n', {}),
        ({"OPENAI_API_KEY": KEY}, "", "secrets.toml can't be read."),
        ({}, f'[endpoint]\nbase_url = 5\napi_key = "{KEY}"\n', {}),
        ({"OPENAI_BASE_URL": "localhost:11434"}, "", {"OPENAI_API_KEY": KEY}),
        ({"FANOUT_CALLS_AT_ONCE": "many", "OPENAI_API_KEY": KEY}, "", {}),
    ],
)
def test_a_key_whose_address_cannot_be_told_is_sent_nowhere(
    tmp_path: Path, environment: dict[str, str], file: str, secrets: dict[str, str] | str
) -> None:
    (tmp_path / "fanout.toml").write_text(file)
    env = {"FANOUT_HOME": str(tmp_path), "FANOUT_MAX_BRANCHES": "9", **environment}
    held, wrong = ({}, secrets) if isinstance(secrets, str) else (secrets, "")
    findings, settings = configuration(env, held, wrong)
    assert (settings.endpoint, settings.api_key) == (None, None)
    assert settings.bounds.branches == 9, "the rest is looked at"
    assert any("no key is sent anywhere" in one.text for one in findings)
    assert KEY not in repr(findings)


def test_a_wrong_setting_that_is_none_of_the_endpoint_leaves_the_endpoint_in(
    tmp_path: Path,
) -> None:
    env = {"FANOUT_HOME": str(tmp_path), "FANOUT_MAX_RUNS": "none", "OPENAI_API_KEY": KEY}
    findings, settings = configuration(env, {})
    assert settings.endpoint is not None and settings.api_key is not None
    assert not any("no key is sent" in one.text for one in findings)


def test_a_file_with_a_secret_is_told_by_its_key_in_there(tmp_path: Path) -> None:
    file = tmp_path / "fanout.toml"
    file.write_text(f'[endpoint]\napi_key = "{KEY}"\n')
    file.chmod(0o644)
    (said,) = [
        one.text
        for one in configuration({"FANOUT_CONFIG": str(file)}, {})[0]
        if "holds" in one.text
    ]
    assert said.startswith(f"{file} holds endpoint.api_key, and others may read it")


def test_members_without_shared_mode_let_everybody_in_and_that_is_said(tmp_path: Path) -> None:
    findings, _ = configuration({"FANOUT_MEMBERS": "@a.b", "FANOUT_HOME": str(tmp_path)}, {})
    (said,) = [one for one in findings if one.level is Level.WARNING]
    assert "FANOUT_MEMBERS counts only where FANOUT_SHARED is on" in said.text


def test_an_endpoint_is_asked_for_its_list_with_the_key_and_for_nothing_else(
    tmp_path: Path,
) -> None:
    key = "sk-secret-of-doctor"
    with serving(Script(otherwise=Reply(text="x"), models=("small", "large"))) as server:
        env = {"OPENAI_BASE_URL": server.base_url, "OPENAI_API_KEY": key}
        fine = found(tmp_path, **env, FANOUT_MODEL="large")
        other = found(tmp_path, **env, FANOUT_MODEL="larger")
        assert server.requests == ()
    assert [level for level, _ in levels(fine, "Endpoint")] == [Level.FINE, Level.FINE]
    assert "with a key and lists 2 models" in levels(fine, "Endpoint")[0][1]
    assert levels(other, "Endpoint")[-1] == (Level.WARNING, "larger is not in its list.")
    assert key not in repr(fine + other)


def test_an_endpoint_that_does_not_answer_is_broken_unless_it_is_not_to_be_asked(
    tmp_path: Path,
) -> None:
    env = {
        "FANOUT_HOME": str(tmp_path),
        "OPENAI_BASE_URL": f"http://127.0.0.1:{free_port()}/v1",
        "FANOUT_MODEL": "m",
    }
    away = examine(env, port=free_port(), places=())
    assert levels(away, "Endpoint")[0][0] is Level.BROKEN
    offline = examine(env, port=free_port(), offline=True, places=())
    assert levels(offline, "Endpoint")[0][0] is Level.NOTE


def test_a_home_that_cannot_be_written_is_broken(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    findings = found(blocked / "home")
    assert [level for level, _ in levels(findings, "Folder")] == [Level.BROKEN]
    assert status(findings) == 1


def test_the_database_and_its_batches_are_looked_at_and_not_touched(tmp_path: Path) -> None:
    Store.open(tmp_path).close()
    before = (tmp_path / "fanout.db").read_bytes()
    findings = found(tmp_path)
    assert (Level.FINE, f"Its tables are today's ({HEAD})") in levels(findings, "Database")
    assert levels(findings, "Batches")[0][1] == "0 batches running, 0 workers at work"
    assert (tmp_path / "fanout.db").read_bytes() == before


def test_a_batch_that_nobody_works_on_is_a_warning(tmp_path: Path) -> None:
    Store.open(tmp_path).close()
    engine = create_engine(f"sqlite:///{tmp_path / 'fanout.db'}")
    texts = ("id", "title", "workflow", "definition", "endpoint", "model", "columns")
    row = dict.fromkeys((*texts, "topic_column", "via"), "x")
    with engine.begin() as connection:
        connection.execute(
            insert(batches).values(**row, concurrency=1, state="running", format=1, created_at=0)
        )
    assert levels(found(tmp_path), "Batches")[0] == (
        Level.WARNING,
        "1 batch running, 0 workers at work.",
    )
    with engine.begin() as connection:
        now = time.time()
        seen = {"pid": 1, "version": "1", "format": 1, "started_at": now, "seen_at": now}
        connection.execute(insert(workers).values(id="w", host="h", **seen))
    engine.dispose()
    assert levels(found(tmp_path), "Batches")[0] == (
        Level.FINE,
        "1 batch running, 1 worker at work",
    )


def test_a_damaged_database_is_told(tmp_path: Path) -> None:
    (tmp_path / "fanout.db").write_bytes(b"no database at all" * 100)
    (tmp_path / "batches.db").write_bytes(b"nor this" * 200)
    findings = found(tmp_path)
    assert levels(findings, "Database")[-1][0] is Level.BROKEN
    assert levels(findings, "Batches")[-1][0] is Level.BROKEN


def test_the_database_of_dbos_beside_it_is_looked_at(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "batches.db")) as connection:
        connection.execute("CREATE TABLE a (b)")
    assert (Level.FINE, "batches.db in FANOUT_HOME can be read") in levels(
        found(tmp_path), "Batches"
    )


@pytest.mark.parametrize(
    ("revision", "level"),
    [(HEAD, Level.FINE), ("0001", Level.NOTE), (None, Level.NOTE), ("9999", Level.BROKEN)],
)
def test_tables_of_other_versions_are_told_apart(revision: str | None, level: Level) -> None:
    assert _revision(revision).level is level


@pytest.mark.parametrize(
    ("apart_s", "level"), [(0.4, Level.FINE), (-5.0, Level.WARNING), (60.0, Level.BROKEN)]
)
def test_clocks_that_differ_are_told_before_they_do_harm(apart_s: float, level: Level) -> None:
    assert _clocks(GROUP, apart_s, "the database").level is level


def test_servers_that_do_not_answer_are_told_without_their_passwords(tmp_path: Path) -> None:
    port = free_port()
    findings = found(
        tmp_path,
        FANOUT_DATABASE_URL=f"postgresql://u:p4ssw0rd@127.0.0.1:{port}/f",
        FANOUT_REDIS_URL=f"redis://:p4ssw0rd@127.0.0.1:{port}/0",
    )
    assert levels(findings, "Database")[0][0] is Level.BROKEN
    assert "nothing answers there" in levels(findings, "Database")[0][1]
    assert levels(findings, "Redis")[0][0] is Level.BROKEN
    assert "p4ssw0rd" not in repr(findings)


def test_sign_in_is_looked_at_only_where_people_sign_in(tmp_path: Path) -> None:
    assert list(sign_in(Settings(home=tmp_path), {})) == []
    shared = Settings(home=tmp_path, shared=True)
    nothing = list(sign_in(shared, {}))
    assert [one.level for one in nothing] == [Level.NOTE, Level.NOTE, Level.BROKEN]
    offline = list(sign_in(shared, {"auth": SIGN_IN}, offline=True))
    assert offline[-1].level is Level.NOTE and "127.0.0.1:9" in offline[-1].text
    asked = list(sign_in(shared, {"auth": SIGN_IN}))
    assert asked[-1].level is Level.BROKEN and "can't be reached" in asked[-1].text
    assert "s3cret" not in repr(asked)


def test_a_damaged_key_of_people_is_broken_and_a_whole_one_fine(tmp_path: Path) -> None:
    shared = Settings(home=tmp_path, shared=True)
    (tmp_path / "people.key").write_bytes(b"short")
    assert next(sign_in(shared, {})).level is Level.BROKEN
    (tmp_path / "people.key").write_bytes(b"k" * 32)
    assert next(sign_in(shared, {})).level is Level.FINE


@pytest.mark.parametrize(
    "section",
    [
        {},
        SIGN_IN,
        {**SIGN_IN, "redirect_uri": "https://fanout.example.com/"},
        {**SIGN_IN, "cookie_secret": "short"},
        {**SIGN_IN, "client_id": ""},
        {"redirect_uri": SIGN_IN["redirect_uri"], "cookie_secret": "x" * 40, "google": SIGN_IN},
    ],
)
def test_doctor_and_the_app_judge_a_sign_in_alike(section: dict[str, object]) -> None:
    app = [each.replace("`", "") for each in setup.lacks(section)]
    assert list(lacks(section)) == app


def test_a_check_that_fails_itself_is_a_finding_and_no_more() -> None:
    def broken() -> Iterable[Finding]:
        yield GROUP.fine("so far")
        raise RuntimeError("a bug")

    def missing() -> Iterable[Finding]:
        raise ModuleNotFoundError(name="redis")

    first, second = _guarded("It", lambda: iter(broken()))
    assert (first.level, second.level) == (Level.FINE, Level.BROKEN)
    assert "RuntimeError: a bug" in second.text
    (third,) = _guarded("It", lambda: iter(missing()))
    assert "The package redis is missing" in third.text


def test_the_exit_status_is_that_of_the_worst() -> None:
    fine, note = GROUP.fine("x"), GROUP.note("x")
    warning, broken = GROUP.warning("x"), GROUP.broken("x")
    assert [status([fine, note]), status([fine, warning]), status([warning, broken])] == [0, 3, 1]
