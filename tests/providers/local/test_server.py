"""The supervisor with the real model: starts, restarts, refusals, and nothing left behind."""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import anyio
import httpx2
import pytest

from fanout.endpoint import Secret
from fanout.errors import LocalModelError
from fanout.providers.local.server import CRASHES, Address, LocalServer, healthy

ROOT = Path(__file__).parents[3]
pytestmark = pytest.mark.model


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[LocalServer]:
    server = LocalServer(tmp_path)
    yield server
    await server.aclose()


async def ask(address: Address, key: str, text: str = "Say hello") -> httpx2.Response:
    async with httpx2.AsyncClient(timeout=60, trust_env=False) as client:
        return await client.post(
            f"{address.base_url}/chat/completions",
            headers={"Authorization": f"Bearer {key}"} if key else {},
            json={"messages": [{"role": "user", "content": text}], "max_tokens": 4},
        )


def phase(server: LocalServer) -> str:
    return server.state.phase


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


async def test_it_starts_once_for_all_who_need_it(server: LocalServer) -> None:
    assert phase(server) == "stopped"
    found: list[Address] = []

    async def need() -> None:
        found.append(await server.ensure())

    async with anyio.create_task_group() as tasks:
        for _ in range(5):
            tasks.start_soon(need)
    assert len({address.base_url for address in found}) == 1
    assert phase(server) == "ready"
    assert server.state.message == "SmolLM2 135M is ready."
    assert await healthy(found[0].base_url)


async def test_only_the_key_of_this_start_opens_it(server: LocalServer) -> None:
    address = await server.ensure()
    assert (await ask(address, "wrong")).status_code == 401
    assert (await ask(address, "")).status_code == 401
    assert (await ask(address, address.key.reveal())).status_code == 200


