"""A batch at an endpoint that does everything wrong, held against what it says and did.

python -m tests.batch.fault_proof --rows 2000 --seed 6 [--database postgresql://...]
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from fanout.batches import Batch, NewBatch, RowRecord, RowState
from fanout.policies import Budget
from fanout.providers.script import pieces_of
from fanout.snapshot import Branch, Snapshot
from fanout.types import AGGREGATE, BatchId
from tests.batch import faulty
from tests.batch.hall import NAMES, Hall, hall, topics

AT_ONCE = 24
NOTE = '=1+1; "quoted", Ünïcode\nand a line'
ROUNDS = 12
TIMEOUT_S = 1800.0
LACKING = (RowState.PARTIAL, RowState.FAILED)
ID = {name: name for name in NAMES} | {"combine": AGGREGATE}


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """Rows as they stood at one moment, their runs, and what the endpoint had done by then."""

    rows: tuple[RowRecord, ...]
    runs: Mapping[int, Snapshot]
    done: faulty.Done

    def call(self, row: int, name: str) -> Branch | None:
        """None where it was never begun."""
        return next((one for one in self.runs[row].calls if one.id == ID[name]), None)

    @property
    def states(self) -> Counter[RowState]:
        return Counter(row.state for row in self.rows)


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """Everything that there is to compare."""

    batch: Batch
    first: Seen
    """Once every row has ended for the first time."""
    rounds: int
    """How often what failed was asked again."""
    last: Seen
    at: Hall
    """The store of the batch, still open."""
    took_s: float


@contextmanager
def proof(
    home: Path, url: str, rows: int, seed: int | None, idle_s: float = 2.0
) -> Iterator[Proof]:
    """Carry it out; what failed is asked again until only what is refused is left.

    `idle_s` is how long an answer may be silent: each stall costs that, and a machine that is busy
    for longer is taken for a stall.
    """
    began = time.monotonic()
    with hall(home, url, faulty.script(rows, seed)) as at:
        batch = _batch(at, rows, idle_s)
        with at.worker():
            at.until_finished(batch, TIMEOUT_S)
            first = last = _seen(at, batch, seed)
            rounds = 0
            while _mendable(last):
                assert rounds < ROUNDS, f"it stays at {last.states}"
                rounds += 1
                assert at.store.batches.retry(batch, LACKING)
                at.until_finished(batch, TIMEOUT_S)
                last = _seen(at, batch, seed)
        yield Proof(
            batch=at.get(batch),
            first=first,
            rounds=rounds,
            last=last,
            at=at,
            took_s=time.monotonic() - began,
        )


def unlike_told(seen: Seen) -> list[str]:
    """Calls whose failures, attempt by attempt, aren't what the endpoint did to them."""
    odd = []
    for row in seen.runs:
        for name in faulty.CALLS:
            call = seen.call(row, name)
            told = [] if call is None else [kind for go in call.goes for kind in _kinds(go)]
            did = [faulty.kind_of(one.fault) for one in seen.done.to(row, name)]
            if told != did:
                odd.append(f"row {row}, {name}: {told} of {did}")
    return odd


def wrongly_billed(seen: Seen) -> list[str]:
    """Rows whose tokens or money aren't what the endpoint counted, where it said a count, and rows
    that don't say that they are estimated where it didn't."""
    odd = []
    for record in seen.rows:
        given, result = seen.done.to_row(record.row.number), record.result
        assert result is not None
        told = (result.input_tokens, result.output_tokens)
        counted = (sum(one.input for one in given), sum(one.output for one in given))
        exact = all(one.fault in faulty.BILLED_WHOLE | faulty.UNBILLED for one in given)
        cost, run = result.cost, seen.runs[record.row.number]
        estimated = any(go.cost is not None and go.cost.estimated for go in run.goes)
        if cost is None or cost.usd != faulty.usd(*told) or estimated is exact:
            odd.append(f"row {record.row.number}: {cost} for {told}, of {_names(given)}")
        elif exact and told != counted:
            odd.append(f"row {record.row.number}: {told}, counted {counted}, {_names(given)}")
    return odd


def asked_again(first: Seen, last: Seen) -> list[str]:
    """Calls that had been answered at first and were asked once more."""
    return [
        f"row {row}, {name}"
        for row in first.runs
        for name in NAMES
        if (call := first.call(row, name)) is not None
        and call.state.succeeded
        and len(last.done.to(row, name)) != len(first.done.to(row, name))
    ]


