"""CPU per stream chunk: our reading of an answer beside the SDK's own chunk objects.

Both ask the same scripted server, which runs in a child process, over the same openai client; what
is measured is this process alone. The two ways take turns within every round, so that a busy
machine troubles both alike.

    python benchmarks/cpu_per_chunk.py [--quick]

Goals: flat out at least 4 times cheaper; paced at 100 tokens/s on 12 streams about half.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import anyio
import openai

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from fanout.endpoint import Endpoint  # noqa: E402
from fanout.providers.base import ChatRequest, TextPiece  # noqa: E402
from fanout.providers.openai_compatible import OpenAICompatible  # noqa: E402
from fanout.types import EndpointId, Message  # noqa: E402

Read = Callable[[str], Awaitable[int]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    name: str
    reply: str
    """The scripted reply's settings, as TOML."""
    words: int
    streams: int
    goal: float
    """How many times cheaper ours is meant to be."""

    @property
    def model(self) -> str:
        return self.name.replace(" ", "-")

    @property
    def toml(self) -> str:
        text = ("word " * self.words).strip()
        rule = f'[[rule]]\nmodel = "{self.model}"\n[[rule.reply]]\n'
        return f'{rule}text = "{text}"\n{self.reply}\n'


def cases(*, quick: bool) -> tuple[Case, ...]:
    flat, paced = (1000, 150) if quick else (4000, 500)
    return (
        Case(name="flat out", reply="", words=flat, streams=1, goal=4),
        Case(name="flat out x12", reply="", words=flat // 4, streams=12, goal=4),
        Case(
            name="flat out, 50 per write",
            reply="pieces_per_write = 50",
            words=flat,
            streams=1,
            goal=4,
        ),
        Case(name="100/s x12", reply="tokens_per_s = 100", words=paced, streams=12, goal=2),
    )


@contextmanager
def scripted_server(script: str) -> Iterator[str]:
    """The base URL of a scripted server in a child process."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "script.toml")
        path.write_text(script, encoding="utf-8")
        command = [sys.executable, "-m", "fanout.providers.scripted_server", "--port", "0"]
        child = subprocess.Popen(
            [*command, "--script", str(path)], cwd=ROOT, stdout=subprocess.PIPE, text=True
        )
        assert child.stdout
        try:
            yield child.stdout.readline().split()[-1]
        finally:
            child.terminate()
            child.wait()
            child.stdout.close()


def ours(provider: OpenAICompatible) -> Read:
    async def read(model: str) -> int:
        pieces = 0
        request = ChatRequest(model=model, messages=(Message(role="user", content="Go."),))
        async with provider.stream(request) as items:
            async for item in items:
                if isinstance(item, TextPiece):
                    pieces += item.pieces
        return pieces

    return read


def theirs(client: openai.AsyncOpenAI) -> Read:
    async def read(model: str) -> int:
        pieces = 0
        stream = await client.chat.completions.create(
            model=model,
            messages=[{"role": "user", "content": "Go."}],
            stream=True,
            stream_options={"include_usage": True},
        )
        async for chunk in stream:
            if chunk.choices and chunk.choices[0].delta.content:
                pieces += 1
        return pieces

    return read


async def cpu_us_per_chunk(read: Read, case: Case) -> float:
    async def count() -> None:
        pieces = await read(case.model)
        assert pieces == case.words, f"{pieces} of {case.words} pieces came"

    began = time.process_time()
    async with anyio.create_task_group() as group:
        for _ in range(case.streams):
            group.start_soon(count)
    return (time.process_time() - began) / (case.words * case.streams) * 1e6


async def measure(base_url: str, chosen: tuple[Case, ...], rounds: int) -> None:
    provider = OpenAICompatible(Endpoint(id=EndpointId("bench"), name="bench", base_url=base_url))
    client = openai.AsyncOpenAI(base_url=base_url, api_key="none", max_retries=0)
    print(
        f"{'CPU per chunk, median of ' + str(rounds):32}{'SDK':>10}{'ours':>10}{'ratio':>8}  goal"
    )
    for case in chosen:
        sdk: list[float] = []
        own: list[float] = []
        for turn in range(rounds + 1):
            spent = await cpu_us_per_chunk(theirs(client), case)
            saved = await cpu_us_per_chunk(ours(provider), case)
            if turn:  # the first round warms up
                sdk.append(spent)
                own.append(saved)
        a, b = statistics.median(sdk), statistics.median(own)
        print(f"{case.name:32}{a:7.1f} us{b:7.1f} us{a / b:7.1f}x  {case.goal:g}x", flush=True)
    await provider.aclose()
    await client.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="fewer and shorter rounds")
    quick = parser.parse_args().quick
    chosen = cases(quick=quick)
    with scripted_server("".join(case.toml for case in chosen)) as base_url:
        anyio.run(measure, base_url, chosen, 3 if quick else 7)


if __name__ == "__main__":
    main()
