"""The columns of an exported batch: the reader's own as they were, and ours beside them.

A user's columns keep their names, so that a table can be joined with the one it came from. Ours
begin with "fanout_", or with as many underscores behind it as it takes for none of theirs to begin
so too. Nothing is lost but what no file could hold: a NUL and half a surrogate pair become U+FFFD.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Literal, TypeAlias

from fanout.batches import Batch, RowRecord, RowResult

Cell: TypeAlias = str | int | float | Decimal | bool | None
"""None is an empty cell: unknown is never 0."""
Kind = Literal["text", "long", "count", "seconds", "usd", "share", "number", "flag", "time"]
"""What a column holds. A time is Unix seconds, a flag is yes or no."""
Source: TypeAlias = Callable[[RowRecord], Cell]

PREFIX = "fanout_"
MEASURES = (
    "independence", "balance", "overhead", "speed_up", "cost", "rate_limit", "failures", "prefix",
    "margin", "valid_votes", "score", "alpha", "tau",
)  # fmt: skip
"""Each has a column of its own; what a row has beyond these stands in one as JSON."""
_UNKEPT = re.compile("[\x00\ud800-\udfff]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    name: str
    kind: Kind
    about: str
    of: Source


def fields(batch: Batch) -> tuple[Field, ...]:
    """The number and the topic, the user's columns, then what became of the row."""
    before, after = _own()[:2], _own()[2:]
    names = list(batch.columns)
    prefix = prefix_for(names)
    own = [tuple(_prefixed(one, prefix) for one in part) for part in (before, after)]
    theirs = tuple(_users(name) for name in names)
    return (*own[0], *theirs, *own[1], _others(batch, prefix))


def prefix_for(names: list[str]) -> str:
    """Of our columns, so that none of these begins with it, in whatever case."""
    prefix = PREFIX
    while any(kept(name).casefold().startswith(prefix) for name in names):
        prefix += "_"
    return prefix


def kept(text: str) -> str:
    """The text as any file can hold it."""
    return _UNKEPT.sub("\ufffd", text)


def finite(value: Cell) -> Cell:
    """A number that is none is nothing."""
    return None if isinstance(value, float) and not math.isfinite(value) else value


def iso(unix_s: float) -> str:
    """ "2026-11-23T06:00:00.250Z"; "" for a moment that no calendar has."""
    try:
        at = datetime.fromtimestamp(unix_s, UTC)
    except (ValueError, OverflowError, OSError):
        return ""
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def cost_usd(result: RowResult | None) -> Decimal | None:
    """None is unknown, or the row hasn't ended."""
    return None if result is None or result.cost is None else result.cost.usd


def cost_estimated(result: RowResult | None) -> bool | None:
    """Whether its cost comes from an estimated usage; None where the row hasn't ended."""
    return None if result is None else result.cost is not None and result.cost.estimated


def cost_known(result: RowResult | None) -> bool | None:
    """None where the row hasn't ended."""
    return None if result is None else result.cost is not None


def _prefixed(one: Field, prefix: str) -> Field:
    return Field(name=f"{prefix}{one.name}", kind=one.kind, about=one.about, of=one.of)


def _users(name: str) -> Field:
    return Field(
        name=kept(name),
        kind="long",
        about="As it was read, without blanks at both ends.",
        of=lambda record: record.row.values.get(name),
    )


def _others(batch: Batch, prefix: str) -> Field:
    """Rows that were added later may have brought columns along that the first ones hadn't.

    A row also keeps what fills a variable under the variable's name. Where that is the text of one
    of its columns, it is told there.
    """
    known, variables = set(batch.columns), _variables(batch)

    def other(record: RowRecord) -> str | None:
        values = record.row.values
        told = {values[name] for name in values if name not in variables or name in known}
        found = {
            name: value
            for name, value in values.items()
            if name not in known and not (name in variables and value in told)
        }
        return json.dumps(found, ensure_ascii=False) if found else None

    about = "Columns that the batch began without, as JSON."
    return Field(name=f"{prefix}other_columns", kind="long", about=about, of=other)


def _variables(batch: Batch) -> frozenset[str]:
    found = batch.definition.get("variables")
    return frozenset(map(str, found)) if isinstance(found, Mapping) else frozenset()


def _own() -> tuple[Field, ...]:
    def one(name: str, kind: Kind, about: str, of: Source) -> Field:
        return Field(name=name, kind=kind, about=about, of=of)

    return (
        one("row", "count", "Its number in the batch, from 1.", lambda r: r.row.number),
        one("topic", "long", "What the workflow was run on.", lambda r: r.row.topic),
        one("line", "count", "Its line in the file, from 1.", lambda r: r.row.line),
        one("state", "text", "What became of it; partial lacks a branch.", lambda r: r.state.value),
        one("skipped", "text", "Why it was left out.", lambda r: r.row.skipped or None),
        one("verdict", "text", "What the vote decided.", _of(lambda r: r.verdict)),
        one("agreement", "share", "The winner's share of the ballots.", _of(lambda r: r.agreement)),
        one("answer", "long", "The combined answer.", _of(lambda r: r.answer or None)),
        one("failure", "text", "The kind of failure that decided it.", _of(_cause)),
        one("failure_message", "long", "What happened.", _of(lambda r: r.message or None)),
        one("branches", "count", "Branches of its run.", _of(lambda r: r.branches)),
        one("branches_failed", "count", "How many of them failed.", _of(lambda r: r.failed)),
        one("wall_s", "seconds", "Seconds that it took.", _of(lambda r: r.wall_s)),
        one("sequential_s", "seconds", "Its calls in a row.", _of(lambda r: r.sequential_s)),
        one("cost_usd", "usd", "US dollars; empty where unknown, 0 where free.",
            lambda r: cost_usd(r.result)),
        one("cost_known", "flag", "Whether the cost is known.", lambda r: cost_known(r.result)),
        one("cost_estimated", "flag", "Whether it comes from an estimated usage.",
            lambda r: cost_estimated(r.result)),
        one("input_tokens", "count", "All input tokens.", _of(lambda r: r.input_tokens)),
        one("output_tokens", "count", "All output tokens.", _of(lambda r: r.output_tokens)),
        one("started_at", "time", "When it began (UTC).", lambda r: r.started_at),
        one("finished_at", "time", "When it ended (UTC).", lambda r: r.finished_at),
        one("tries", "count", "How often a worker began it.", lambda r: r.tries),
        one("worker", "text", "Who had it last.", lambda r: r.worker or None),
        one("run_id", "text", "Its run, opened at /?run=ID.", lambda r: r.run_id),
        *map(_measure, MEASURES),
        one("other_measures", "text", "Further measures, as JSON.", _of(_other_measures)),
    )  # fmt: skip


def _of(read: Callable[[RowResult], Cell]) -> Source:
    """Nothing where the row hasn't ended."""
    return lambda record: None if record.result is None else read(record.result)


def _cause(result: RowResult) -> str | None:
    return None if result.cause is None else result.cause.value


def _measure(name: str) -> Field:
    about = "A measure of the run's page."
    of = _of(lambda result: result.measures.get(name))
    return Field(name=f"measure_{name}", kind="number", about=about, of=of)


def _other_measures(result: RowResult) -> str | None:
    found = {name: value for name, value in result.measures.items() if name not in MEASURES}
    return json.dumps(found) if found else None


def cells(of: tuple[Field, ...], record: RowRecord) -> Iterator[Cell]:
    """A row's cells in the order of the fields; texts as any file can hold them."""
    for one in of:
        value = finite(one.of(record))
        yield kept(value) if isinstance(value, str) else value
