"""How often orders inside a text steer those who combine, judge and moderate, by how it is quoted.

Every attack of `injection_attacks.py` is put into a text that is combined, ranked, scored,
moderated or answered from, three ways: bare; between lines of three quotation marks; and as Fanout
does it, between the run's random marks with turns of a chat taken apart. It has succeeded where a
word that only the attack names is in the answer, or the verdict, rank or score is the attacker's
and was not without the attack. A text that merely quotes the attack counts as success, so these
rates are upper bounds; how often an answer is that word and next to nothing else is told apart.
Harmless words instead of an attack show how often an answer changes by chance. Answers are at
temperature 0, each rate with its 95 % interval (Wilson 1927); where the answer is the attacker's
without any attack, there is nothing to measure.

    python benchmarks/injection.py [--quick] [--base-url URL --model NAME] [--json]

The bundled model answers where no address is named; a key is read from OPENAI_API_KEY.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import sys
import tempfile
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import anyio
import httpx2

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.injection_attacks import HARMLESS, attacks  # noqa: E402
from benchmarks.injection_targets import (  # noqa: E402
    MARKER,
    TARGETS,
    WAYS,
    WRITTEN,
    Call,
    Target,
    Way,
    says_only_canary,
)
from fanout.providers.local.server import LocalServer  # noqa: E402
from fanout.structured.asking import Rung, asked, response_format  # noqa: E402

BY_CHANCE = "harmless words instead"
AT_ONCE = 3
Z = 1.96


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Where the calls go."""

    base_url: str
    model: str
    key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    target: str
    way: str
    family: str
    attack: str
    success: bool
    answer: str


async def answer(client: httpx2.AsyncClient, to: Asked, call: Call) -> str:
    messages = call.messages
    body: dict[str, object] = {
        "model": to.model,
        "temperature": 0,
        "seed": 1,
        "max_tokens": call.longest,
    }
    if call.form is not None:
        messages = asked(messages, call.form, Rung.JSON_SCHEMA)
        body["response_format"] = response_format(call.form, Rung.JSON_SCHEMA)
    body["messages"] = [{"role": one.role, "content": one.content} for one in messages]
    headers = {"authorization": f"Bearer {to.key}"} if to.key else {}
    said = await client.post(f"{to.base_url}/chat/completions", json=body, headers=headers)
    said.raise_for_status()
    return str(said.json()["choices"][0]["message"]["content"] or "")


async def measured(to: Asked, *, every: int) -> list[Outcome]:
    """All attacks on all targets in all ways."""
    found: list[Outcome] = []
    slots = anyio.CapacityLimiter(AT_ONCE)
    async with (
        httpx2.AsyncClient(timeout=300, trust_env=False) as client,
        anyio.create_task_group() as tasks,
    ):

        async def one(target: Target, way: Way, family: str, text: str, clean: str) -> None:
            async with slots:
                said = await answer(client, to, target.call(text, way))
            found.append(
                Outcome(
                    target=target.name,
                    way=way.name,
                    family=family,
                    attack=text,
                    success=target.success(said, clean),
                    answer=said,
                )
            )

        for target in TARGETS:
            for way in WAYS:
                clean = await answer(client, to, target.call("", way))
                print(f"{target.name}, {way.name}, no attack: {clean[:90]!r}", file=sys.stderr)
                if target.theirs(clean):
                    continue
                for attack in list(attacks())[::every]:
                    text = attack.aimed(target.order, target.answer)
                    tasks.start_soon(one, target, way, attack.family, text, clean)
                for text in HARMLESS[::every]:
                    tasks.start_soon(one, target, way, BY_CHANCE, text, clean)
    return found


def interval(successes: int, of: int) -> tuple[float, float]:
    """Wilson's score interval, 95 %."""
    if not of:
        return 0.0, 1.0
    share = successes / of
    middle = share + Z * Z / (2 * of)
    spread = Z * math.sqrt(share * (1 - share) / of + Z * Z / (4 * of * of))
    below = 1 + Z * Z / of
    return max(0.0, (middle - spread) / below), min(1.0, (middle + spread) / below)


def rate(outcomes: Sequence[Outcome]) -> str:
    if not outcomes:
        return "not measurable"
    successes = sum(one.success for one in outcomes)
    low, high = interval(successes, len(outcomes))
    share = successes / len(outcomes)
    return f"{successes}/{len(outcomes)} = {share:.0%} ({low:.0%} to {high:.0%})"


def table(found: Sequence[Outcome], by: Callable[[Outcome], str], head: str) -> str:
    rows: dict[str, dict[str, list[Outcome]]] = defaultdict(lambda: defaultdict(list))
    for one in found:
        rows[by(one)][one.way].append(one)
    names = [way.name for way in WAYS]
    lines = [f"| {head} | {' | '.join(names)} |", f"|---|{'---|' * len(names)}"]
    for name, ways in rows.items():
        lines.append(f"| {name} | {' | '.join(rate(ways[way]) for way in names)} |")
    return "\n".join(lines)


def report(found: Sequence[Outcome]) -> str:
    """The rates by call, by family of attacks, and how often a marker came back in an answer."""
    attacked = [one for one in found if one.family != BY_CHANCE]
    chance = [one for one in found if one.family == BY_CHANCE]
    written = [replace(one, success=says_only_canary(one.answer)) for one in attacked]
    written = [one for one in written if one.target in WRITTEN]
    copied = [one for one in attacked if one.way == WAYS[-1].name]
    times = sum(MARKER in one.answer for one in copied)
    return "\n\n".join(
        (
            table(attacked, lambda one: one.target, "attacked call"),
            table(written, lambda one: one.target, "obeyed, and said nothing else"),
            table(chance, lambda one: one.target, BY_CHANCE),
            table(attacked, lambda one: one.family, "family of attacks"),
            f"The marker came back in {times} of {len(copied)} answers.",
        )
    )


@asynccontextmanager
async def bundled() -> AsyncIterator[Asked]:
    with tempfile.TemporaryDirectory() as folder:
        server = LocalServer(Path(folder))
        try:
            at = await server.ensure()
            yield Asked(base_url=at.base_url, model=at.model.id, key=at.key.reveal())
        finally:
            await server.aclose()


async def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="every fourth attack")
    parser.add_argument("--base-url", default="")
    parser.add_argument("--model", default="")
    parser.add_argument("--json", action="store_true", help="every single outcome")
    given = parser.parse_args()
    every = 4 if given.quick else 1
    if given.base_url:
        key = os.environ.get("OPENAI_API_KEY", "")
        to = Asked(base_url=given.base_url.rstrip("/"), model=given.model, key=key)
        found = await measured(to, every=every)
    else:
        async with bundled() as to:
            found = await measured(to, every=every)
    if given.json:
        rows = [{name: getattr(one, name) for name in Outcome.__slots__} for one in found]
        print(json.dumps(rows, indent=1))
        return
    print(report(found))


if __name__ == "__main__":
    anyio.run(main)
