"""The endpoints of a process: keys stay in memory, the rest is kept, bad files change nothing."""

from __future__ import annotations

import pickle
from decimal import Decimal
from pathlib import Path

import pytest

from fanout.endpoint import Endpoint, Secret
from fanout.engine.endpoints import EndpointBook
from fanout.errors import ProviderError, SettingsError
from fanout.providers.base import Provider
from fanout.providers.scripted import Scripted
from fanout.types import EndpointId, FailureKind, ModelRef, Price

KEY = "sk-very-secret-0123456789"
CLOUD = Endpoint(
    id=EndpointId("cloud"),
    name="Cloud",
    base_url="https://api.example.com/v1",
    slots=5,
    default_model="big",
    prices={"big": Price(input=Decimal("0.15"), output=Decimal("0.6"), source="your own price")},
)


def book(file: Path | None = None) -> EndpointBook:
    made: list[Secret | None] = []

    def make(_endpoint: Endpoint, key: Secret | None) -> Provider:
        made.append(key)
        return Scripted()

    return EndpointBook(make, file)


def test_an_added_endpoint_is_there_after_a_restart_without_its_key(tmp_path: Path) -> None:
    file = tmp_path / "home" / "endpoints.json"
    first = book(file)
    first.add(CLOUD, Secret(KEY))
    assert first.has_key(CLOUD.id)
    assert KEY not in file.read_text()
    second = book(file)
    second.load()
    assert second.get(CLOUD.id) == CLOUD
    assert not second.has_key(CLOUD.id)
    second.remove(CLOUD.id)
    third = book(file)
    third.load()
    assert third.all() == ()


@pytest.mark.parametrize(
    "text", ["{", "[1]", '[{"id": "x"}]', '{"a": 1}', '[{"id": "local", "prices": {}}]', "\x00"]
)
def test_a_file_that_cannot_be_used_is_named_and_left_alone(tmp_path: Path, text: str) -> None:
    file = tmp_path / "endpoints.json"
    file.write_text(text)
    with pytest.raises(SettingsError, match=r"endpoints\.json"):
        book(file).load()
    assert file.read_text() == text


def test_an_endpoint_that_cannot_be_kept_still_works(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    here = book(blocked / "endpoints.json")
    with pytest.raises(SettingsError, match="could not be kept"):
        here.add(CLOUD)
    assert here.get(CLOUD.id) == CLOUD


def test_a_removed_endpoint_is_an_expected_failure() -> None:
    with pytest.raises(ProviderError) as caught:
        book().provider(ModelRef(endpoint=EndpointId("gone"), model="m"))
    assert caught.value.failure.kind is FailureKind.UNKNOWN_MODEL


def test_changing_an_endpoint_keeps_its_key() -> None:
    here = book()
    here.put(CLOUD, Secret(KEY))
    here.change(CLOUD)
    assert here.has_key(CLOUD.id)


@pytest.mark.parametrize(
    ("name", "endpoint", "model"),
    [
        ("", "here", "m"),
        ("other", "here", "other"),
        ("cloud/a/b", "cloud", "a/b"),
        ("qwen/qwen3:8b", "here", "qwen/qwen3:8b"),
    ],
)
def test_a_model_name_may_name_its_endpoint(name: str, endpoint: str, model: str) -> None:
    here = book()
    here.put(CLOUD)
    chosen = ModelRef(endpoint=EndpointId("here"), model="m")
    assert here.resolve(name, chosen) == ModelRef(endpoint=EndpointId(endpoint), model=model)


def test_a_secret_shows_itself_to_nobody() -> None:
    secret = Secret(KEY)
    assert KEY not in f"{secret} {secret!r} {[secret]}"
    with pytest.raises(TypeError):
        pickle.dumps(secret)
