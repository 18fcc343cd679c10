"""Settings: what the environment may say, and how it is told when it says nonsense."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from fanout.bounds import LOCAL, SHARED
from fanout.errors import SettingsError
from fanout.policies import Budget
from fanout.settings import Settings, checked_key, checked_url, same_place


def settings(**environment: str) -> Settings:
    return Settings.from_environment(environment)


def test_with_nothing_set_the_bundled_model_answers() -> None:
    assert settings().endpoint is None
    assert settings(FANOUT_MODEL="/models/a.gguf").local_model == "/models/a.gguf"


def test_a_key_alone_means_openai() -> None:
    endpoint = settings(OPENAI_API_KEY="sk-x").endpoint
    assert endpoint is not None
    assert (endpoint.base_url, endpoint.default_model) == (
        "https://api.openai.com/v1",
        "gpt-5-mini",
    )
    assert not endpoint.on_this_machine


def test_a_base_url_and_a_model_name_an_endpoint() -> None:
    found = settings(OPENAI_BASE_URL="http://127.0.0.1:9999/v1/", FANOUT_MODEL="tiny")
    assert found.endpoint is not None
    assert (found.endpoint.base_url, found.endpoint.default_model) == (
        "http://127.0.0.1:9999/v1",
        "tiny",
    )
    assert not found.endpoint.on_this_machine, "a gateway on loopback may well cost money"
    assert found.local_model == ""


def test_an_embedding_model_belongs_to_the_environments_endpoint() -> None:
    env = {"OPENAI_BASE_URL": "http://localhost:9/v1", "FANOUT_EMBEDDING_MODEL": " embed-1 "}
    endpoint = Settings.from_environment(env).endpoint
    assert endpoint is not None
    assert endpoint.embedding_model == "embed-1"
    alone = Settings.from_environment({"FANOUT_EMBEDDING_MODEL": "embed-1"})
    assert alone.endpoint is None, "the bundled model answers, and has no embeddings"


def test_a_model_servers_usual_port_is_on_this_machine() -> None:
    endpoint = settings(OPENAI_BASE_URL="http://localhost:11434/v1").endpoint
    assert endpoint is not None and endpoint.on_this_machine


@pytest.mark.parametrize(
    "url",
    [
        "localhost:11434",
        "ftp://a/v1",
        "http://",
        "http://a:99999/v1",
        "http://u:p@a/v1",
        "x",
        "http://a b/v1",
        "http://a/v1?key=u:p",
        "http://a/v1#u:p",
        "http://[::1/v1",
    ],
)
def test_a_wrong_base_url_is_refused_by_its_name(url: str) -> None:
    with pytest.raises(SettingsError, match="OPENAI_BASE_URL") as caught:
        settings(OPENAI_BASE_URL=url)
    assert "u:p" not in str(caught.value)


def test_no_address_is_no_error() -> None:
    assert checked_url("  ", "it") == ""


def test_an_app_comes_up_whatever_the_environment_says() -> None:
    """And sends neither the key nor the model's name anywhere else."""
    found, problem = Settings.usable(
        {"OPENAI_BASE_URL": "nonsense", "OPENAI_API_KEY": "sk-secret", "FANOUT_MODEL": "gpt-9"}
    )
    assert found.endpoint is None
    assert (found.local_model, found.api_key) == ("", None)
    assert "OPENAI_BASE_URL" in problem and "sk-secret" not in problem
    assert Settings.usable({"FANOUT_MODEL": "/a.gguf"}) == (settings(FANOUT_MODEL="/a.gguf"), "")


def test_a_home_of_nobody_is_named_and_another_is_taken() -> None:
    with pytest.raises(SettingsError, match="FANOUT_HOME"):
        settings(FANOUT_HOME="~nobody-of-that-name/x")
    found, problem = Settings.usable({"FANOUT_HOME": "~nobody-of-that-name/x"})
    assert "FANOUT_HOME" in problem
    assert found.home.name == ".fanout"


@pytest.mark.parametrize("key", ["sk a", "sk\nb", "clé", "sk-\u200b1", "sk\x00", "“sk-1”"])
def test_a_key_that_no_server_could_be_sent_is_refused_without_repeating_it(key: str) -> None:
    with pytest.raises(SettingsError, match="The key") as caught:
        checked_key(key, "The key")
    assert key not in str(caught.value)


def test_blanks_around_a_key_are_not_part_of_it() -> None:
    key = checked_key("  sk-1\n", "The key")
    assert key is not None and key.reveal() == "sk-1"
    assert checked_key(" \n", "The key") is None


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("http://localhost:11434/v1", "http://127.0.0.1:11434/v1/", True),
        ("https://a.com/v1", "https://A.com:443/v1", True),
        ("https://a.com/v1", "https://a.com/v2", False),
        ("https://a.com/v1", "http://a.com/v1", False),
        ("", "http://a.com/v1", False),
    ],
)
def test_one_server_under_two_addresses_is_known_again(one: str, other: str, same: bool) -> None:
    assert same_place(one, other) is same


