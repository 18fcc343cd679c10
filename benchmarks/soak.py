"""Two thousand runs in a row: file handles, threads, memory and time per run, which must stay flat.

    python benchmarks/soak.py [--quick] [--runs 2000]

One engine with its record on disk asks a scripted endpoint over HTTP, in another process and as
fast as it answers: three branches and a combined answer a run. Each run is looked at through the
board's feeds while it goes on, and every tenth time a run of long ago is opened from the record.
Finished runs stay in memory up to a bound (the engine's 200, the board's 64), so memory is compared
from the second quarter on.

Goals, the last quarter to the second: memory and time at most 5 and 20 % more; handles and threads
no more than the pools of worker threads and of connections to the record may still grow by, which
are a handful, while a leak would have one or more a run.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import os
import sys
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.load_scales import Weight, quarters, weigh  # noqa: E402
from benchmarks.paced_endpoint import paced_endpoint  # noqa: E402
from components.board.feed import Feeds  # noqa: E402
from fanout.endpoint import Endpoint  # noqa: E402
from fanout.engine.endpoints import EndpointBook  # noqa: E402
from fanout.engine.engine import Engine  # noqa: E402
from fanout.providers.openai_compatible import OpenAICompatible  # noqa: E402
from fanout.store.store import Store  # noqa: E402
from fanout.types import EndpointId, ModelRef, RunId  # noqa: E402
from fanout.workflows.definition import Workflow  # noqa: E402
from fanout.workflows.parsing import parse  # noqa: E402

MODEL = ModelRef(endpoint=EndpointId("fast"), model="scripted")
TOKENS = 30
WEIGH_EVERY = 10
OPEN_EVERY = 10
LOOK_S = 0.02
MORE_MEMORY, MORE_TIME = 1.05, 1.20
MORE_FILES, MORE_THREADS = 6, 3


@dataclass(frozen=True, slots=True)
class Course:
    """How it went, in order of time."""

    seconds: list[float] = field(default_factory=list)
    """Per run."""
    weights: list[Weight] = field(default_factory=list)
    record_kb: list[float] = field(default_factory=list)
    """Of the record on disk, with each weight."""


def workflow() -> Workflow:
    return parse(
        {
            "title": "Soak",
            "branches": [
                {"id": f"b{i}", "title": f"Branch {i}", "prompt": f"Part {i} about {{topic}}."}
                for i in range(3)
            ],
            "aggregate": {"prompt": "Combine:\n{results}"},
        },
        name="soak",
    )


async def run_all(engine: Engine, home: Path, runs: int) -> Course:
    course, feeds, ids = Course(), Feeds(), list[RunId]()
    what = workflow()
    for number in range(runs):
        began = time.perf_counter()
        handle = await asyncio.to_thread(engine.start, what, f"rain {number}", MODEL)
        feed, over = feeds.of(handle.id, handle), False
        while not over:
            over = handle.snapshot.status.finished
            before = feed.tag
            feed.refresh()
            feed.since(before)
            await asyncio.sleep(LOOK_S)
        assert handle.snapshot.status == "succeeded", handle.snapshot.status
        course.seconds.append(time.perf_counter() - began)
        ids.append(handle.id)
        if number % OPEN_EVERY == 0:
            opened = await asyncio.to_thread(engine.get, ids[number // 2])
            assert opened is not None and feeds.of(opened.id, opened).keyframe()
        if number % WEIGH_EVERY == 0:
            gc.collect()
            course.weights.append(weigh())
            course.record_kb.append(size_kb(home))
    return course


def size_kb(home: Path) -> float:
    """Of the record, with what is not yet merged into it."""
    return sum(file.stat().st_size for file in home.glob("fanout.db*")) / 1e3


def soak(runs: int) -> Course:
    with ExitStack() as stack:
        endpoint = stack.enter_context(
            paced_endpoint(tokens=TOKENS, tokens_per_s=2000, first_token_s=0)
        )
        home = Path(stack.enter_context(TemporaryDirectory()))
        store = stack.enter_context(Store.open(home))
        book = EndpointBook(OpenAICompatible)
        book.put(Endpoint(id=MODEL.endpoint, name="Fast", base_url=endpoint.base_url))
        engine = stack.enter_context(Engine(book, store=store))
        return asyncio.run(run_all(engine, home, runs))


def report(course: Course) -> None:
    weights = course.weights
    rows = {
        "s per run": (course.seconds[0], quarters(course.seconds), 3),
        "memory, MB": (weights[0].rss_mb, quarters([w.rss_mb for w in weights]), 1),
        "file handles": (weights[0].files, quarters([float(w.files) for w in weights]), 0),
        "threads": (weights[0].threads, quarters([float(w.threads) for w in weights]), 0),
        "the record, MB": (
            course.record_kb[0] / 1e3,
            quarters([kb / 1e3 for kb in course.record_kb]),
            1,
        ),
    }
    print(f"  {'medians':<16}{'first':>8}" + "".join(f"{f'{n} of 4':>9}" for n in range(1, 5)))
    for name, (first, four, digits) in rows.items():
        print(f"  {name:<16}{first:>8.{digits}f}" + "".join(f"{v:>9.{digits}f}" for v in four))
    print()
    verdicts = {
        "file handles flat": rows["file handles"][1][3] <= rows["file handles"][1][1] + MORE_FILES,
        "threads flat": rows["threads"][1][3] <= rows["threads"][1][1] + MORE_THREADS,
        "memory flat": rows["memory, MB"][1][3] <= rows["memory, MB"][1][1] * MORE_MEMORY,
        "time per run flat": rows["s per run"][1][3] <= rows["s per run"][1][1] * MORE_TIME,
    }
    for said, met in verdicts.items():
        print(f"  {'met' if met else 'MISSED'}: {said}")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="150 runs; memory is still filling")
    parser.add_argument("--runs", type=int, default=2000)
    chosen = parser.parse_args()
    runs = 150 if chosen.quick else chosen.runs
    print(
        f"{runs} runs in a row; endpoint and engine share {os.cpu_count()} cores, load "
        f"{os.getloadavg()[0]:.1f} before\n",
        flush=True,
    )
    report(soak(runs))


if __name__ == "__main__":
    main()
