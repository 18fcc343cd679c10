"""The history page's questions among 100,000 runs, beside LIKE and beside a folder of JSON files.

Runs of three calls of 150 words go straight into the tables; words are as frequent as those of a
language. Each question is asked in the way the page asks it: page, total and excerpts, a new
connection's caches warm. What a user would have otherwise is `LIKE '%word%'` over the same table,
and a folder with one JSON file a run, of which so many are read that the rest can be told.

    python benchmarks/history.py [--runs 100000] [--database-url postgresql://...] [--quick]

Goal: every question under 100 ms on SQLite.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from functools import partial
from itertools import accumulate
from pathlib import Path

from sqlalchemy import Connection, Engine, insert, text

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from fanout.store.database import writing  # noqa: E402
from fanout.store.history import History  # noqa: E402
from fanout.store.opening import open_database  # noqa: E402
from fanout.store.schema import WORDS, calls, runs, tags  # noqa: E402
from fanout.store.values import Found, Order, Question  # noqa: E402
from fanout.types import RunStatus  # noqa: E402

GOAL_MS = 100
CALLS, CALL_WORDS, VOCABULARY = 3, 150, 60_000
AT_ONCE = 1000
FILES = 2000
NOW = 1_790_000_000.0
SYLLABLES = (
    "ba",
    "con",
    "del",
    "fer",
    "gra",
    "hin",
    "jo",
    "kal",
    "lem",
    "mor",
    "net",
    "pol",
    "qui",
    "ra",
    "sen",
    "tu",
    "vi",
    "wo",
    "xa",
    "ze",
)
WORKFLOWS = ("best-of", "compare", "critic", "debate", "guide", "panel", "rag", "vote")
STATUSES = ("succeeded",) * 80 + ("partial",) * 10 + ("failed",) * 5 + ("stopped",) * 5
TAGS = ("customer", "demo", "keep", "paper")


class Dice:
    """Runs as people may have made them over two years, always the same."""

    def __init__(self) -> None:
        self.chance = random.Random(7)
        made: dict[str, None] = {}
        while len(made) < VOCABULARY:
            made["".join(self.chance.choices(SYLLABLES, k=self.chance.randint(1, 5)))] = None
        self.vocabulary = list(made)
        self.weights = list(accumulate(1 / rank for rank in range(1, VOCABULARY + 1)))

    def words(self, count: int) -> str:
        return " ".join(self.chance.choices(self.vocabulary, cum_weights=self.weights, k=count))

    def run(self, number: int, of: int) -> dict[str, object]:
        chance = self.chance
        wall = 1 + chance.expovariate(1 / 20)
        return {
            "number": number,
            "id": f"{chance.getrandbits(128):032x}",
            "workflow": chance.choice(WORKFLOWS),
            "title": "A workflow",
            "kind": "panel",
            "topic": f"Why {self.words(9)}?",
            "status": chance.choice(STATUSES),
            "started_at": NOW - (of - number) * 630 + chance.random() * 50_000,
            "written_at": NOW,
            "wall_s": wall,
            "sequential_s": wall * chance.uniform(1, 3),
            "cost_nano": None if chance.random() < 0.1 else int(chance.expovariate(1 / 2e6)),
            "free": False,
            "branches": CALLS - 1,
            "favourite": chance.random() < 0.02,
            "deleted_at": NOW if chance.random() < 0.01 else None,
        }

    def calls(self, number: int) -> list[dict[str, object]]:
        return [
            {
                "run": number,
                "id": f"b{ordinal}" if ordinal < CALLS - 1 else "aggregate",
                "ordinal": ordinal,
                "role": "branch" if ordinal < CALLS - 1 else "aggregate",
                "title": f"Branch {ordinal}",
                "endpoint": "main",
                "model": f"model-{min(11, int(self.chance.expovariate(0.5)))}",
                "state": "done",
                "text": self.words(CALL_WORDS),
                "attempts": 1,
            }
            for ordinal in range(CALLS)
        ]


def fill(connection: Connection, dice: Dice, first: int, end: int, of: int) -> None:
    """The runs from the `first`-th to before the `end`-th, searched for words too."""
    made = [dice.run(number, of) for number in range(first, end)]
    told = [dice.calls(number) for number in range(first, end)]
    connection.execute(insert(runs), made)
    connection.execute(insert(calls), [call for own in told for call in own])
    connection.execute(
        insert(WORDS[connection.dialect.name]),
        [
            {
                "run": run["number"],
                "topic": str(run["topic"]).lower().replace("?", ""),
                "texts": " ".join(str(call["text"]) for call in own),
                "label": "",
            }
            for run, own in zip(made, told, strict=True)
        ],
    )
    tagged = [
        {"run": run["number"], "tag": dice.chance.choice(TAGS)}
        for run in made
        if dice.chance.random() < 0.2
    ]
    if tagged:
        connection.execute(insert(tags), tagged)


def questions(vocabulary: list[str]) -> Iterator[tuple[str, Question]]:
    most, second, third = vocabulary[:3]
    middle, rare = vocabulary[300], vocabulary[-10]
    yield "list, newest first", Question()
    yield "list, page 1,800", Question(offset=90_000)
    orders: tuple[Order, ...] = ("wall", "cost", "saved", "topic", "workflow")
    for order in orders:
        yield f"sort by {order}", Question(order=order, descending=order != "topic")
    yield "sort by cost, least first", Question(order="cost", descending=False)
    yield "filter: workflow", Question(workflows=("debate", "vote"))
    yield "filter: workflow, sort by cost", Question(workflows=("debate",), order="cost")
    yield "filter: failed", Question(statuses=(RunStatus.FAILED,))
    yield "filter: commonest model", Question(models=("model-0",))
    yield "filter: rarest model", Question(models=("model-11",))
    yield "filter: tag", Question(tags=("demo",))
    yield "filter: favourites", Question(favourites=True)
    yield "filter: deleted", Question(deleted=True)
    yield "filter: a month", Question(since=NOW - 60 * 86_400, until=NOW - 30 * 86_400)
    dear = Question(least_usd=Decimal("0.004"), most_usd=Decimal("0.02"))
    yield "filter: cost", dear
    yield "search: rare word", Question(text=f"{rare} ")
    yield "search: middling word", Question(text=middle)
    yield "search: commonest word", Question(text=most)
    yield "search: two letters", Question(text=most[:2])
    yield "search: four letters", Question(text="conb")
    yield "search: three words", Question(text=f"{most} {middle} {third}")
    yield "search: phrase", Question(text=f'"{middle} {most}"')
    yield "search: commonest phrase", Question(text=f'"{most} {second}"')
    yield "search: three commonest words", Question(text=f'"{most} {second} {third}"')
    yield "search, sort by cost", Question(text=most, order="cost")
    yield "search, filter by workflow", Question(text=most, workflows=("debate",))
    yield "search: no such word", Question(text="unheard")


def measured(ask: Callable[[], object], rounds: int) -> tuple[float, float]:
    """Milliseconds and milliseconds of this process's CPU, the medians. On a machine that is busy
    with other things only the CPU says what a question costs; SQLite works in this process."""
    ask()
    times, cpu = [], []
    for _ in range(rounds):
        began, worked = time.perf_counter(), time.process_time()
        ask()
        times.append((time.perf_counter() - began) * 1000)
        cpu.append((time.process_time() - worked) * 1000)
    return statistics.median(times), statistics.median(cpu)


def like(connection: Connection, word: str) -> list[object]:
    """The same page, as one writes it without an index of words."""
    asked = text(
        "SELECT id FROM runs WHERE deleted_at IS NULL AND (topic LIKE :word OR EXISTS ("
        "SELECT 1 FROM calls WHERE run = number AND text LIKE :word)) "
        "ORDER BY started_at DESC LIMIT 50"
    )
    return list(connection.execute(asked, {"word": f"%{word}%"}).scalars())


def like_total(connection: Connection, word: str) -> int:
    asked = text(
        "SELECT count(*) FROM runs WHERE deleted_at IS NULL AND (topic LIKE :word OR EXISTS ("
        "SELECT 1 FROM calls WHERE run = number AND text LIKE :word))"
    )
    return int(connection.execute(asked, {"word": f"%{word}%"}).scalar_one())


def write_files(folder: Path, dice: Dice, count: int) -> None:
    folder.mkdir()
    for number in range(1, count + 1):
        run: Mapping[str, object] = dice.run(number, count) | {"calls": dice.calls(number)}
        (folder / f"{run['id']}.json").write_text(json.dumps(run), "utf-8")


def read_files(folder: Path, word: str) -> list[str]:
    """The newest 50 that hold the word."""
    found = []
    for path in folder.iterdir():
        run = json.loads(path.read_text("utf-8"))
        if word in run["topic"] or any(word in call["text"] for call in run["calls"]):
            found.append((run["started_at"], run["id"]))
    return [id for _, id in sorted(found, reverse=True)[:50]]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--runs", type=int, default=100_000)
    parser.add_argument("--database-url", default="")
    parser.add_argument("--quick", action="store_true", help="5,000 runs")
    given = parser.parse_args()
    count, rounds = (5000, 3) if given.quick else (given.runs, 7)
    with tempfile.TemporaryDirectory(prefix="fanout-history-") as folder:
        measure(Path(folder), given.database_url, count, rounds)


def measure(folder: Path, url: str, count: int, rounds: int) -> None:
    opened = open_database(folder, url)
    history, dice = History(opened.engine), Dice()
    began = time.perf_counter()
    for first in range(1, count + 1, AT_ONCE):
        with writing(opened.engine) as connection:
            fill(connection, dice, first, min(first + AT_ONCE, count + 1), count)
    size = sum(path.stat().st_size for path in folder.glob("fanout.db*")) / 1e6
    where = f"{size:,.0f} MB of SQLite" if not url else "PostgreSQL"
    took = time.perf_counter() - began
    print(f"{count:,} runs, {count * CALLS:,} calls of {CALL_WORDS} words, {where}, {took:.0f} s\n")

    asked: list[tuple[str, Callable[[], object]]] = [
        (name, partial(history.find, question)) for name, question in questions(dice.vocabulary)
    ]
    asked += [
        ("facets", history.facets),
        ("days", partial(history.days, Question())),
        ("days of a workflow", partial(history.days, Question(workflows=("debate",)))),
        ("days of a common word", partial(history.days, Question(text=dice.vocabulary[0]))),
    ]
    slowest = ("", 0.0)
    print("    wall      CPU")
    for name, ask in asked:
        wall, cpu = measured(ask, rounds)
        found = ask()
        total = f"{found.total:,}{'+' * found.at_least}" if isinstance(found, Found) else ""
        print(f"{wall:5.1f} ms {cpu:5.1f} ms  {name:34}{total:>8}")
        slowest = max(slowest, (name, wall), key=lambda pair: pair[1])
    print(f"\nSlowest: {slowest[0]}, {slowest[1]:.1f} ms (goal: under {GOAL_MS} ms)")
    compare(folder, opened.engine, dice, count, rounds)
    opened.engine.dispose()


def compare(folder: Path, engine: Engine, dice: Dice, count: int, rounds: int) -> None:
    """The other ways, in the same milliseconds of wall time."""
    few = min(FILES, count)
    write_files(folder / "files", dice, few)
    history = History(engine)
    print(f"\nA page and its total, beside LIKE and JSON files (told from {few:,} of them):")
    with engine.connect() as connection:
        for name, word in (("rare", dice.vocabulary[-10]), ("common", dice.vocabulary[0])):
            own, _ = measured(partial(history.find, Question(text=f"{word} ")), rounds)
            page, _ = measured(partial(like, connection, word), 1)
            total, _ = measured(partial(like_total, connection, word), 1)
            files, _ = measured(partial(read_files, folder / "files", word), 1)
            liked, read = page + total, files * count / few
            print(
                f"  {name:7}{own:6.1f} ms   LIKE {liked:8,.0f} ms ({liked / own:,.0f}x)"
                f"   files {read:8,.0f} ms ({read / own:,.0f}x)"
            )


if __name__ == "__main__":
    main()
