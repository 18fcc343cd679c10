"""Wall time of a run against the same calls made by hand, on one paced endpoint.

    python benchmarks/wall_time.py [--quick]

Every contestant makes the same calls: n branches at once, then one combining call over their
texts. They take turns in one process, so noise of the machine meets all alike; what is printed is
the median of each and the median of the ratio per turn. LangGraph takes part where langgraph and
langchain-openai are installed (requirements-bench.txt).
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.paced_endpoint import PacedEndpoint, paced_endpoint  # noqa: E402
from fanout.endpoint import Endpoint  # noqa: E402
from fanout.engine.endpoints import EndpointBook  # noqa: E402
from fanout.engine.engine import Engine  # noqa: E402
from fanout.providers.openai_compatible import OpenAICompatible  # noqa: E402
from fanout.store.store import Store  # noqa: E402
from fanout.types import EndpointId, ModelRef  # noqa: E402
from fanout.workflows.parsing import parse  # noqa: E402

MODEL = "scripted"
Contestant = Callable[[int], None]


def prompts(count: int) -> list[str]:
    return [f"Write part {i} about rain." for i in range(count)]


def joined(texts: list[str]) -> str:
    return "Combine:\n" + "\n\n".join(texts)


def with_fanout(engine: Engine) -> Contestant:
    def run(count: int) -> None:
        workflow = parse(
            {
                "title": "Bench",
                "branches": [
                    {"id": f"b{i}", "title": f"B{i}", "prompt": prompt}
                    for i, prompt in enumerate(prompts(min(count, 50)))
                ],
                "aggregate": {"prompt": "Combine:\n{results}", "result": "{text}"},
            },
            name="bench",
        )
        many = workflow.branches
        while len(many) < count:
            i = len(many)
            copy = many[0].model_copy(update={"id": f"b{i}", "title": f"B{i}"})
            many = (*many, copy)
        handle = engine.start(
            workflow.model_copy(update={"branches": many}),
            "rain",
            ModelRef(endpoint=EndpointId("paced"), model=MODEL),
        )
        snapshot = handle.wait(timeout_s=120)
        assert snapshot.status == "succeeded", snapshot.status

    return run


def with_openai(endpoint: PacedEndpoint) -> Contestant:
    import openai

    async def ask(client: openai.AsyncOpenAI, prompt: str) -> str:
        stream = await client.chat.completions.create(
            model=MODEL, messages=[{"role": "user", "content": prompt}], stream=True
        )
        return "".join([c.choices[0].delta.content or "" async for c in stream if c.choices])

    async def main(count: int) -> None:
        texts = await asyncio.gather(*(ask(client, prompt) for prompt in prompts(count)))
        await ask(client, joined(list(texts)))

    # One client and one loop for all turns, as in a program that runs for a while.
    client = openai.AsyncOpenAI(base_url=endpoint.base_url, api_key="none", max_retries=0)
    loop = asyncio.Runner()
    return lambda count: loop.run(main(count))


def with_threads(endpoint: PacedEndpoint) -> Contestant:
    import openai

    def run(count: int) -> None:
        with (
            openai.OpenAI(base_url=endpoint.base_url, api_key="none", max_retries=0) as client,
            ThreadPoolExecutor(count) as pool,
        ):

            def ask(prompt: str) -> str:
                stream = client.chat.completions.create(
                    model=MODEL, messages=[{"role": "user", "content": prompt}], stream=True
                )
                return "".join(c.choices[0].delta.content or "" for c in stream if c.choices)

            ask(joined(list(pool.map(ask, prompts(count)))))

    return run


def with_langgraph(endpoint: PacedEndpoint) -> Contestant | None:
    try:
        from benchmarks.langgraph_peer import peer
    except ImportError:
        return None
    return peer(endpoint.base_url, MODEL, prompts, joined)


def timed(contestant: Contestant, count: int) -> float:
    began = time.perf_counter()
    contestant(count)
    return time.perf_counter() - began


def measure(contestants: dict[str, Contestant], count: int, turns: int) -> None:
    seconds: dict[str, list[float]] = {name: [] for name in contestants}
    for turn in range(turns + 1):
        for name, contestant in contestants.items():
            once = timed(contestant, count)
            if turn:  # the first turn warms up connections and imports
                seconds[name].append(once)
    bare = seconds["openai, asyncio.gather"]
    print(f"\n{count} branches and a combining call, {turns} turns")
    print(f"  {'':<26}{'median s':>10}{'ratio to bare openai':>24}")
    for name, taken in seconds.items():
        ratio = statistics.median(a / b for a, b in zip(taken, bare, strict=True))
        print(f"  {name:<26}{statistics.median(taken):>10.3f}{ratio:>24.3f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer turns, 3 and 12 branches only")
    quick = parser.parse_args().quick
    # As in the app, every run is written down while it goes on.
    with (
        paced_endpoint() as endpoint,
        TemporaryDirectory() as home,
        Store.open(Path(home)) as store,
    ):
        book = EndpointBook(OpenAICompatible)
        book.put(
            Endpoint(id=EndpointId("paced"), name="Paced", base_url=endpoint.base_url, slots=128)
        )
        with Engine(book, store=store) as engine:
            contestants = {
                "openai, asyncio.gather": with_openai(endpoint),
                "Fanout": with_fanout(engine),
                "openai, thread pool": with_threads(endpoint),
            }
            langgraph = with_langgraph(endpoint)
            if langgraph is None:
                print("LangGraph is not installed here: pip install -r requirements-bench.txt")
            else:
                contestants["LangGraph"] = langgraph
            for count in (3, 12) if quick else (3, 12, 100):
                measure(contestants, count, 3 if quick else 7)


if __name__ == "__main__":
    main()