async def test_the_key_and_the_prompts_stand_in_no_command_line_environment_or_log(
    server: LocalServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-the-user")
    address = await server.ensure()
    key = address.key.reveal()
    await ask(address, key, "xylophone harvest " * 20)
    await ask(address, "sk-wrong-key")
    await ask(address, key, "xylophone harvest " * 5000)
    log = (tmp_path / "logs" / "local-model.log").read_text()
    assert "xylophone" not in log
    assert key not in log
    assert "sk-wrong" not in log
    if sys.platform == "linux":
        process = Path("/proc", str(server.pid))
        said = process.joinpath("cmdline").read_text() + process.joinpath("environ").read_text()
        assert key not in said
        assert "sk-of-the-user" not in said


async def test_after_a_crash_it_starts_again_on_the_next_need(server: LocalServer) -> None:
    first = await server.ensure()
    assert server.pid is not None
    os.kill(server.pid, signal.SIGKILL)
    assert await server.suspect(first)
    assert server.state.phase == "stopped"
    second = await server.ensure()
    assert second.key.reveal() != first.key.reveal()
    assert (await ask(second, second.key.reveal())).status_code == 200


async def test_a_server_that_answers_is_not_ended_on_suspicion(server: LocalServer) -> None:
    address, pid = await server.ensure(), server.pid
    assert not await server.suspect(address)
    assert (await server.ensure(), server.pid) == (address, pid)


@pytest.mark.skipif(sys.platform == "win32", reason="no signal to freeze a process")
async def test_a_server_that_is_frozen_is_ended_and_replaced(server: LocalServer) -> None:
    address, frozen = await server.ensure(), server.pid
    assert frozen is not None
    os.kill(frozen, signal.SIGSTOP)
    assert await server.suspect(address)
    assert not alive(frozen)
    assert (await server.ensure()).base_url


async def test_crash_after_crash_ends_in_a_message_instead_of_another_start(
    server: LocalServer,
) -> None:
    for _ in range(CRASHES):
        address = await server.ensure()
        assert server.pid is not None
        os.kill(server.pid, signal.SIGKILL)
        assert await server.suspect(address)
    with pytest.raises(LocalModelError, match="stopped 3 times within a minute"):
        await server.ensure()
    assert server.state.phase == "failed"


async def test_closing_ends_the_process_and_refuses_new_starts(tmp_path: Path) -> None:
    server = LocalServer(tmp_path)
    await server.ensure()
    pid = server.pid
    assert pid is not None
    await server.aclose()
    assert not alive(pid)
    with pytest.raises(LocalModelError, match="closing"):
        await server.ensure()


async def test_closing_does_not_wait_for_a_start(tmp_path: Path) -> None:
    server = LocalServer(tmp_path)
    refused = anyio.Event()

    async def start() -> None:
        with pytest.raises(LocalModelError, match="closing"):
            await server.ensure()
        refused.set()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(start)
        while server.state.phase != "starting":
            await anyio.lowlevel.checkpoint()
        await server.aclose()
        await refused.wait()
    assert server.pid is None


async def test_who_gives_up_waiting_leaves_a_server_that_can_still_start(
    server: LocalServer,
) -> None:
    with anyio.move_on_after(0.05) as gave_up:
        await server.ensure()
    assert gave_up.cancelled_caught
    assert server.state.phase == "stopped"
    assert await server.ensure()


async def test_a_start_that_takes_too_long_is_given_up(tmp_path: Path) -> None:
    server = LocalServer(tmp_path, start_deadline_s=0.01)
    with pytest.raises(LocalModelError, match="not ready after"):
        await server.ensure()
    assert server.pid is None
    assert server.state.phase == "failed"


async def test_a_port_in_use_is_said(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        server = LocalServer(tmp_path, port=port)
        with pytest.raises(LocalModelError, match=f"Port {port} is in use"):
            await server.ensure()


async def test_a_setting_that_cannot_start_is_absent_and_then_fails_with_words(
    tmp_path: Path,
) -> None:
    server = LocalServer(tmp_path, str(tmp_path / "gone.gguf"))
    assert phase(server) == "absent"
    await server.warm_up()
    assert phase(server) == "failed"
    assert "no model file gone.gguf" in server.state.message


async def test_a_file_that_llama_cpp_refuses_is_said(tmp_path: Path) -> None:
    (tmp_path / "bad.gguf").write_bytes(b"GGUF" + bytes(100))
    server = LocalServer(tmp_path, str(tmp_path / "bad.gguf"))
    with pytest.raises(LocalModelError, match=r"llama\.cpp can't load bad"):
        await server.ensure()


async def test_an_empty_key_opens_the_server(tmp_path: Path) -> None:
    server = LocalServer(tmp_path, key=Secret(""))
    try:
        assert (await ask(await server.ensure(), "")).status_code == 200
    finally:
        await server.aclose()


async def test_a_home_that_cannot_be_written_does_not_stop_the_model(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    server = LocalServer(tmp_path / "file" / "home")
    try:
        assert await server.ensure()
    finally:
        await server.aclose()


async def answers(port: int) -> bool:
    try:
        await (await anyio.connect_tcp("127.0.0.1", port)).aclose()
    except OSError:
        return False
    return True


PARENT = """
import anyio, sys
from pathlib import Path
from fanout.providers.local.server import LocalServer

async def main():
    server = LocalServer(Path(sys.argv[1]))
    address = await server.ensure()
    print(address.base_url, flush=True)
    await anyio.sleep_forever()

anyio.run(main, backend_options={"use_uvloop": sys.argv[2] == "uvloop"})
"""


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
async def test_the_model_is_gone_when_its_parent_was_killed(tmp_path: Path, loop: str) -> None:
    if loop == "uvloop":
        pytest.importorskip("uvloop")
    command = [sys.executable, "-c", PARENT, str(tmp_path), loop]
    async with await anyio.open_process(command, cwd=ROOT, stderr=None) as parent:
        assert parent.stdout is not None
        address = (await parent.stdout.receive()).decode().strip()
        port = int(address.removeprefix("http://127.0.0.1:").removesuffix("/v1"))
        line = await anyio.connect_tcp("127.0.0.1", port)
        parent.kill()
        with anyio.fail_after(20):
            with pytest.raises((anyio.EndOfStream, anyio.BrokenResourceError)):
                await line.receive()
            # The system closes an ending process's connections first and its door a little later.
            while await answers(port):
                await anyio.lowlevel.checkpoint()
        await line.aclose()


async def test_serving_in_the_foreground_says_where_and_ends_on_ctrl_c(tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from fanout.endpoint import Secret;"
        "from fanout.providers.local.serve import serve_model;"
        "say = lambda line: print(line, flush=True);"
        "sys.exit(serve_model(Path(sys.argv[1]), key=Secret('mine'), say=say))"
    )
    command = [sys.executable, "-c", script, str(tmp_path)]
    async with await anyio.open_process(command, cwd=ROOT, stderr=None) as process:
        assert process.stdout is not None
        said = ""
        with anyio.fail_after(60):
            while "Ctrl+C" not in said:
                said += (await process.stdout.receive()).decode()
        base_url = said.split(" answers at ")[1].split()[0]
        async with httpx2.AsyncClient(trust_env=False) as client:
            models = await client.get(
                f"{base_url}/models", headers={"Authorization": "Bearer mine"}
            )
        assert json.loads(models.text)["data"][0]["id"] in said
        assert "mine" not in said
        process.send_signal(signal.SIGINT)
        with anyio.fail_after(20):
            assert await process.wait() == 0
    assert not await healthy(base_url)
