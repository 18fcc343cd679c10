"""Settings from files: fanout.toml, secrets by NAME_FILE, and how what is wrong there is told."""

from __future__ import annotations

import logging
import re
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
import tomlkit
from hypothesis import given
from hypothesis import strategies as st

import fanout
from fanout.bounds import LOCAL
from fanout.doctor.settings_page import settings_page
from fanout.errors import SettingsError
from fanout.providers.script import Reply, Script
from fanout.providers.scripted_server import serving
from fanout.settings import Settings
from fanout.settings_names import unknown_key, unknown_names
from fanout.settings_table import BY_KEY, BY_NAME, SETTINGS, Kind

ROOT = Path(__file__).resolve().parents[1]
NAMED = re.compile(r"\bFANOUT_[A-Z]+(?:_[A-Z]+)*\b")
EVERYTHING = """\
[endpoint]
base_url = "http://127.0.0.1:9999/v1"   # ours
api_key = "sk-of-the-file"
model = "tiny"
embedding_model = "embed"
calls_at_once = 12

[database]
url = "postgresql://u:p4ssw0rd@127.0.0.1/f"
[redis]
url = "redis://127.0.0.1/0"

[shared]
on = true
members = ["@example.com", "Guest@example.org"]
admins = ["you@example.com"]
allowed_hosts = ["models.internal", "10.0.0.5:8000"]
runs_per_hour = 30
people_key = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

[budget]
day_usd = 2.50
day_tokens = 1_000_000
person_day_usd = 1
person_day_tokens = 9

[limits]
max_topic_chars = 1
max_branches = 2
max_upload_mb = 3
max_documents = 4
max_runs = 5
max_runs_per_person = 2
max_batch_rows = 7

[batch]
app_works = false
[log]
form = "json"
level = "info"
[metrics]
port = 9464
[traces]
endpoint = "http://127.0.0.1:4318"
"""


def of_file(folder: Path, text: str, **environment: str) -> Settings:
    path = folder / "fanout.toml"
    path.write_text(text, "utf-8")
    return Settings.from_environment({"FANOUT_CONFIG": str(path), **environment})


def test_a_file_can_say_everything(tmp_path: Path) -> None:
    found = of_file(tmp_path, EVERYTHING, FANOUT_HOME=str(tmp_path))
    assert found.endpoint is not None
    assert found.endpoint.base_url == "http://127.0.0.1:9999/v1"
    assert (found.endpoint.default_model, found.endpoint.embedding_model) == ("tiny", "embed")
    assert found.endpoint.slots == 12
    assert found.api_key is not None and found.api_key.reveal() == "sk-of-the-file"
    assert found.database.startswith("postgresql://u:")
    assert found.redis_url is not None
    assert found.shared
    assert found.membership.members == {"@example.com", "guest@example.org"}
    assert found.membership.admins == {"you@example.com"}
    assert found.membership.runs_per_hour == 30
    assert found.people_key is not None
    assert found.allowed_hosts == ("models.internal", "10.0.0.5:8000")
    assert (found.day_budget.usd, found.day_budget.tokens) == (Decimal("2.5"), 1_000_000)
    assert (found.person_budget.usd, found.person_budget.tokens) == (Decimal(1), 9)
    bounds = found.bounds
    assert (bounds.topic_chars, bounds.branches, bounds.upload_bytes) == (1, 2, 3 * 1024 * 1024)
    assert (bounds.documents, bounds.runs, bounds.runs_per_person) == (4, 5, 2)
    assert bounds.batch_rows == 7
    assert (found.app_works, found.log_form, found.log_level) == (False, "json", "info")
    assert (found.metrics_port, found.traces) == (9464, "http://127.0.0.1:4318")
    assert found.file == tmp_path / "fanout.toml"


def test_that_file_says_each_key_there_is() -> None:
    section, said = "", set()
    for line in EVERYTHING.splitlines():
        if line.startswith("["):
            section = line.strip("[]")
        elif line:
            said.add(f"{section}.{line.partition(' =')[0]}")
    assert said == BY_KEY.keys() - {"home"}


def test_the_environment_wins_and_then_the_secrets_file(tmp_path: Path) -> None:
    path = tmp_path / "fanout.toml"
    path.write_text("[limits]\nmax_runs = 5\nmax_branches = 6\nmax_documents = 7\n")
    found = Settings.from_environment(
        {"FANOUT_CONFIG": str(path), "FANOUT_MAX_RUNS": "50"},
        {"FANOUT_MAX_RUNS": 51, "FANOUT_MAX_BRANCHES": 61},
    )
    assert (found.bounds.runs, found.bounds.branches, found.bounds.documents) == (50, 61, 7)