def unlike_faultless(last: Seen) -> list[str]:
    """Calls that say something else than without faults, and rows that ended otherwise."""
    odd = [
        f"row {record.row.number} is {record.state}"
        for record in last.rows
        if record.state is not faulty.state(record.row.number)
    ]
    for row in last.runs:
        for name in faulty.CALLS:
            call = last.call(row, name)
            wanted = "" if faulty.refused(row, name) else faulty.text(row, name)
            given = last.done.to(row, name)
            if given and given[-1].fault == "twice":
                wanted = "".join(piece + piece for piece in pieces_of(wanted))
            text = call.shown_text if call is not None and call.state.succeeded else ""
            if text != wanted:
                odd.append(f"row {row}, {name}: {text[:60]!r}, without faults {wanted[:60]!r}")
    return odd


def uncombined(last: Seen) -> list[str]:
    """Answers that weren't written from every branch's text."""
    return [
        f"row {row}, {name}"
        for row in last.runs
        for name in NAMES
        if (call := last.call(row, name)) is not None
        and call.state.succeeded
        and call.text not in last.done.newest(row)
    ]


def _mendable(seen: Seen) -> bool:
    return any(row.state is not faulty.state(row.row.number) for row in seen.rows)


def _names(given: list[faulty.Given]) -> str:
    return ", ".join(sorted({one.fault for one in given if one.fault != "good"}))


def _kinds(go: Branch) -> Iterator[object]:
    if go.attempts:
        yield from (failure.kind for failure in go.setbacks)
        yield go.failure.kind if go.failure is not None else None


def _batch(at: Hall, rows: int, idle_s: float) -> BatchId:
    faulty.priced(at.home, at.server.base_url)
    new = NewBatch(
        title="Topics",
        workflow="trio",
        definition=faulty.WORKFLOW | {"deadlines": {"idle_s": idle_s}},
        model=faulty.MODEL,
        columns=("topic", "note"),
        concurrency=AT_ONCE,
        budget=Budget(usd=faulty.usd(10**9, 10**9)),
    )
    some = [replace(row, values={"topic": row.topic, "note": NOTE}) for row in topics(rows)]
    batch = at.store.batches.create(new, some)
    at.store.batches.resume(batch)
    return batch


def _seen(at: Hall, batch: BatchId, seed: int | None) -> Seen:
    rows = tuple(at.store.batches.each(batch))
    runs = {}
    for row in rows:
        stored = at.store.load(row.run_id or "")
        assert stored is not None, f"row {row.row.number} has no run"
        runs[row.row.number] = stored.snapshot
    return Seen(rows=rows, runs=runs, done=faulty.Done(at.server.requests, seed))


def main() -> int:
    """Print what came of it; 1 where something isn't as it should be."""
    parser = argparse.ArgumentParser(prog="python -m tests.batch.fault_proof")
    parser.add_argument("--rows", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=6)
    parser.add_argument(
        "--idle", type=float, default=10.0, help="seconds; how long an answer may be silent"
    )
    parser.add_argument("--database", default="", help="an empty PostgreSQL; else SQLite")
    asked = parser.parse_args()
    wrong = 0
    for seed, url in ((asked.seed, asked.database), (None, "")):
        with (
            tempfile.TemporaryDirectory(prefix="fanout-faults-") as folder,
            proof(Path(folder), url, asked.rows, seed, asked.idle) as seen,
        ):
            _say(f"{asked.rows} rows, seed {seed}, {seen.took_s:.0f} s")
            counted = seen.last.done.counted
            _say(f"requests: {counted.total()}, of which {dict(counted.most_common())}")
            _say(f"first: {_counts(seen.first)}")
            _say(f"after {seen.rounds} times asking again what failed: {_counts(seen.last)}")
            for what, odd in _wrong(seen).items():
                _say("\n  ".join([f"{what}: {len(odd) or 'none'}", *odd[:5]]))
                wrong += len(odd)
    return 1 if wrong else 0


def _wrong(seen: Proof) -> Mapping[str, list[str]]:
    return {
        "told otherwise than the endpoint did": unlike_told(seen.last),
        "tokens or money otherwise than it counted": wrongly_billed(seen.last),
        "asked again although answered": asked_again(seen.first, seen.last),
        "answered otherwise than without faults": unlike_faultless(seen.last),
        "not in what was combined": uncombined(seen.last),
    }


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _counts(seen: Seen) -> str:
    return ", ".join(f"{count} {state.value}" for state, count in seen.states.items())


if __name__ == "__main__":
    raise SystemExit(main())
