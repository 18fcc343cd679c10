"""Finds the model servers that already run on this machine, by asking at their usual ports."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import anyio
import httpx2

from fanout.providers.model_list import model_names

USUAL_PORTS: Mapping[int, str] = MappingProxyType(
    {11434: "Ollama", 1234: "LM Studio", 8000: "vLLM", 8080: "llama.cpp", 1337: "Jan"}
)

_DEADLINE_S = 0.5
_MAX_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundServer:
    """A server on this machine that answers like OpenAI's."""

    name: str
    """Whose usual port it is: what runs there may be another."""
    base_url: str
    models: tuple[str, ...]


async def find_local_servers(
    ports: Mapping[int, str] = USUAL_PORTS, *, deadline_s: float = _DEADLINE_S
) -> tuple[FoundServer, ...]:
    """Those that answer within the deadline with a list of models, in the order of `ports`.

    Sends no key, follows no redirect and leaves out whatever answers anything else.
    """
    found: dict[int, FoundServer] = {}

    # One that takes no key from netrc and no proxy from the environment.
    client = httpx2.AsyncClient(trust_env=False, follow_redirects=False, timeout=deadline_s)

    async def probe(port: int, name: str) -> None:
        base_url = f"http://127.0.0.1:{port}/v1"
        with anyio.move_on_after(deadline_s):
            models = await _models(client, base_url)
            if models is not None:
                found[port] = FoundServer(name=name, base_url=base_url, models=models)

    async with client, anyio.create_task_group() as group:
        for port, name in ports.items():
            group.start_soon(probe, port, name)
    return tuple(found[port] for port in ports if port in found)


async def _models(client: httpx2.AsyncClient, base_url: str) -> tuple[str, ...] | None:
    body = bytearray()
    try:
        async with client.stream("GET", f"{base_url}/models") as response:
            if response.status_code != 200:
                return None
            async for data in response.aiter_bytes():
                body += data
                if len(body) > _MAX_BYTES:
                    return None
    except httpx2.HTTPError:
        return None
    return model_names(bytes(body))
