"""Where a call may end up: at a server, nowhere, or where no safe connection can be had."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import trustme
import uvicorn

from fanout.providers.script import DEMO
from fanout.providers.scripted_app import Ledger, scripted_app
from fanout.providers.scripted_server import ServerHandle
from tests.faults.cases import Place
from tests.rig import free_port


async def no_name(_host: str, _port: int) -> Sequence[str]:
    # No test asks a resolver outside this machine; this is what one answers.
    raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")


@contextmanager
def base_url(place: Place, server: ServerHandle, folder: Path) -> Iterator[str]:
    """The base URL of those who meet the fault."""
    match place:
        case Place.SERVER:
            yield server.base_url
        case Place.NOBODY:
            yield f"http://127.0.0.1:{free_port()}/v1"
        case Place.PLAIN:
            yield server.base_url.replace("http:", "https:")
        case Place.NO_NAME:
            yield "https://nowhere.invalid/v1"
        case Place.SELF_SIGNED:
            with _self_signed(folder) as url:
                yield url


@contextmanager
def _self_signed(folder: Path) -> Iterator[str]:
    own = trustme.CA().issue_cert("127.0.0.1")
    pem = folder / "self-signed.pem"
    own.private_key_and_cert_chain_pem.write_to_path(str(pem))
    config = uvicorn.Config(
        scripted_app(DEMO, Ledger()),
        ws="none",
        lifespan="off",
        log_level="critical",
        ssl_certfile=str(pem),
    )
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
        thread.start()
        try:
            yield f"https://127.0.0.1:{listener.getsockname()[1]}/v1"
        finally:
            server.should_exit = server.force_exit = True
            thread.join(10)
