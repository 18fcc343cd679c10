"""The file of added endpoints: what it keeps of one, and files that an earlier version wrote."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from fanout.endpoint import Endpoint
from fanout.engine.endpoint_file import EndpointFile
from fanout.errors import SettingsError
from fanout.policies import EndpointPolicy
from fanout.types import EndpointId

CLOUD = Endpoint(
    id=EndpointId("cloud"),
    name="Cloud",
    base_url="https://api.example.com/v1",
    default_model="big",
    embedding_model="embed-1",
)


def test_the_embedding_model_is_kept(tmp_path: Path) -> None:
    file = EndpointFile(tmp_path / "endpoints.json")
    file.save([CLOUD])
    assert file.load() == (CLOUD,)


def test_a_file_from_before_embeddings_still_loads(tmp_path: Path) -> None:
    path = tmp_path / "endpoints.json"
    file = EndpointFile(path)
    file.save([CLOUD])
    rows = json.loads(path.read_text("utf-8"))
    for row in rows:
        del row["embedding_model"]
    path.write_text(json.dumps(rows), "utf-8")
    assert file.load() == (replace(CLOUD, embedding_model=""),)


def test_what_is_so_at_an_endpoint_is_kept(tmp_path: Path) -> None:
    policy = EndpointPolicy(
        requests_per_minute=60,
        tokens_per_minute=9000,
        attempts=2,
        first_token_s=90.5,
        hedging=False,
        prefix="off",
        circuit_failures=0,
        circuit_s=5.0,
    )
    file = EndpointFile(tmp_path / "endpoints.json")
    file.save([replace(CLOUD, policy=policy)])
    assert file.load() == (replace(CLOUD, policy=policy),)


def test_a_file_from_before_policies_still_loads(tmp_path: Path) -> None:
    path = tmp_path / "endpoints.json"
    file = EndpointFile(path)
    file.save([replace(CLOUD, policy=EndpointPolicy(attempts=2))])
    rows = json.loads(path.read_text("utf-8"))
    for row in rows:
        del row["policy"]
    path.write_text(json.dumps(rows), "utf-8")
    assert file.load() == (CLOUD,)


def test_a_policy_may_leave_out_what_it_does_not_say(tmp_path: Path) -> None:
    path = tmp_path / "endpoints.json"
    file = EndpointFile(path)
    file.save([CLOUD])
    rows = json.loads(path.read_text("utf-8"))
    rows[0]["policy"] = {"requests_per_minute": 3, "circuit_s": 20}
    path.write_text(json.dumps(rows), "utf-8")
    assert file.load()[0].policy == EndpointPolicy(requests_per_minute=3)


@pytest.mark.parametrize("policy", [[1], {"requests_per_minute": "many"}, {"prefix": "maybe"}])
def test_a_policy_that_cannot_be_one_makes_the_file_unusable(
    tmp_path: Path, policy: object
) -> None:
    path = tmp_path / "endpoints.json"
    EndpointFile(path).save([CLOUD])
    rows = json.loads(path.read_text("utf-8"))
    rows[0]["policy"] = policy
    path.write_text(json.dumps(rows), "utf-8")
    with pytest.raises(SettingsError, match=r"endpoints\.json"):
        EndpointFile(path).load()
