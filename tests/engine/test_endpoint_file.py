"""The file of added endpoints: what it keeps of one, and files that an earlier version wrote."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from fanout.endpoint import Endpoint
from fanout.engine.endpoint_file import EndpointFile
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
