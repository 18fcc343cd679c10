"""Downloads from a hub on this machine that behaves like the real one, and misbehaves."""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterator
from pathlib import Path

import anyio
import pytest

from fanout.endpoint import Secret
from fanout.errors import LocalModelError
from fanout.providers.local.download import PIECE_BYTES, Progress, download, downloaded
from fanout.providers.local.hub import Hub
from fanout.providers.local.weights import HubName
from tests.providers.local.fake_hub import FakeHub, running

WEIGHTS = b"GGUF" + bytes(range(256)) * 20_000
NAME = HubName(repo="tiny/model-GGUF")


@pytest.fixture
def hub() -> Iterator[FakeHub]:
    with running(FakeHub(files={"model.Q8_0.gguf": b"GGUF8", "model.Q4_K_M.gguf": WEIGHTS})) as hub:
        yield hub


def files_in(folder: Path) -> list[str]:
    return [path.name for path in folder.rglob("*") if path.is_file()]


async def fetch(
    hub: FakeHub, home: Path, name: HubName = NAME, *, token: str = "", free: int = 10**12
) -> tuple[Path, list[Progress]]:
    seen: list[Progress] = []
    path = await download(
        name,
        home,
        seen.append,
        hub=Hub(base_url=hub.url, token=Secret(token)),
        pause_s=0,
        free_bytes=lambda _: free,
    )
    return path, seen


async def test_the_usual_quantisation_is_chosen_and_arrives_whole(
    hub: FakeHub, tmp_path: Path
) -> None:
    path, seen = await fetch(hub, tmp_path)
    assert path.name == "model.Q4_K_M.gguf"
    assert path.read_bytes() == WEIGHTS
    assert seen[-1].done == seen[-1].total == len(WEIGHTS)
    assert seen[-1].bytes_per_s > 0
    assert files_in(tmp_path) == [path.name]


async def test_a_named_file_is_taken_instead(hub: FakeHub, tmp_path: Path) -> None:
    path, _ = await fetch(hub, tmp_path, HubName(repo=NAME.repo, file="model.Q8_0.gguf"))
    assert path.read_bytes() == b"GGUF8"


async def test_a_second_time_needs_no_network(hub: FakeHub, tmp_path: Path) -> None:
    first, _ = await fetch(hub, tmp_path)
    asked = len(hub.tokens)
    second, seen = await fetch(hub, tmp_path)
    assert (first, len(hub.tokens), seen) == (second, asked, [])
    assert downloaded(NAME, tmp_path) == first


async def test_a_broken_connection_is_continued_where_it_stopped(
    hub: FakeHub, tmp_path: Path
) -> None:
    hub.break_after = 1_000_000
    path, seen = await fetch(hub, tmp_path)
    assert path.read_bytes() == WEIGHTS
    assert hub.ranges == [None, f"bytes={1_000_000 // PIECE_BYTES * PIECE_BYTES}-"]
    assert [p.done for p in seen] == sorted(p.done for p in seen)


async def test_a_server_without_ranges_sends_everything_again(hub: FakeHub, tmp_path: Path) -> None:
    hub.break_after, hub.ignores_ranges = 1_000_000, True
    path, _ = await fetch(hub, tmp_path)
    assert path.read_bytes() == WEIGHTS


async def test_cancelling_keeps_what_has_come_for_the_next_time(
    hub: FakeHub, tmp_path: Path
) -> None:
    with anyio.CancelScope() as scope:
        await download(
            NAME, tmp_path, lambda _: scope.cancel(), hub=Hub(base_url=hub.url), pause_s=0
        )
    assert scope.cancelled_caught
    assert downloaded(NAME, tmp_path) is None
    path, _ = await fetch(hub, tmp_path)
    assert path.read_bytes() == WEIGHTS
    assert hub.ranges[-1] not in (None, "bytes=0-")


async def test_bytes_with_another_checksum_never_become_a_model(
    hub: FakeHub, tmp_path: Path
) -> None:
    hub.published_sha256 = "0" * 64
    with pytest.raises(LocalModelError, match="checksum is not the published one"):
        await fetch(hub, tmp_path)
    assert files_in(tmp_path) == []


