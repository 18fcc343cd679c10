"""A table becomes the rows of a batch: which column is the topic, which fill variables, what stays.

Repeated and empty rows are kept in the batch as skipped, with why, so that the file and its batch
can be laid side by side. Nothing is asked here and nothing is stored.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from fanout.batch.conditions import check_budget
from fanout.batch.places import Places
from fanout.batch.reading.table import TOPIC_NAMES, Table, TableRow
from fanout.batches import HELD, NewBatch, Row
from fanout.bounds import LOCAL, Bounds
from fanout.errors import InputError
from fanout.people import NOBODY, PersonId
from fanout.policies import Budget
from fanout.types import ModelRef, Via
from fanout.workflows.definition import Workflow
from fanout.workflows.topic import MAX_TOPIC_CHARS, clean_topic

FIRST = 3
"""Rows that are shown with their prompts, and tried before the others."""
MOST_CONCURRENCY = 1000
LONGEST = 200
"""Of a title, in characters."""
CONCURRENCY = 4
EMPTY = "it has no topic"
Same = tuple[str, ...]
"""What makes two rows the same: the topic and what fills the variables, but for their blanks."""
_BETWEEN = re.compile(r"\W+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """Everything that is to be seen before a batch starts."""

    columns: tuple[str, ...]
    topic_column: str
    rows: tuple[Row, ...]
    """All of them, those that are left out too; see `Row.skipped`."""
    duplicates: tuple[Row, ...] = ()
    """Rows that say the same as an earlier one, whether they are kept or not."""
    empties: tuple[Row, ...] = ()
    """Rows without a topic; they are always left out."""
    too_long: tuple[Row, ...] = ()
    """Rows whose topic is past the bound; they are always left out, and their topic is cut."""
    filled: Mapping[str, str]
    """Variable of the workflow to the column that fills it."""
    unfilled: tuple[str, ...] = ()
    """Variables that no column fills: their default is used."""
    blank: Mapping[str, int]
    """Variable to how many rows that are carried out have nothing for it, and so its default."""
    unused: tuple[str, ...] = ()
    """Columns that no prompt uses. They are kept beside the results."""
    notes: tuple[str, ...] = ()
    """What was guessed or mended when the table was read, in sentences."""
    problems: tuple[str, ...] = ()
    """Why it can't start, each in a sentence; none: it can."""

    @property
    def wanted(self) -> tuple[Row, ...]:
        """The rows that are carried out."""
        return tuple(row for row in self.rows if not row.skipped)


def prepare(
    table: Table,
    workflow: Workflow,
    topic_column: str = "",
    *,
    fills: Mapping[str, str] | None = None,
    keep_duplicates: bool = False,
    limits: Bounds = LOCAL,
    earlier: Iterable[Row] = (),
) -> Prepared:
    """Rows for a batch of that workflow, numbered behind those of an `earlier` part of it.

    `topic_column` "" takes the usual one, see `topic_column_of`. Columns fill the workflow's
    variables of their own name; `fills` says others, column to variable. InputError where a column
    or a variable that is named is not there.
    """
    topic_column = topic_column or topic_column_of(table.columns)
    _known(topic_column, table.columns)
    filled = filling(table.columns, workflow, fills or {})
    reader = _Reader(table.columns, topic_column, filled, limits, keep_duplicates=keep_duplicates)
    reader.remember(earlier)
    limits.check_batch_rows(reader.there, len(table.rows))
    rows = tuple(map(reader.row, table.rows))
    used = {topic_column, *filled.values()}
    wanted = sum(not row.skipped for row in rows)
    return Prepared(
        columns=table.columns,
        topic_column=topic_column,
        rows=rows,
        duplicates=tuple(reader.duplicates),
        empties=tuple(reader.empties),
        too_long=tuple(reader.too_long),
        filled=filled,
        unfilled=tuple(name for name in workflow.variables if name not in filled),
        blank={name: count for name, count in reader.blank.items() if count},
        unused=tuple(column for column in table.columns if column not in used),
        notes=table.notes,
        problems=() if wanted else (_nothing_left(reader, len(rows), topic_column),),
    )


def topic_column_of(columns: Iterable[str]) -> str:
    """The column that usually holds what is asked about; else the first."""
    names = list(columns)
    by_name = {name.casefold(): name for name in reversed(names)}
    return next((by_name[usual] for usual in TOPIC_NAMES if usual in by_name), names[0])


def filling(columns: Iterable[str], workflow: Workflow, fills: Mapping[str, str]) -> dict[str, str]:
    """Variable to column: of the same name, or nearly, or as it is said."""
    names = tuple(columns)
    filled: dict[str, str] = {}
    for column, variable in fills.items():
        _known(column, names)
        if variable not in workflow.variables:
            raise InputError(_no_variable(workflow, variable))
        if variable in names and column != variable:
            raise InputError(
                f'{{{variable}}} can\'t be filled from "{column}": there is a column "{variable}" '
                "as well. Rename one of them."
            )
        if variable in filled:
            raise InputError(f"Two columns are to fill {{{variable}}}. Choose one.")
        filled[variable] = column
    for variable in workflow.variables:
        near = [name for name in names if _plain(name) == _plain(variable)]
        if variable not in filled and near:
            filled[variable] = variable if variable in near else near[0]
    return {name: filled[name] for name in workflow.variables if name in filled}


