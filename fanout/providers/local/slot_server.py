"""llama.cpp's own calls beside OpenAI's: tokens of a prompt, and a slot's state to and from a file.

Source: llama.cpp, tools/server/README.md: /apply-template, /tokenize, /completion and
/slots/{id_slot}?action=save|restore.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import httpx2

from fanout.endpoint import Secret
from fanout.providers.base import ChatRequest

CONNECT_S: Final = 10.0
_TEMPLATE_FIELDS: Final = ("chat_template_kwargs", "reasoning_format")
"""Further fields of a request that change how its messages are written down."""


class SlotRefusal(Exception):
    """The server would not, or something else answered; the message names no prompt."""


class SlotServer:
    """One life of the server."""

    def __init__(self, base_url: str, key: Secret) -> None:
        self._http = httpx2.AsyncClient(
            base_url=base_url.removesuffix("/v1"),
            headers={"authorization": f"Bearer {key.reveal()}"} if key else {},
            # Computing a long beginning takes as long as it takes; who asked may leave.
            timeout=httpx2.Timeout(None, connect=CONNECT_S),
            # llama.cpp hangs up on connections that are used again.
            limits=httpx2.Limits(max_keepalive_connections=0),
            trust_env=False,
        )

    async def tokens(self, request: ChatRequest) -> list[int]:
        """The prompt exactly as the model would be given it."""
        said = [{"role": one.role, "content": one.content} for one in request.messages]
        body: dict[str, object] = {"messages": said}
        if request.response_format is not None:
            body["response_format"] = request.response_format
        body |= {name: request.extra[name] for name in _TEMPLATE_FIELDS if name in request.extra}
        prompt = (await self._post("/apply-template", body)).get("prompt")
        asked = {"content": prompt, "add_special": True, "parse_special": True}
        found = (await self._post("/tokenize", asked)).get("tokens")
        if not isinstance(found, list) or not all(isinstance(token, int) for token in found):
            raise SlotRefusal("/tokenize gave no tokens")
        return found

    async def compute(self, tokens: Sequence[int], slot: int) -> None:
        """Have the slot's memory hold exactly these tokens."""
        body = {"prompt": list(tokens), "n_predict": 0, "id_slot": slot, "cache_prompt": True}
        if (await self._post("/completion", body)).get("id_slot") != slot:
            raise SlotRefusal("/completion used another slot")

    async def save(self, slot: int, name: str) -> int:
        """Write the slot's memory to a file; the tokens in it."""
        saved = (await self._post(f"/slots/{slot}?action=save", {"filename": name})).get("n_saved")
        return saved if isinstance(saved, int) else 0

    async def restore(self, slot: int, name: str) -> int:
        """Read the slot's memory from a file; the tokens in it."""
        answer = await self._post(f"/slots/{slot}?action=restore", {"filename": name})
        read = answer.get("n_restored")
        return read if isinstance(read, int) else 0

    async def aclose(self) -> None:
        await self._http.aclose()

    async def _post(self, path: str, body: Mapping[str, object]) -> Mapping[str, object]:
        where = path.partition("?")[0]
        try:
            response = await self._http.post(path, json=body)
            answer: object = response.json() if response.is_success else None
        except (httpx2.HTTPError, ValueError) as problem:
            raise SlotRefusal(f"{where}: {type(problem).__name__}") from None
        if not isinstance(answer, dict):
            raise SlotRefusal(f"{where}: HTTP {response.status_code}")
        return answer