def test_a_home_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    with pytest.raises(SettingsError, match="FANOUT_HOME"):
        settings(FANOUT_HOME=str(blocked / "home")).writable_home()


def test_the_key_is_in_no_text_of_the_settings() -> None:
    assert "sk-secret" not in repr(settings(OPENAI_API_KEY="sk-secret"))


def test_a_secrets_file_says_what_the_environment_leaves_out() -> None:
    secrets = {"OPENAI_API_KEY": "sk-file", "FANOUT_MODEL": "big", "FANOUT_MAX_RUNS": 7, "auth": {}}
    found = Settings.from_environment({"OPENAI_API_KEY": " ", "FANOUT_MODEL": "small"}, secrets)
    assert found.api_key is not None and found.api_key.reveal() == "sk-file"
    assert (found.model, found.bounds.runs) == ("small", 7)


def test_alone_the_bounds_are_wide_and_in_shared_mode_close() -> None:
    alone, shared = settings(), settings(FANOUT_SHARED="1")
    assert (alone.shared, shared.shared) == (False, True)
    assert alone.bounds == LOCAL and shared.bounds == SHARED
    assert shared.bounds.branches < alone.bounds.branches


def test_each_bound_and_budget_can_be_set() -> None:
    found = settings(
        FANOUT_SHARED="yes",
        FANOUT_MAX_UPLOAD_MB="3",
        FANOUT_MAX_BRANCHES="9",
        FANOUT_MAX_RUNS="2",
        FANOUT_DAY_USD="2.50",
        FANOUT_PERSON_DAY_TOKENS="100_000",
    )
    assert (found.bounds.upload_bytes, found.bounds.branches) == (3 * 1024 * 1024, 9)
    assert (found.bounds.runs, found.bounds.runs_per_person) == (2, 2)
    assert found.day_budget == Budget(usd=Decimal("2.50"))
    assert found.person_budget == Budget(tokens=100_000)


def test_hosts_are_read_one_by_one() -> None:
    found = settings(FANOUT_ALLOWED_HOSTS=" A.example, 10.0.0.5:8000,[fd00::1]:80,, ")
    assert found.allowed_hosts == ("a.example", "10.0.0.5:8000", "[fd00::1]:80")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("FANOUT_SHARED", "maybe"),
        ("FANOUT_ALLOWED_HOSTS", "http://a.example"),
        ("FANOUT_ALLOWED_HOSTS", "*.example"),
        ("FANOUT_ALLOWED_HOSTS", "a:b:c"),
        ("FANOUT_ALLOWED_HOSTS", "u@a"),
        ("FANOUT_ALLOWED_HOSTS", "10.0.0.0/8"),
        ("FANOUT_REDIS_URL", "http://:s3cret-pw@h"),
        ("FANOUT_DAY_USD", "NaN"),
        ("FANOUT_DAY_USD", "-1"),
        ("FANOUT_PERSON_DAY_USD", "two"),
        ("FANOUT_DAY_TOKENS", "1.5"),
        ("FANOUT_MAX_BRANCHES", "0"),
        ("FANOUT_MAX_RUNS", "²"),
        ("FANOUT_MAX_UPLOAD_MB", "9" * 5000),
    ],
)
def test_a_wrong_value_is_refused_by_its_name_and_keeps_nothing_open(name: str, text: str) -> None:
    with pytest.raises(SettingsError, match=name) as caught:
        settings(**{name: text})
    assert "s3cret-pw" not in str(caught.value)
    with pytest.raises(SettingsError, match=name):
        Settings.usable({name: text, "OPENAI_BASE_URL": "x"})


def test_a_wrong_endpoint_leaves_the_rest_of_the_settings_as_they_are(tmp_path: Path) -> None:
    env = {"OPENAI_BASE_URL": "x", "FANOUT_SHARED": "1", "FANOUT_HOME": str(tmp_path)}
    found, problem = Settings.usable(env)
    assert "OPENAI_BASE_URL" in problem
    assert (found.shared, found.home, found.endpoint) == (True, tmp_path, None)


def test_how_many_calls_an_endpoint_is_given_at_once_is_a_setting(tmp_path: Path) -> None:
    said = {"OPENAI_BASE_URL": "http://localhost:9/v1", "FANOUT_HOME": str(tmp_path)}
    endpoint = Settings.from_environment(said).endpoint
    assert endpoint is not None and endpoint.slots == 8
    endpoint = Settings.from_environment({**said, "FANOUT_CALLS_AT_ONCE": "40"}).endpoint
    assert endpoint is not None and endpoint.slots == 40
    with pytest.raises(SettingsError, match="FANOUT_CALLS_AT_ONCE"):
        Settings.from_environment({**said, "FANOUT_CALLS_AT_ONCE": "0"})