def test_without_a_name_the_file_in_fanout_home_is_read(tmp_path: Path) -> None:
    (tmp_path / "fanout.toml").write_text("[limits]\nmax_runs = 5\n")
    assert Settings.from_environment({"FANOUT_HOME": str(tmp_path)}).bounds.runs == 5
    empty = tmp_path / "other"
    assert Settings.from_environment({"FANOUT_HOME": str(empty)}).bounds == LOCAL


def test_a_file_in_fanout_home_cannot_say_where_that_is(tmp_path: Path) -> None:
    (tmp_path / "fanout.toml").write_text('home = "/elsewhere"\n')
    with pytest.raises(SettingsError, match=r"home .*fanout.toml, line 1"):
        Settings.from_environment({"FANOUT_HOME": str(tmp_path)})
    named = of_file(tmp_path, f'home = "{tmp_path}/here"\n')
    assert named.home == tmp_path / "here"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[limits]\nmax_run = 3\n", r"line 2: limits.max_run: .*did you mean limits.max_runs\?"),
        ("max_runs = 3\n", r"line 1: max_runs: .*did you mean limits.max_runs\?"),
        ("[limit]\nmax_runs = 3\n", r"line 2: limit.max_runs: .*did you mean limits.max_runs\?"),
        ("limits = {max_run = 3}\n", "line 1: limits.max_run: no such"),
        ("[quite.another]\nthing = 3\n", "line 2: quite.another.thing: no such setting.$"),
        ("[other]\n", "line 1: other: no such setting"),
        ('[auth]\nclient_id = "x"\n', "secrets.toml, not here"),
        ("[limits]\nmax_runs = 3\nmax_runs = 4\n", "as TOML: .*line 3"),
        ("[limits\n", "as TOML: .*line 1"),
        ("home = " + "9" * 5000 + "\n", "as TOML"),
        ("home = " + "[" * 5000 + "\n", "as TOML"),
        ("k" * 5000 + " = 1\n", "line 1: k{80}: no such setting.$"),
    ],
)
def test_what_is_no_setting_is_refused_with_its_line_and_the_nearest(
    tmp_path: Path, text: str, says: str
) -> None:
    with pytest.raises(SettingsError, match=says):
        of_file(tmp_path, text)
    with pytest.raises(SettingsError, match=says):
        Settings.usable({"FANOUT_CONFIG": str(tmp_path / "fanout.toml")})


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (
            '[limits]\n# hm\nmax_runs = "3"\n',
            r"limits.max_runs \(.*, line 3\) is a whole number; a",
        ),
        ("[limits]\nmax_runs = 0\n", r"limits.max_runs \(.*, line 2\) is a whole number from 1"),
        ("[limits]\nmax_runs = true\n", "a whole number; true stands there now"),
        ("[limits]\nmax_runs = 3.5\n", "a whole number; a decimal number stands there now"),
        ("[limits]\nmax_runs = 2026-01-01\n", "a date or time stands there now"),
        ("[shared]\non = 1\n", r"shared.on \(.*, line 2\) is true or false"),
        ('[shared]\nmembers = "a@b.c"\n', r'a list of names, each in quotation marks: \["one"'),
        ('[shared]\nmembers = ["a@b.c, d@e.f"]\n', "a list stands there now"),
        ('[shared]\nallowed_hosts = ["http://a"]\n', r"shared.allowed_hosts \(.*line 2\) holds"),
        ('[shared]\npeople_key = "short"\n', r"shared.people_key \(.*64 hexadecimal digits"),
        ("[budget]\nday_usd = -1\n", r"budget.day_usd \(.*line 2\) is an amount"),
        ("[budget]\nday_usd = nan\n", "is an amount in US dollars"),
        ("[metrics]\nport = 70000\n", r"metrics.port \(.*line 2\) is a port"),
        ('[log]\nform = "xml"\n', r"log.form \(.*line 2\) is one of text, json"),
        ('log.level = "loud"\n', r"log.level \(.*line 1\) is one of debug"),
        ('[traces]\nendpoint = "x"\n', r"traces.endpoint \(.*line 2\) is no web address"),
        ('[endpoint]\nmodel = ["a"]\n', r"endpoint.model \(.*line 2\) is a text; a list"),
        ('[database]\nurl = {a = "b"}\n', "database.url.a: no such setting"),
    ],
)
def test_a_wrong_value_is_told_by_key_file_and_line(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(SettingsError, match=says):
        of_file(tmp_path, text)


def test_a_wrong_endpoint_in_the_file_leaves_the_app_up_without_it(tmp_path: Path) -> None:
    path = tmp_path / "fanout.toml"
    path.write_text('[endpoint]\nbase_url = "x"\napi_key = "sk-secret-1"\nmodel = 3\n')
    found, problem = Settings.usable({"FANOUT_CONFIG": str(path)})
    assert (found.endpoint, found.local_model, found.api_key) == (None, "", None)
    assert "endpoint.model (" in problem and "line 4" in problem
    assert "sk-secret-1" not in problem


def test_a_key_of_the_file_goes_to_no_address_of_the_environment(tmp_path: Path) -> None:
    ours = '[endpoint]\nbase_url = "http://127.0.0.1:1/v1"\napi_key = "sk-file"\nmodel = "tiny"\n'
    other = of_file(tmp_path, ours, OPENAI_BASE_URL="http://127.0.0.1:2/v1")
    assert (other.api_key, other.model) == (None, "")
    same = of_file(tmp_path, ours, OPENAI_BASE_URL="http://127.0.0.1:1/v1/")
    assert same.api_key is not None and same.model == "tiny"
    openais = of_file(tmp_path, '[endpoint]\napi_key = "sk-file"\n', OPENAI_BASE_URL="http://a/v1")
    assert openais.api_key is None
    key = of_file(tmp_path, ours, OPENAI_API_KEY="sk-environment").api_key
    assert key is not None and key.reveal() == "sk-environment"


def test_whoever_names_the_endpoint_gets_nothing_of_it_from_files(tmp_path: Path) -> None:
    path, key = tmp_path / "fanout.toml", tmp_path / "key"
    path.write_text('[endpoint]\nbase_url = "http://a/v1"\nmodel = "b"\n[limits]\nmax_runs = 5\n')
    key.write_text("sk-of-a-file")
    env = {"FANOUT_CONFIG": str(path), "OPENAI_API_KEY_FILE": str(key)}
    found = Settings.from_environment(env, endpoint_from_files=False)
    assert (found.endpoint, found.model, found.bounds.runs) == (None, "", 5)


@pytest.mark.parametrize("key", [None, "sk-of-the-program"])
async def test_a_program_that_names_its_endpoint_sends_it_no_key_of_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, key: str | None
) -> None:
    path, secret = tmp_path / "fanout.toml", tmp_path / "key"
    path.write_text('[endpoint]\nbase_url = "http://127.0.0.1:1/v1"\napi_key = "sk-of-a-file"\n')
    secret.write_text("sk-of-a-file")
    monkeypatch.setenv("FANOUT_CONFIG", str(path))
    monkeypatch.setenv("OPENAI_API_KEY_FILE", str(secret))
    with serving(Script(otherwise=Reply(text="Fine words."))) as server:
        await fanout.run("review", topic="rain", endpoint=server.base_url, api_key=key)
        sent = {request.headers.get("authorization", "") for request in server.requests}
    assert sent and not any("sk-of-a-file" in each for each in sent)


