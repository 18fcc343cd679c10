"""What the Hub has: the GGUF files of a repository, and which of them to take.

The base address comes from HF_ENDPOINT where that is set, a token for gated models from HF_TOKEN.
The token goes to that address only, never to the storage host it redirects to.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Final
from urllib.parse import quote, urljoin, urlsplit

import httpx2
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from fanout.endpoint import Secret
from fanout.errors import LocalModelError
from fanout.providers.local.weights import HubName

PUBLIC_HUB: Final = "https://huggingface.co"
REDIRECTS: Final = 5
ANSWER_BYTES: Final = 8 << 20
INSTEAD: Final = (
    "Give the path of a .gguf file instead, or leave the model empty for the bundled one."
)

PREFERRED: Final = (
    *("Q4_K_M", "Q4_K_S", "Q5_K_M", "Q4_0", "Q4_1", "IQ4_XS", "IQ4_NL", "Q5_K_S", "Q5_0", "Q6_K"),
    *("Q8_0", "Q3_K_M", "Q3_K_L", "IQ3_M", "Q2_K", "F16", "BF16", "F32"),
)
"""Best balance of size and quality first, by llama.cpp's own tables of perplexity."""

_PIECE = re.compile(r"-\d{5}-of-\d{5}\.gguf$", re.IGNORECASE)
_NO_MODEL = re.compile(r"(^|/)(mmproj|imatrix)|imatrix\.gguf$", re.IGNORECASE)
_SAFE_PATH = re.compile(r"[\w+ -][\w.+ -]*(/[\w+ -][\w.+ -]*)*", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hub:
    """Where models come from."""

    base_url: str = PUBLIC_HUB
    token: Secret = field(default_factory=lambda: Secret(""))

    @classmethod
    def from_environment(cls) -> Hub:
        return cls(
            base_url=(os.environ.get("HF_ENDPOINT") or PUBLIC_HUB).rstrip("/"),
            token=Secret(os.environ.get("HF_TOKEN", "")),
        )

    @property
    def host(self) -> str:
        return urlsplit(self.base_url).hostname or self.base_url

    @property
    def unreachable(self) -> LocalModelError:
        return LocalModelError(f"Can't reach {self.host} from this machine. {INSTEAD}")

    def headers_for(self, url: str) -> dict[str, str]:
        own = urlsplit(url)[:2] == urlsplit(self.base_url)[:2]
        return {"Authorization": f"Bearer {self.token.reveal()}"} if self.token and own else {}

    def trusts(self, url: str) -> bool:
        """True for https anywhere, and for plain http only to a hub on this machine itself."""
        parts, own = urlsplit(url), urlsplit(self.base_url)
        on_loopback = parts.hostname in ("127.0.0.1", "::1", "localhost")
        return parts.scheme == "https" or (on_loopback and parts.hostname == own.hostname)


@dataclass(frozen=True, slots=True, kw_only=True)
class HubFile:
    """One GGUF file of a repository, at one revision."""

    repo: str
    revision: str
    path: str
    size: int | None
    sha256: str | None

    def url(self, hub: Hub) -> str:
        return f"{hub.base_url}/{self.repo}/resolve/{quote(self.revision)}/{quote(self.path)}"


class _Lfs(BaseModel):
    model_config = ConfigDict(frozen=True)
    sha256: str | None = Field(default=None, pattern=r"^[0-9a-f]{64}$")
    size: int | None = None


class _Sibling(BaseModel):
    model_config = ConfigDict(frozen=True)
    rfilename: str
    size: int | None = None
    lfs: _Lfs | None = None


class _Repository(BaseModel):
    model_config = ConfigDict(frozen=True)
    sha: str = Field(default="main", pattern=r"^[\w.-]+$")
    siblings: tuple[_Sibling, ...] = ()


async def hub_file(client: httpx2.AsyncClient, hub: Hub, name: HubName) -> HubFile:
    """The file that a Hub name means; raises LocalModelError in words where there is none."""
    url: str | None = f"{hub.base_url}/api/models/{name.repo}?blobs=true"
    try:
        for _ in range(REDIRECTS):
            if url is None or not hub.trusts(url):
                break
            async with client.stream("GET", url, headers=hub.headers_for(url)) as response:
                if response.is_redirect:
                    url = urljoin(url, response.headers["location"])
                    continue
                refuse(response, name, hub)
                return _choose(_repository(await _body(response), hub), name)
    except httpx2.TransportError:
        raise hub.unreachable from None
    raise LocalModelError(f"{hub.host} redirects to an address that can't be trusted. {INSTEAD}")


def refuse(response: httpx2.Response, name: HubName, hub: Hub) -> None:
    """Raise LocalModelError for every status that is not a success."""
    if response.is_success:
        return
    reason = response.headers.get("x-error-code", "")
    status = response.status_code
    if status == HTTPStatus.NOT_FOUND or reason in ("RepoNotFound", "EntryNotFound"):
        raise LocalModelError(
            f"{hub.host} has no model “{name}”. Check the spelling of owner and name."
        )
    if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        raise LocalModelError(
            f"{name.repo} doesn't exist or is open only to accepted accounts. If it exists, "
            f"accept its terms on {hub.host} and set HF_TOKEN to a token of that account."
        )
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        raise LocalModelError(
            f"{hub.host} asks for a pause after many requests. Try again in a few minutes."
        )
    raise LocalModelError(f"{hub.host} answered with status {status}. Try again later. {INSTEAD}")


async def _body(response: httpx2.Response) -> bytes:
    body = bytearray()
    async for piece in response.aiter_bytes():
        body += piece
        if len(body) > ANSWER_BYTES:
            break
    return bytes(body)


def _repository(body: bytes, hub: Hub) -> _Repository:
    try:
        return _Repository.model_validate_json(body)
    except ValidationError:
        raise LocalModelError(
            f"{hub.host} answered with something that is no list of files. {INSTEAD}"
        ) from None


def _choose(repository: _Repository, name: HubName) -> HubFile:
    paths = {s.rfilename: s for s in repository.siblings if _SAFE_PATH.fullmatch(s.rfilename)}
    models = [p for p in paths if p.lower().endswith(".gguf") and not _NO_MODEL.search(p)]
    whole = [p for p in models if not _PIECE.search(p)]
    if name.file is not None and name.file not in whole:
        raise LocalModelError(f"{name.repo} has no file {name.file}. It has: {_some(whole)}.")
    if not models:
        raise LocalModelError(
            f"{name.repo} holds no .gguf file. Look for a repository whose name ends in -GGUF."
        )
    if not whole:
        raise LocalModelError(
            f"{name.repo} holds its model in several pieces, which Fanout doesn't join. {INSTEAD}"
        )
    chosen = paths[name.file or preferred(whole)]
    return HubFile(
        repo=name.repo,
        revision=repository.sha,
        path=chosen.rfilename,
        size=(chosen.lfs and chosen.lfs.size) or chosen.size,
        sha256=chosen.lfs.sha256 if chosen.lfs else None,
    )


def preferred(paths: list[str]) -> str:
    """The file to take where a repository has several."""
    return min(paths, key=_rank)


def _rank(path: str) -> tuple[int, str]:
    words = re.split(r"[.\-/ ]", path.upper())
    return next((n for n, kind in enumerate(PREFERRED) if kind in words), len(PREFERRED)), path


def _some(paths: list[str]) -> str:
    listed = ", ".join(sorted(paths)[:6]) or "no .gguf file"
    return f"{listed} and more" if len(paths) > 6 else listed
