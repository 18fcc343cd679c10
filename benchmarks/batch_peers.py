"""What somebody would write instead of a batch: a plain asyncio script, or the same with Ray.

    python benchmarks/batch_peers.py asyncio|ray BASE_URL ROWS CALLS_PER_MINUTE ROWS_AT_ONCE RESULTS

Both keep to the limit by counting the last minute's calls, as who knows the limit would. The
asyncio script appends each finished row to RESULTS and skips those when it is started again; the
Ray one does so too, in its driver. Neither keeps a row's branches: what a crash interrupts is asked
again from its first branch. Ray is not in requirements-bench.txt's environment unless installed.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections import deque
from pathlib import Path

MINUTE_S = 60.5
"""With room for a call that takes longer on its way than the one before: without it a 429 comes,
the client asks again with all others at the next free moment, and after five such goes the script
dies."""
BRANCHES = 3


class Pace:
    """At most so many calls in any minute."""

    def __init__(self, per_minute: int) -> None:
        self._per_minute = per_minute
        self._taken: deque[float] = deque()
        self._lock = asyncio.Lock()

    async def turn(self) -> None:
        async with self._lock:
            now = time.monotonic()
            while self._taken and self._taken[0] <= now - MINUTE_S:
                self._taken.popleft()
            if len(self._taken) >= self._per_minute:
                await asyncio.sleep(self._taken[0] + MINUTE_S - now)
            self._taken.append(time.monotonic())


def prompts(row: int) -> list[str]:
    return [f"Part {branch} of topic-{row}" for branch in range(BRANCHES)]


async def ask(client, turn, prompt: str) -> str:
    await turn()
    stream = await client.chat.completions.create(
        model="limited", messages=[{"role": "user", "content": prompt}], stream=True
    )
    return "".join([c.choices[0].delta.content or "" async for c in stream if c.choices])


async def one_row(client, turn, row: int) -> str:
    parts = await asyncio.gather(*(ask(client, turn, prompt) for prompt in prompts(row)))
    return await ask(client, turn, f"Combine {' '.join(parts)} of topic-{row}")


def finished(results: Path) -> set[int]:
    if not results.exists():
        return set()
    lines = results.read_text().splitlines()
    return {json.loads(line)["row"] for line in lines if line.endswith("}")}


def note(results: Path, row: int, text: str) -> None:
    with results.open("a") as file:
        file.write(json.dumps({"row": row, "text": text}) + "\n")


async def plain(url: str, rows: int, per_minute: int, at_once: int, results: Path) -> None:
    from openai import AsyncOpenAI

    client = AsyncOpenAI(base_url=url, api_key="none", max_retries=5)
    pace, room = Pace(per_minute), asyncio.Semaphore(at_once)

    async def row(number: int) -> None:
        async with room:
            note(results, number, await one_row(client, pace.turn, number))

    done = finished(results)
    await asyncio.gather(*(row(n) for n in range(rows) if n not in done))


def with_ray(url: str, rows: int, per_minute: int, at_once: int, results: Path) -> None:
    import ray

    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
    limiter = ray.remote(Pace).options(max_concurrency=1000).remote(per_minute)

    @ray.remote(num_cpus=0)
    class Rows:
        def __init__(self) -> None:
            from openai import AsyncOpenAI

            self.client = AsyncOpenAI(base_url=url, api_key="none", max_retries=5)

        async def row(self, number: int) -> tuple[int, str]:
            async def turn() -> None:
                await limiter.turn.remote()

            return number, await one_row(self.client, turn, number)

    workers = [
        Rows.options(  # type: ignore[attr-defined]
            max_concurrency=at_once
        ).remote()
        for _ in range(2)
    ]
    todo = [n for n in range(rows) if n not in finished(results)]
    waiting: list = []
    for number in todo:
        if len(waiting) >= at_once:
            ready, waiting = ray.wait(waiting)
            for one in ready:
                note(results, *ray.get(one))
        waiting.append(workers[number % 2].row.remote(number))
    for one in waiting:
        note(results, *ray.get(one))


if __name__ == "__main__":
    kind, url, rows, per_minute, at_once, results = sys.argv[1:7]
    given = (url, int(rows), int(per_minute), int(at_once), Path(results))
    if kind == "ray":
        with_ray(*given)
    else:
        asyncio.run(plain(*given))
