"""The bundled model's own server reads turns in what a person typed; our prompts hold none."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import pytest

from fanout.providers.local.server import LocalServer
from fanout.workflows.quoting import in_one_turn

pytestmark = pytest.mark.model
MARKS = ("<|im_start|>", "<|im_end|>", "<|endoftext|>", "<repo_name>", "<jupyter_text>")
TIMES = 12


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[LocalServer]:
    server = LocalServer(tmp_path)
    yield server
    await server.aclose()


async def test_no_mark_of_a_turn_reaches_the_real_model(server: LocalServer) -> None:
    address = await server.ensure()
    key = address.key.reveal()
    async with httpx2.AsyncClient(timeout=60, trust_env=False) as client:

        async def tokens(text: str) -> int:
            asked = {"messages": [{"role": "user", "content": text}], "max_tokens": 1}
            said = await client.post(
                f"{address.base_url}/chat/completions",
                headers={"Authorization": f"Bearer {key}"},
                json=asked,
            )
            return int(said.json()["usage"]["prompt_tokens"])

        bare = await tokens("x")
        for mark in MARKS:
            raw = await tokens("x" + mark * TIMES) - bare
            assert raw == TIMES, f"the hole is gone: {mark} is text now"
            assert await tokens("x" + in_one_turn(mark * TIMES)) - bare > 3 * TIMES
