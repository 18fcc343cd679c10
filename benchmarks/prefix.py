"""What branches share, computed once: on the bundled model, against computing it in every branch.

    python benchmarks/prefix.py [--rounds 3] [--branches 2 3 5 9] [--words 80]

Each round asks new text, so that no cache helps by accident, three ways in turn: every branch on
its own; the common beginning primed first; and, for the bound, the beginning computed alone, then
the same branches on slots that have each computed it beforehand, without any saving or copying.
The bound is the sum of the two. Medians over the rounds; the ratios are taken within a round.

`--clock cpu` counts the model's own processor time instead of the wall's: on a machine with other
work that is what stays comparable. With one thread for the model the two agree where it is idle.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from types import MappingProxyType
from typing import TypeAlias

import anyio

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from fanout.providers.base import ChatRequest, Done  # noqa: E402
from fanout.providers.local.provider import LocalProvider  # noqa: E402
from fanout.providers.local.server import SLOTS, LocalServer  # noqa: E402
from fanout.types import Message, Usage  # noqa: E402

SENTENCES = (
    "The council met on the {n}th evening to speak about the bridge, the school and the market.",
    "Some of the farmers had seen the river rise by {n} feet, and nobody believed them at first.",
    "A letter of {n} pages came from the capital, sealed, and was read aloud in the old hall.",
    "It asked for stone, for timber and for {n} men who knew how to build against the water.",
)
QUESTIONS = (
    "Who met, and why?",
    "What did the farmers see?",
    "Where did the letter come from?",
    "What was asked for?",
    "How high did the river rise?",
    "Name three things that were spoken about.",
    "What would you have answered?",
    "Which sentence matters most?",
    "Give the text a title.",
)
TARGET = 1.1
Clock: TypeAlias = Callable[[], float]
_USER, _SYSTEM = 13, 14
"""Fields of /proc/<pid>/stat, counted from 0. Source: proc_pid_stat(5)."""


def cpu_s(provider: LocalProvider) -> float:
    """Seconds of processor time that the model's process has used (Linux only)."""
    fields = Path(f"/proc/{provider.server.pid}/stat").read_text("utf-8").split()
    return (int(fields[_USER]) + int(fields[_SYSTEM])) / os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, kw_only=True)
class Round:
    plain_s: float
    primed_s: float
    prefix_s: float
    writing_s: float
    tokens: int
    cached: int
    """Of all branches together, as reported."""

    @property
    def bound_s(self) -> float:
        return self.prefix_s + self.writing_s


def shared(nonce: str) -> str:
    """About 1,300 tokens that no other nonce begins with."""
    lines = [SENTENCES[n % len(SENTENCES)].format(n=n) for n in range(60)]
    return f"Record {nonce}. {' '.join(lines)}"


def requests(nonce: str, count: int, words: int) -> list[ChatRequest]:
    return [
        ChatRequest(
            model="any",
            messages=(Message(role="user", content=f"{shared(nonce)}\n\n{question}"),),
            max_tokens=words,
            temperature=0.0,
            # So every answer has the same length.
            extra=MappingProxyType({"ignore_eos": True, "seed": 1}),
        )
        for question in QUESTIONS[:count]
    ]


async def ask(provider: LocalProvider, request: ChatRequest) -> Usage:
    async with provider.stream(request) as items:
        async for item in items:
            if isinstance(item, Done) and item.usage is not None:
                return item.usage
    raise AssertionError("the bundled model reports usage")


async def ask_all(provider: LocalProvider, asked: list[ChatRequest]) -> list[Usage]:
    """At most as many at a time as the engine would let through."""
    limit = anyio.CapacityLimiter(SLOTS)
    usages: list[Usage] = []

    async def one(request: ChatRequest) -> None:
        async with limit:
            usages.append(await ask(provider, request))

    async with anyio.create_task_group() as group:
        for request in asked:
            group.start_soon(one, request)
    return usages


async def one_round(
    provider: LocalProvider, clock: Clock, nonce: str, count: int, words: int
) -> Round:
    began = clock()
    await ask_all(provider, requests(f"{nonce} one", count, words))
    plain_s = clock() - began

    asked = requests(f"{nonce} two", count, words)
    began = clock()
    primed = await provider.prime(asked)
    usages = await ask_all(provider, asked)
    primed_s = clock() - began
    assert primed is not None, "the bundled model can be primed"

    prefix_s, writing_s = await bound(provider, clock, f"{nonce} three", count, words)
    return Round(
        plain_s=plain_s,
        primed_s=primed_s,
        prefix_s=prefix_s,
        writing_s=writing_s,
        tokens=primed.tokens,
        cached=sum(usage.cached for usage in usages),
    )


async def bound(
    provider: LocalProvider, clock: Clock, nonce: str, count: int, words: int
) -> tuple[float, float]:
    """Seconds for the beginning alone, and for the branches where it is there already."""
    asked = requests(nonce, count, words)
    (first, *_) = asked
    alone = replace(first, messages=(Message(role="user", content=shared(nonce)),), max_tokens=1)
    began = clock()
    await ask(provider, alone)
    prefix_s = clock() - began
    # Together, so that each takes a slot of its own.
    await ask_all(provider, [replace(alone, max_tokens=2)] * SLOTS)
    began = clock()
    await ask_all(provider, asked)
    return prefix_s, clock() - began


def line(count: int, rounds: list[Round]) -> str:
    plain, primed = median(r.plain_s for r in rounds), median(r.primed_s for r in rounds)
    bound_s = median(r.bound_s for r in rounds)
    ratio = median(r.primed_s / r.bound_s for r in rounds)
    faster = median(r.plain_s / r.primed_s for r in rounds)
    prefix_s = median(r.prefix_s for r in rounds)
    return (
        f"{count:>8} {rounds[0].tokens:>8,} {rounds[0].cached:>8,} {plain:>8.1f} s {primed:>8.1f} s"
        f" {prefix_s:>6.1f} + {bound_s - prefix_s:>4.1f} s {ratio:>8.2f} {faster:>8.2f}"
    )


async def main(rounds: int, counts: list[int], words: int, *, cpu: bool) -> bool:
    print("branches   shared   cached   all at once    primed   the bound      ratio   faster")
    within = True
    with TemporaryDirectory() as home:
        provider = LocalProvider(LocalServer(Path(home)))
        await ask(provider, requests("warm-up", 1, 2)[0])
        clock: Clock = partial(cpu_s, provider) if cpu else anyio.current_time
        try:
            for count in counts:
                done = [
                    await one_round(provider, clock, f"{count}-{n}", count, words)
                    for n in range(rounds)
                ]
                print(line(count, done), flush=True)
                within &= median(r.primed_s / r.bound_s for r in done) <= TARGET
        finally:
            await provider.aclose()
    print(f"{'Within' if within else 'NOT within'} {TARGET} times one prefix and the writing.")
    return within


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--branches", type=int, nargs="+", default=[2, 3, 5, 9])
    parser.add_argument("--words", type=int, default=80, help="tokens that each branch writes")
    parser.add_argument("--clock", choices=["wall", "cpu"], default="wall")
    given = parser.parse_args()
    whole = partial(main, given.rounds, given.branches, given.words, cpu=given.clock == "cpu")
    sys.exit(0 if anyio.run(whole) else 1)
