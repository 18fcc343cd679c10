"""A thousand branches in one run: whether it ends, and what each costs beyond the bare client.

    python benchmarks/branches.py [--quick]

Fanout, with its record on disk, and the openai client by hand (asyncio.gather) ask the same paced
endpoint for the same answers, all at once, and take turns in this process; the endpoint is another
process. CPU is this process's, so a busy machine troubles the seconds more than the shares. A third
pass is Fanout with somebody looking on: the board's feed builds its frames at 15 a second.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import sys
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import openai  # noqa: E402

from benchmarks.paced_endpoint import paced_endpoint  # noqa: E402
from components.board.feed import RunFeed  # noqa: E402
from fanout.endpoint import Endpoint  # noqa: E402
from fanout.engine.endpoints import EndpointBook  # noqa: E402
from fanout.engine.engine import Engine  # noqa: E402
from fanout.engine.handle import RunHandle  # noqa: E402
from fanout.providers.openai_compatible import OpenAICompatible  # noqa: E402
from fanout.store.store import Store  # noqa: E402
from fanout.types import EndpointId, ModelRef  # noqa: E402
from fanout.workflows.parsing import parse  # noqa: E402

MODEL = "scripted"
TOKENS, TOKENS_PER_S, FIRST_S = 20, 2.0, 1.0
PROMPT = "Write about rain."


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    cpu_ms: float
    """Of this process, per branch."""
    seconds: float


@dataclass(slots=True)
class Watched:
    """What one who looks on is sent."""

    frames: int = 0
    largest: int = 0
    keyframe: int = 0
    build_ms: float = 0.0
    """The longest that one frame took to build and encode."""


def measured(work: Callable[[], object], branches: int) -> Cost:
    cpu, began = time.process_time(), time.perf_counter()
    work()
    return Cost(
        cpu_ms=(time.process_time() - cpu) / branches * 1e3, seconds=time.perf_counter() - began
    )


def start(engine: Engine, branches: int) -> RunHandle:
    workflow = parse(
        {
            "title": "Many",
            "branches": [
                {"id": "b", "title": "Branch", "prompt": "Write about {topic}.", "times": branches}
            ],
        },
        name="many",
    )
    return engine.start(workflow, "rain", ModelRef(endpoint=EndpointId("paced"), model=MODEL))


def with_fanout(engine: Engine, branches: int) -> None:
    snapshot = start(engine, branches).wait(timeout_s=300)
    done = sum(branch.state.succeeded for branch in snapshot.branches)
    assert (snapshot.status, done) == ("succeeded", branches), (snapshot.status, done)


def with_board(engine: Engine, branches: int) -> Watched:
    handle, seen = start(engine, branches), Watched()
    feed, over = RunFeed(handle, time.monotonic), False
    while not over:
        over = handle.snapshot.status.finished
        before, began = feed.tag, time.perf_counter()
        feed.refresh()
        for data in feed.since(before):
            seen.frames += 1
            seen.largest = max(seen.largest, len(data))
        seen.build_ms = max(seen.build_ms, (time.perf_counter() - began) * 1e3)
        time.sleep(feed.wait_s)
    seen.keyframe = len(feed.keyframe())
    return seen


def by_hand(runner: asyncio.Runner, client: openai.AsyncOpenAI, branches: int) -> None:
    async def ask() -> str:
        stream = await client.chat.completions.create(
            model=MODEL, messages=[{"role": "user", "content": PROMPT}], stream=True
        )
        return "".join([c.choices[0].delta.content or "" async for c in stream if c.choices])

    async def all_of_them() -> None:
        texts = await asyncio.gather(*(ask() for _ in range(branches)))
        assert all(texts), "an answer is empty"

    runner.run(all_of_them())


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="200 branches, one turn")
    quick = parser.parse_args().quick
    counts, turns = ((200,), 1) if quick else ((100, 1000), 3)
    pace = {"tokens": TOKENS, "tokens_per_s": TOKENS_PER_S, "first_token_s": FIRST_S}
    print(
        f"{TOKENS} tokens each at {TOKENS_PER_S:g}/s; endpoint and clients share {os.cpu_count()} "
        f"cores, load {os.getloadavg()[0]:.1f} before\n"
    )
    with ExitStack() as stack:
        endpoint = stack.enter_context(paced_endpoint(**pace))  # type: ignore[arg-type]
        store = stack.enter_context(Store.open(Path(stack.enter_context(TemporaryDirectory()))))
        book = EndpointBook(OpenAICompatible)
        book.put(
            Endpoint(id=EndpointId("paced"), name="Paced", base_url=endpoint.base_url, slots=1000)
        )
        engine = stack.enter_context(Engine(book, store=store))
        runner = stack.enter_context(asyncio.Runner())
        # Its own five seconds to connect are too few for a thousand at once on a busy machine.
        client = openai.AsyncOpenAI(
            base_url=endpoint.base_url,
            api_key="none",
            max_retries=0,
            timeout=openai.Timeout(600, connect=120),
        )
        with_fanout(engine, 20)
        by_hand(runner, client, 20)
        print(f"  {'CPU per branch, ms':<20}{'bare':>8}{'Fanout':>8}{'beyond':>8}{'seconds':>18}")
        for count in counts:
            measure(count, turns, engine, runner, client)
    assert threading.active_count() < 20, "threads are left over"


def measure(
    count: int, turns: int, engine: Engine, runner: asyncio.Runner, client: openai.AsyncOpenAI
) -> None:
    bare, ours = [], []
    for _ in range(turns):
        bare.append(measured(lambda: by_hand(runner, client, count), count))
        ours.append(measured(lambda: with_fanout(engine, count), count))
    beyond = statistics.median(o.cpu_ms - b.cpu_ms for o, b in zip(ours, bare, strict=True))
    one, other = (statistics.median(c.cpu_ms for c in each) for each in (bare, ours))
    seconds = [statistics.median(c.seconds for c in each) for each in (bare, ours)]
    print(
        f"  {count:<20}{one:>8.1f}{other:>8.1f}{beyond:>8.1f}{seconds[0]:>9.1f}{seconds[1]:>9.1f}",
        flush=True,
    )
    found: list[Watched] = []
    watched = measured(lambda: found.append(with_board(engine, count)), count)
    seen = found[0]
    print(
        f"    looked at: {watched.cpu_ms:.1f} ms per branch; {seen.frames} frames, the largest "
        f"{seen.largest / 1e3:.0f} kB, the longest {seen.build_ms:.0f} ms to make; "
        f"the whole picture {seen.keyframe / 1e3:.0f} kB",
        flush=True,
    )


if __name__ == "__main__":
    main()