def test_a_broken_line_is_not_quoted(tmp_path: Path) -> None:
    for text in ('[endpoint]\napi_key = "sk-secret\n', "[endpoint]\napi_key = sk-secret\n"):
        with pytest.raises(SettingsError) as caught:
            of_file(tmp_path, text)
        assert "sk-secret" not in str(caught.value) and "line 2" in str(caught.value)


@pytest.mark.parametrize("raw", [b"\xff\xfe[\x00", b"home = '\xe4'", b"x" * 1_000_001])
def test_what_is_no_text_or_endless_is_no_settings_file(tmp_path: Path, raw: bytes) -> None:
    path = tmp_path / "fanout.toml"
    path.write_bytes(raw)
    with pytest.raises(SettingsError, match=r"fanout\.toml"):
        Settings.from_environment({"FANOUT_CONFIG": str(path)})


VALUES = st.one_of(
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=20),
    st.dates(),
    st.lists(st.one_of(st.text(max_size=8), st.integers()), max_size=3),
    st.dictionaries(st.text(max_size=5), st.integers(), max_size=2),
)


@given(st.dictionaries(st.one_of(st.sampled_from(sorted(BY_KEY)), st.text(max_size=9)), VALUES))
def test_whatever_a_file_says_it_is_understood_or_refused_in_words(said: dict[str, Any]) -> None:
    document = tomlkit.document()
    for key, value in said.items():
        section, _, name = key.rpartition(".")
        table: Any = document.setdefault(section, {}) if section else document
        if isinstance(table, dict):
            table[name] = value
    with TemporaryDirectory() as folder:
        try:
            settings = of_file(Path(folder), tomlkit.dumps(document))
        except SettingsError as error:
            assert "fanout.toml" in str(error)
        else:
            assert settings.bounds.runs >= 1


