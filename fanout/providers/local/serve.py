"""The local model as an endpoint of its own, in the foreground, for other programs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import anyio

from fanout.endpoint import Secret
from fanout.errors import LocalModelError
from fanout.providers.local.server import LocalServer


def serve_model(
    home: Path,
    *,
    port: int | None = None,
    setting: str | None = None,
    key: Secret | None = None,
    say: Callable[[str], None],
) -> int:
    """Serve until Ctrl+C; returns the exit status: 0 after Ctrl+C, 1 where it can't go on.

    Without a key the server answers every program of this machine; without a port it takes a free
    one. `say` gets each line for the person at the terminal.
    """
    try:
        return anyio.run(
            _serve, LocalServer(home, setting, port=port or 0, key=key or Secret("")), say
        )
    except KeyboardInterrupt:
        return 0


async def _serve(server: LocalServer, say: Callable[[str], None]) -> int:
    try:
        address = await server.ensure()
        for line in _greeting(address.base_url, address.model.title, address.model.id, address.key):
            say(line)
        await server.wait_for_end()
        say(f"{address.model.title} stopped unexpectedly. logs/local-model.log says more.")
    except LocalModelError as error:
        say(str(error))
    finally:
        await server.aclose()
    return 1


def _greeting(base_url: str, title: str, model_id: str, key: Secret) -> tuple[str, ...]:
    bearer = '  -H "Authorization: Bearer $OPENAI_API_KEY" \\' if key else None
    body = f'{{"model": "{model_id}", "messages": [{{"role": "user", "content": "Say hello"}}]}}'
    example = (
        "Try it:",
        f"curl {base_url}/chat/completions \\",
        bearer,
        '  -H "Content-Type: application/json" \\',
        f"  -d '{body}'",
    )
    return (
        f"{title} answers at {base_url}",
        "It asks for the key in OPENAI_API_KEY." if key else "It asks for no key.",
        *(line for line in example if line is not None),
        "Ctrl+C ends it.",
    )
