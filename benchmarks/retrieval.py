"""A query over 20,000 passages: the library's search beside rank-bm25, and what its bounds cost.

Passages are sentences of made-up words whose frequencies follow Zipf's law, which is what makes
common words the hard case. Every query goes to both on the same passages, in turn; rank-bm25 gets
its words split beforehand and holds everything in memory, so its figure flatters it. "Same ten" is
the share of the ten best passages that the unbounded query finds, too.

    pip install -r requirements-bench.txt
    python benchmarks/retrieval.py [--quick]

Goal: a median under 10 ms.
"""

from __future__ import annotations

import argparse
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from rank_bm25 import BM25Okapi  # type: ignore[import-not-found,import-untyped,unused-ignore]

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from fanout.retrieval.library import Library  # noqa: E402
from fanout.retrieval.query import terms  # noqa: E402

VOCABULARY = 30_000
WORDS = 115
"""Per passage: a paragraph that is not split."""
PER_DOCUMENT = 1_000
LENGTHS = 384


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    name: str
    words: tuple[int, int]
    ranks: tuple[int, int]
    """How common the words are: 0 is the commonest."""


KINDS = (
    Kind(name="4 rare words", words=(4, 4), ranks=(1_000, VOCABULARY)),
    Kind(name="4-8 words of any kind", words=(4, 8), ranks=(30, 5_000)),
    Kind(name="4-8 common words", words=(4, 8), ranks=(0, 100)),
    Kind(name="8 words, half of them common", words=(8, 8), ranks=(-1, -1)),
    Kind(name="a page of 400 words", words=(400, 400), ranks=(0, VOCABULARY)),
)


def word(rank: int) -> str:
    """A made-up word that the stemmer leaves alone."""
    letters = "bdfgklmnprtvz"
    return "".join(f"{letters[rank // 13**place % 13]}o" for place in range(4))


def passages(count: int, chance: random.Random) -> Iterator[str]:
    weights = [1 / (rank + 2.7) for rank in range(VOCABULARY)]
    words = [word(rank) for rank in range(VOCABULARY)]
    for _ in range(count):
        yield " ".join(chance.choices(words, weights, k=WORDS)) + "."


def queries(kind: Kind, count: int, chance: random.Random) -> list[str]:
    def rank() -> int:
        if kind.ranks[0] >= 0:
            return chance.randrange(*kind.ranks)
        return chance.choice([chance.randrange(50), chance.randrange(200, 5_000)])

    lengths = (chance.randint(*kind.words) for _ in range(count))
    return [" ".join(word(rank()) for _ in range(length)) for length in lengths]


def fill(library: Library, texts: list[str]) -> None:
    for start in range(0, len(texts), PER_DOCUMENT):
        data = "\n\n".join(texts[start : start + PER_DOCUMENT]).encode()
        library.add(f"part {start}.txt", data)


def took_ms(ask: Callable[[], object]) -> float:
    began = time.perf_counter()
    ask()
    return (time.perf_counter() - began) * 1000


def measure(library: Library, peer: BM25Okapi, texts: list[str], kind: Kind, count: int) -> None:
    asked = queries(kind, count, random.Random(kind.name))
    everything = [document.id for document in library.documents()]
    own: list[float] = []
    other: list[float] = []
    same: list[float] = []
    for number, query in enumerate(asked):
        own.append(took_ms(partial(library.search, query)))
        # A handful is enough for a peer that takes many times as long.
        if number < max(3, count // 10):
            other.append(took_ms(partial(peer.get_top_n, query.split(), texts, n=10)))
        best = {hit.passage.id for hit in library.search(query)}
        full = {hit.passage.id for hit in library.search(query, documents=everything)}
        same.append(len(best & full) / max(1, len(full)))
    a, b = statistics.median(own), statistics.median(other)
    slow = statistics.quantiles(own, n=20)[-1]
    print(
        f"{kind.name:32}{a:8.2f} ms{slow:8.2f} ms{b:9.1f} ms{b / a:7.0f}x"
        f"{statistics.mean(same):9.0%}",
        flush=True,
    )


def measure_vectors(library: Library, count: int) -> None:
    chance = np.random.default_rng(1)
    ids = [passage.id for passage in library.missing_vectors("bench")]
    vectors = chance.normal(size=(len(ids), LENGTHS)).astype(np.float32)
    library.put_vectors("bench", dict(zip(ids, vectors, strict=True)))
    first = took_ms(partial(library.search_vector, "bench", vectors[0]))
    spent = [took_ms(partial(library.search_vector, "bench", v)) for v in vectors[:count]]
    print(
        f"vectors of {LENGTHS} numbers: {statistics.median(spent):.2f} ms a query; the first one "
        f"after a change loads them: {first:.0f} ms"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="fewer passages and queries")
    quick = parser.parse_args().quick
    count, rounds = (4_000, 20) if quick else (20_000, 100)
    texts = list(passages(count, random.Random(1)))
    with tempfile.TemporaryDirectory() as folder:
        library = Library(Path(folder, "library.db"))
        built = took_ms(partial(fill, library, texts)) / 1000
        held = sum(document.passages for document in library.documents())
        print(f"{held:,} passages of {WORDS} words, added in {built:.1f} s")
        peer = BM25Okapi([text.split() for text in texts])
        print(f"{'':32}{'median':>11}{'95 %':>11}{'rank-bm25':>12}{'ratio':>8}{'same ten':>9}")
        for kind in KINDS:
            measure(library, peer, texts, kind, rounds)
        measure_vectors(library, rounds)
        question = "What happens in my house during a power cut?"
        print(f"of a question {len(terms(question))} of {len(question.split())} words are asked")
        library.close()


if __name__ == "__main__":
    main()