@pytest.mark.parametrize(
    ("status", "code", "words"),
    [
        (404, "", "has no model “tiny/model-GGUF”"),
        (401, "RepoNotFound", "has no model “tiny/model-GGUF”"),
        (401, "GatedRepo", "accept its terms"),
        (403, "GatedRepo", "set HF_TOKEN"),
        (429, "", "pause"),
        (503, "", "status 503"),
    ],
)
async def test_each_refusal_says_what_to_do(
    hub: FakeHub, tmp_path: Path, status: int, code: str, words: str
) -> None:
    hub.status, hub.error_code = status, code
    with pytest.raises(LocalModelError, match=words) as raised:
        await fetch(hub, tmp_path, token="hf_hidden")
    assert "hf_hidden" not in str(raised.value)


async def test_offline_names_the_way_out(tmp_path: Path) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        hub = FakeHub(files={}, url=f"http://127.0.0.1:{nobody.getsockname()[1]}")
        with pytest.raises(LocalModelError, match=r"Can't reach .* path of a \.gguf file instead"):
            await fetch(hub, tmp_path)


async def test_a_repository_without_models_or_with_pieces_only_is_named(
    hub: FakeHub, tmp_path: Path
) -> None:
    hub.files = {"model.safetensors": b"x"}
    with pytest.raises(LocalModelError, match=r"holds no \.gguf file"):
        await fetch(hub, tmp_path)
    hub.files = {"model-00001-of-00002.gguf": b"x", "mmproj-model.gguf": b"x"}
    with pytest.raises(LocalModelError, match="several pieces"):
        await fetch(hub, tmp_path)


async def test_a_file_that_is_not_there_is_answered_with_those_that_are(
    hub: FakeHub, tmp_path: Path
) -> None:
    with pytest.raises(LocalModelError, match=r"no file other\.gguf\. It has: model\.Q4_K_M\.gguf"):
        await fetch(hub, tmp_path, HubName(repo=NAME.repo, file="other.gguf"))


async def test_a_file_name_that_leaves_its_folder_is_not_a_file(
    hub: FakeHub, tmp_path: Path
) -> None:
    hub.files = {"../../escape.gguf": b"GGUF", "/etc/escape.gguf": b"GGUF"}
    with pytest.raises(LocalModelError, match=r"holds no \.gguf file"):
        await fetch(hub, tmp_path)


async def test_too_little_space_is_noticed_before_the_first_byte(
    hub: FakeHub, tmp_path: Path
) -> None:
    with pytest.raises(LocalModelError, match=r"needs \d+ MB of disk, and 5 MB are free"):
        await fetch(hub, tmp_path, free=5_000_000)
    assert hub.ranges == []


async def test_a_disk_that_fills_up_on_the_way_is_said(hub: FakeHub, tmp_path: Path) -> None:
    def full(_: Progress) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(LocalModelError, match="disk is full"):
        await download(NAME, tmp_path, full, hub=Hub(base_url=hub.url), pause_s=0)


async def test_the_token_goes_to_the_hub_and_not_to_its_storage(tmp_path: Path) -> None:
    with (
        running(FakeHub(files={"m.gguf": b"GGUF"})) as storage,
        running(FakeHub(files={"m.gguf": b"GGUF"})) as hub,
    ):
        hub.redirect_to = f"{storage.url}/storage/m.gguf"
        await fetch(hub, tmp_path, token="hf_hidden")
    assert {token for _, token in hub.tokens} == {"Bearer hf_hidden"}
    assert [token for _, token in storage.tokens] == [None]


@pytest.mark.parametrize("where", ["http://example.org/m.gguf", "file:///etc/passwd"])
async def test_a_redirect_to_an_unsafe_address_is_not_followed(
    hub: FakeHub, tmp_path: Path, where: str
) -> None:
    hub.redirect_to = where
    with pytest.raises(LocalModelError, match="can't be trusted"):
        await fetch(hub, tmp_path)


async def test_a_hub_without_https_is_refused(tmp_path: Path) -> None:
    hub = FakeHub(files={}, url="http://example.org")
    with pytest.raises(LocalModelError, match="HF_ENDPOINT must be an https address"):
        await fetch(hub, tmp_path)