def test_a_file_of_windows_with_a_byte_order_mark_is_read(tmp_path: Path) -> None:
    path = tmp_path / "fanout.toml"
    path.write_bytes(b"\xef\xbb\xbf[limits]\r\nmax_runs = 5\r\n")
    assert Settings.from_environment({"FANOUT_CONFIG": str(path)}).bounds.runs == 5


@pytest.mark.parametrize("named", ["/nowhere/fanout.toml", "/", "~nobody-of-that-name/x"])
def test_a_named_file_that_is_not_there_keeps_nothing_open(named: str) -> None:
    with pytest.raises(SettingsError, match="FANOUT_CONFIG"):
        Settings.usable({"FANOUT_CONFIG": named})


@pytest.mark.parametrize("name", [s.name for s in SETTINGS if s.secret])
def test_each_secret_may_come_as_a_file(tmp_path: Path, name: str) -> None:
    secret = {
        "OPENAI_API_KEY": "sk-of-a-file",
        "FANOUT_REDIS_URL": "redis://:s3cret-pw@h",
        "FANOUT_PEOPLE_KEY": "ab" * 32,
    }.get(name, "postgresql://u:p4ssw0rd@h/n")
    path = tmp_path / "secret"
    path.write_text(f"{secret}\n")
    found = Settings.from_environment({f"{name}_FILE": str(path)})
    held = (found.api_key, found.database_url, found.redis_url, found.people_key)
    assert secret in [each.reveal() for each in held if each is not None]
    assert secret not in repr(found)


def test_a_secret_that_is_set_twice_or_cannot_be_read_is_told_without_its_text(
    tmp_path: Path,
) -> None:
    empty = tmp_path / "empty"
    empty.write_text(" \n")
    for more, says in (
        ({"OPENAI_API_KEY_FILE": "sk-put-here-by-mistake"}, "OPENAI_API_KEY_FILE names a file"),
        ({"OPENAI_API_KEY_FILE": str(empty)}, "OPENAI_API_KEY_FILE names a file that is empty"),
        ({"OPENAI_API_KEY_FILE": "x", "OPENAI_API_KEY": "sk-put-here"}, "are both set"),
    ):
        with pytest.raises(SettingsError, match=says) as caught:
            Settings.from_environment(more)
        assert "sk-put-here" not in str(caught.value)
        found, problem = Settings.usable(more)
        assert (found.endpoint, found.api_key) == (None, None) and says in problem
    with pytest.raises(SettingsError, match="FANOUT_DATABASE_URL_FILE"):
        Settings.usable({"FANOUT_DATABASE_URL_FILE": str(empty)})


def test_a_variable_that_nobody_knows_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    env = {"FANOUT_MAX_RUNN": "3", "FANOUT_CHROMIUM": "x", "FANOUT_SERVICE_HOST": "10.0.0.1"}
    with caplog.at_level(logging.WARNING):
        found = Settings.from_environment(env)
        Settings.from_environment(env)
    says = "FANOUT_MAX_RUNN: no such setting; did you mean FANOUT_MAX_RUNS?"
    assert found.warnings == (says,)
    assert caplog.messages == [says]
    assert Settings.usable(env)[1] == says


def test_names_far_from_any_setting_get_no_advice() -> None:
    assert unknown_names(["FANOUT_XYZZY"]) == ("FANOUT_XYZZY: no such setting.",)
    assert unknown_key("xyzzy.plugh") == "xyzzy.plugh: no such setting."


def test_each_setting_stands_once_and_says_what_it_is_for() -> None:
    assert len({s.name for s in SETTINGS}) == len(SETTINGS)
    assert len(BY_KEY) == len([s for s in SETTINGS if s.key])
    assert all(s.meaning.endswith(".") and s.default for s in SETTINGS)
    assert all(s.choices for s in SETTINGS if s.kind is Kind.CHOICE)


def test_the_page_of_settings_is_current() -> None:
    kept = (ROOT / "docs" / "settings.md").read_text("utf-8")
    assert kept == settings_page(), "python -m fanout doctor --settings > docs/settings.md"
    assert all(f"| `{s.name}`" in kept for s in SETTINGS), "a section is missing on the page"


def test_every_name_in_code_and_docs_is_a_setting() -> None:
    """`FANOUT_DAY`, `FANOUT_MAX` and the like are beginnings that names are made of."""
    files = [
        *(ROOT / "docs").rglob("*.md"),
        *(path for top in ("fanout", "components", "pages") for path in (ROOT / top).rglob("*.py")),
        ROOT / "README.md",
    ]
    names = {name for path in files for name in NAMED.findall(path.read_text("utf-8"))}
    beginnings = {"_".join(name.split("_")[:n]) for name in BY_NAME for n in range(2, 5)}
    assert len(names) > 20 and unknown_names(names - beginnings) == ()