def new_batch(
    prepared: Prepared,
    workflow: Workflow,
    model: ModelRef,
    *,
    title: str,
    concurrency: int = CONCURRENCY,
    rows_per_minute: int | None = None,
    budget: Budget | None = None,
    via: Via = Via.CALLS,
    person: PersonId = NOBODY,
    estimate: Mapping[str, object] | None = None,
    places: Places | None = None,
) -> NewBatch:
    """What `store.batches.create` keeps, with `prepared.rows`. InputError where it can't start.

    `places` is where it asks, see `places_of`; without, workers go by the endpoint's id alone.
    """
    if prepared.problems:
        raise InputError(prepared.problems[0])
    check_pace(concurrency)
    check_budget(budget or Budget(), estimate or {})
    if rows_per_minute is not None and rows_per_minute < 1:
        raise InputError("At least one row a minute has to begin, or none ever would.")
    return NewBatch(
        title=" ".join(title.split())[:LONGEST] or workflow.title,
        workflow=workflow.name,
        definition=workflow.model_dump(mode="json"),
        model=model,
        columns=prepared.columns,
        topic_column=prepared.topic_column,
        concurrency=concurrency,
        rows_per_minute=rows_per_minute,
        budget=budget or Budget(),
        via=via,
        person=person,
        estimate=estimate or {},
        places=places or {},
    )


def check_pace(concurrency: int) -> None:
    """InputError where so many rows can't be in flight at once."""
    if not 1 <= concurrency <= MOST_CONCURRENCY:
        raise InputError(
            f"{concurrency:,} rows at once can't be: choose from 1 to {MOST_CONCURRENCY:,}."
        )


def held_back(rows: Iterable[Row], first: int = FIRST) -> Iterator[Row]:
    """The same rows for a trial: all but the first that are wanted wait for `batches.release`."""
    for row in rows:
        yield row if row.skipped or first > 0 else replace(row, skipped=HELD)
        first -= not row.skipped


class _Reader:
    """Reads one row after another, and knows those before."""

    def __init__(
        self,
        columns: tuple[str, ...],
        topic_column: str,
        filled: Mapping[str, str],
        limits: Bounds,
        *,
        keep_duplicates: bool,
    ) -> None:
        self._columns = columns
        self._topic = topic_column
        self._filled = filled
        self._limits = limits
        self._keep = keep_duplicates
        self._seen: dict[Same, int] = {}
        self._number = self.there = 0
        self.duplicates: list[Row] = []
        self.empties: list[Row] = []
        self.too_long: list[Row] = []
        self.blank = dict.fromkeys(filled, 0)

    def remember(self, earlier: Iterable[Row]) -> None:
        """Rows that the batch has already."""
        for row in earlier:
            self._number = max(self._number, row.number)
            self.there += 1
            if row.skipped in ("", HELD):
                self._seen.setdefault(self._same(row.topic, row.values), row.number)

    def row(self, read: TableRow) -> Row:
        self._number += 1
        values = dict(zip(self._columns, read.cells, strict=True))
        said = values[self._topic]
        values |= {name: values[column] for name, column in self._filled.items()}
        longest = min(self._limits.topic_chars, MAX_TOPIC_CHARS)
        if len(said) > longest:
            why = f"its topic has {len(said):,} characters; at most {longest:,} can be sent here"
            # What can't be sent need not be kept, once for each column that holds it.
            cut = {name: text[:longest] for name, text in values.items()}
            return self._left_out(self.too_long, said[:longest], cut, read.line, why)
        try:
            topic = clean_topic(said)
        except InputError:
            return self._left_out(self.empties, "", values, read.line, EMPTY)
        first = self._seen.setdefault(self._same(topic, values), self._number)
        if first == self._number:
            return self._wanted(topic, values, read.line)
        if not self._keep:
            why = f"the same as row {first:,}"
            return self._left_out(self.duplicates, topic, values, read.line, why)
        row = self._wanted(topic, values, read.line)
        self.duplicates.append(row)
        return row

    def _wanted(self, topic: str, values: Mapping[str, str], line: int | None) -> Row:
        for name in self._filled:
            self.blank[name] += not values[name]
        return Row(number=self._number, topic=topic, values=values, line=line)

    def _left_out(
        self, among: list[Row], topic: str, values: Mapping[str, str], line: int | None, why: str
    ) -> Row:
        row = Row(number=self._number, topic=topic, values=values, line=line, skipped=why)
        among.append(row)
        return row

    def _same(self, topic: str, values: Mapping[str, str]) -> Same:
        said = (topic, *(values.get(name, "") for name in self._filled))
        return tuple(" ".join(text.split()) for text in said)


def _known(column: str, columns: tuple[str, ...]) -> None:
    if column not in columns:
        offer = ", ".join(f'"{one}"' for one in _first(columns))
        raise InputError(f'There is no column "{column[:80]}". There are: {offer}.')


def _first(columns: tuple[str, ...]) -> Iterator[str]:
    yield from columns[:20]


def _no_variable(workflow: Workflow, variable: str) -> str:
    offer = ", ".join(f"{{{name}}}" for name in workflow.variables)
    there = f"It has {offer}." if offer else "It has none: its [variables] name them."
    return f'{workflow.title} has no variable "{variable[:80]}". {there}'


def _nothing_left(reader: _Reader, rows: int, column: str) -> str:
    if len(reader.empties) == rows:
        return f'No row has a topic in "{column}". Choose another column.'
    return "No row is left to be carried out: all are empty, repeated or too long."


def _plain(name: str) -> str:
    return _BETWEEN.sub("_", name.casefold()).strip("_")
