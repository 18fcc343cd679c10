"""Settings: what the environment may say, and how it is told when it says nonsense."""

from __future__ import annotations

from pathlib import Path

import pytest

from fanout.errors import SettingsError
from fanout.settings import Settings, checked_url


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


def test_a_model_servers_usual_port_is_on_this_machine() -> None:
    endpoint = settings(OPENAI_BASE_URL="http://localhost:11434/v1").endpoint
    assert endpoint is not None and endpoint.on_this_machine


@pytest.mark.parametrize(
    "url", ["localhost:11434", "ftp://a/v1", "http://", "http://a:99999/v1", "http://u:p@a/v1", "x"]
)
def test_a_wrong_base_url_is_refused_by_its_name(url: str) -> None:
    with pytest.raises(SettingsError, match="OPENAI_BASE_URL") as caught:
        settings(OPENAI_BASE_URL=url)
    assert "u:p" not in str(caught.value)


def test_no_address_is_no_error() -> None:
    assert checked_url("  ", "it") == ""


def test_a_home_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    with pytest.raises(SettingsError, match="FANOUT_HOME"):
        settings(FANOUT_HOME=str(blocked / "home")).writable_home()


def test_the_key_is_in_no_text_of_the_settings() -> None:
    assert "sk-secret" not in repr(settings(OPENAI_API_KEY="sk-secret"))
