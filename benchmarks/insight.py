"""CPU of the measures of one run, provenance first, beside sentence pairs compared by difflib.

Twelve branches of 800 words and a combined answer of 400 words, half of it taken from branches.
The obvious way to find where a sentence came from is the standard library's SequenceMatcher on
every pair of sentences; both ways get the same sentences and take turns within every round.

    python benchmarks/insight.py [--quick]

Goal: all measures of the run together in under 100 ms of CPU.
"""

from __future__ import annotations

import argparse
import random
import statistics
import sys
import time
from collections.abc import Callable
from difflib import SequenceMatcher
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from fanout.insight.practices import practices  # noqa: E402
from fanout.insight.provenance import provenance  # noqa: E402
from fanout.insight.sentences import sentences  # noqa: E402
from fanout.snapshot import Branch, Phase, Snapshot  # noqa: E402
from fanout.types import (  # noqa: E402
    BranchId,
    BranchPlan,
    BranchState,
    EndpointId,
    ModelRef,
    RunId,
    RunStatus,
    Usage,
)
from tests.insight.labelled import figures, labelled  # noqa: E402

BRANCHES, BRANCH_WORDS, ANSWER_WORDS = 12, 800, 400
GOAL_MS = 100
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
)


def texts() -> tuple[str, dict[BranchId, str]]:
    """An answer and its branches, in words as frequent as those of a language, always the same."""
    chance = random.Random(7)
    words = ["".join(chance.choices(SYLLABLES, k=chance.randint(1, 4))) for _ in range(4000)]
    weights = [1 / rank for rank in range(1, len(words) + 1)]

    def sentence() -> str:
        return " ".join(chance.choices(words, weights, k=20)).capitalize() + "."

    told = {
        BranchId(f"b{i}"): [sentence() for _ in range(BRANCH_WORDS // 20)] for i in range(BRANCHES)
    }
    every = [one for spoken in told.values() for one in spoken]
    count = ANSWER_WORDS // 20
    answer = chance.sample(every, count // 2) + [sentence() for _ in range(count - count // 2)]
    return " ".join(answer), {branch: " ".join(spoken) for branch, spoken in told.items()}


def snapshot(sources: dict[BranchId, str]) -> Snapshot:
    """A finished run of these texts."""
    model = ModelRef(endpoint=EndpointId("bench"), model="m")
    states = (BranchState.QUEUED, BranchState.WAITING, BranchState.WRITING, BranchState.DONE)
    return Snapshot(
        run_id=RunId("r"),
        workflow="w",
        title="W",
        topic="t",
        started_at=0,
        at=20,
        status=RunStatus.SUCCEEDED,
        branches=tuple(
            Branch(
                plan=BranchPlan(id=branch, title=branch, model=model, messages=()),
                text=text,
                phases=tuple(Phase(state=s, since_s=5.0 * i) for i, s in enumerate(states)),
                usage=Usage(input=100, output=1000),
            )
            for branch, text in sources.items()
        ),
    )


def by_difflib(answer: str, sources: dict[BranchId, str]) -> None:
    """The best branch of every sentence by the ratio of its words."""
    told = [(b, one.text.split()) for b, text in sources.items() for one in sentences(text)]
    matcher: SequenceMatcher[str] = SequenceMatcher(autojunk=False)
    for sentence in sentences(answer):
        matcher.set_seq2(sentence.text.split())
        best = 0.0
        for _, spoken in told:
            matcher.set_seq1(spoken)
            best = max(best, matcher.ratio())


def cpu_ms(work: Callable[[], object]) -> float:
    began = time.process_time()
    work()
    return (time.process_time() - began) * 1000


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="fewer rounds")
    rounds = 3 if parser.parse_args().quick else 11
    answer, sources = texts()
    run = snapshot(sources)
    ways: dict[str, Callable[[], object]] = {
        "provenance": lambda: provenance(answer, sources),
        "practices": lambda: practices(run, run.at),
        "difflib": lambda: by_difflib(answer, sources),
    }
    spent: dict[str, list[float]] = {name: [] for name in ways}
    for turn in range(rounds + 1):
        for name, work in ways.items():
            took = cpu_ms(work)
            if turn:  # the first round warms up
                spent[name].append(took)
    median = {name: statistics.median(took) for name, took in spent.items()}
    whole = median["provenance"] + median["practices"]
    print(f"CPU, median of {rounds}: {BRANCHES} branches of {BRANCH_WORDS} words")
    print(f"  provenance of {ANSWER_WORDS} words    {median['provenance']:8.1f} ms")
    print(f"  practices, independence {median['practices']:8.1f} ms")
    print(f"  together                {whole:8.1f} ms   goal: under {GOAL_MS} ms")
    print(f"  difflib on all pairs    {median['difflib']:8.1f} ms", end="")
    print(f"   provenance is {median['difflib'] / median['provenance']:.1f}x cheaper")
    held = labelled(tuning=False)
    found = figures(held)
    print(f"Labelled sentences that no threshold was chosen on: {len(held)}")
    print(f"  sources    precision {found.source_precision:.2f}  recall {found.source_recall:.2f}")
    print(
        f"  supported  precision {found.supported_precision:.2f}  "
        f"recall {found.supported_recall:.2f}"
    )


if __name__ == "__main__":
    main()
