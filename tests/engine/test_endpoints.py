"""The endpoints of a process: keys stay in memory, the rest is kept, bad files change nothing."""

from __future__ import annotations

import pickle
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from fanout.endpoint import Endpoint, Secret
from fanout.engine.endpoints import EndpointBook
from fanout.errors import ProviderError, SettingsError
from fanout.policies import EndpointPolicy
from fanout.providers.base import Provider
from fanout.providers.scripted import Scripted
from fanout.traffic.health import RateHealth
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
    "text",
    [
        "{",
        "[1]",
        '[{"id": "x"}]',
        '{"a": 1}',
        '[{"id": "local", "prices": {}}]',
        '[{"id": "environment", "prices": {}}]',
        "\x00",
    ],
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


def test_an_endpoint_keeps_its_address_because_its_key_belongs_to_it() -> None:
    here = book()
    here.put(CLOUD, Secret(KEY))
    with pytest.raises(ValueError, match="address"):
        here.change(replace(CLOUD, base_url="https://elsewhere.example.com/v1"))
    assert here.get(CLOUD.id) == CLOUD


def test_only_a_new_key_makes_a_new_provider() -> None:
    made: list[Secret | None] = []

    def make(_endpoint: Endpoint, key: Secret | None) -> Provider:
        made.append(key)
        return Scripted()

    here = EndpointBook(make)
    old, new = Secret(KEY), Secret("sk-another")
    here.put(CLOUD, old)
    model = ModelRef(endpoint=CLOUD.id, model="big")
    first = here.provider(model)
    here.change(replace(CLOUD, default_model="small", prices={}))
    assert here.provider(model) is first
    here.change(CLOUD, new)
    assert here.provider(model) is not first
    assert made == [old, new]


def test_more_calls_at_once_are_allowed_from_the_next_call_on() -> None:
    here = book()
    here.put(CLOUD)
    before = here.gate(CLOUD.id)
    here.change(replace(CLOUD, default_model="small"))
    assert here.gate(CLOUD.id) is before
    here.change(replace(CLOUD, slots=9))
    assert here.gate(CLOUD.id) is before
    assert before.slots == 9


def test_the_health_of_all_endpoints_is_told_also_of_one_never_asked() -> None:
    here = book()
    here.put(CLOUD)
    here.put(replace(CLOUD, id=EndpointId("other"), policy=EndpointPolicy(requests_per_minute=60)))
    cloud, other = here.health()
    assert (cloud.endpoint, cloud.slots, cloud.allowed, cloud.error_rate) == ("cloud", 5, 5, None)
    assert other.requests == RateHealth(limit=60, source="set", left=60)


def test_a_damaged_file_is_set_aside_and_not_overwritten(tmp_path: Path) -> None:
    file = tmp_path / "endpoints.json"
    file.write_text("precious {")
    here = book(file)
    with pytest.raises(SettingsError):
        here.load()
    here.add(CLOUD)
    assert (tmp_path / "endpoints.damaged.json").read_text() == "precious {"
    again = book(file)
    again.load()
    assert again.get(CLOUD.id) == CLOUD


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("My Server", "my-server"),
        ("Cloud", "cloud-2"),
        ("local", "local-2"),
        ("Environment", "environment-2"),
        ("モデル", "endpoint"),
        ("a/b\\c:*?", "a-b-c"),
    ],
)
def test_an_id_is_plain_and_nobody_elses(name: str, expected: str) -> None:
    here = book()
    here.put(CLOUD)
    assert here.free_id(name) == expected


def test_removing_what_cannot_be_written_down_removes_it_all_the_same(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    here = book(blocked / "endpoints.json")
    here.put(CLOUD, Secret(KEY))
    with pytest.raises(SettingsError):
        here.remove(CLOUD.id)
    assert CLOUD.id not in here


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
