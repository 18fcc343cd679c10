"""Rows as Parquet, in groups that are written as soon as they are full, so that memory stays flat.

Times are timestamps in UTC, money is a number of US dollars; the columns' meanings are in the
file's own metadata.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from decimal import Decimal
from typing import IO, TYPE_CHECKING

from fanout.batches import Batch, RowRecord
from fanout.errors import InputError
from fanout.export.batch.fields import Cell, Field, Kind, cells, fields

if TYPE_CHECKING:
    from collections.abc import Sequence

MOST_ROWS = 5_000
MOST_CHARACTERS = 8_000_000
"""Of a group's texts, whichever comes first."""
_TYPES: dict[Kind, str] = {
    "text": "string", "long": "string", "count": "int64", "seconds": "float64", "usd": "float64",
    "share": "float64", "number": "float64", "flag": "bool",
}  # fmt: skip


def write_parquet(batch: Batch, rows: Iterable[RowRecord], target: IO[bytes]) -> int:
    """How many rows. InputError where pyarrow isn't installed."""
    try:
        import pyarrow as arrow  # type: ignore[import-untyped]
        import pyarrow.parquet as parquet  # type: ignore[import-untyped]
    except ImportError:
        raise InputError(
            "Parquet files need pyarrow, which isn't installed here: pip install pyarrow, or "
            "export CSV."
        ) from None
    shown = fields(batch)
    moment = arrow.timestamp("ms", "UTC")
    schema = arrow.schema(
        [
            arrow.field(
                one.name, moment if one.kind == "time" else arrow.type_for_alias(_TYPES[one.kind])
            )
            for one in shown
        ],
        metadata={"fanout.batch": batch.id, "fanout.columns": _meanings(shown)},
    )
    number = 0
    with parquet.ParquetWriter(target, schema, compression="zstd") as writer:
        group = _Group(shown)
        for record in rows:
            number += 1
            group.add(record)
            if group.full:
                writer.write_table(arrow.table(group.taken(), schema=schema))
        if group.rows:
            writer.write_table(arrow.table(group.taken(), schema=schema))
    return number


class _Group:
    """Rows that wait to be written together, column by column."""

    def __init__(self, shown: Sequence[Field]) -> None:
        self._shown = tuple(shown)
        self._columns: list[list[object]] = [[] for _ in self._shown]
        self.rows = self._characters = 0

    @property
    def full(self) -> bool:
        return self.rows >= MOST_ROWS or self._characters >= MOST_CHARACTERS

    def add(self, record: RowRecord) -> None:
        self.rows += 1
        for column, one, cell in zip(
            self._columns, self._shown, cells(self._shown, record), strict=True
        ):
            if isinstance(cell, str):
                self._characters += len(cell)
            column.append(_value(one.kind, cell))

    def taken(self) -> list[list[object]]:
        """The columns so far; the group is empty again."""
        found, self._columns = self._columns, [[] for _ in self._shown]
        self.rows = self._characters = 0
        return found


def _value(kind: Kind, cell: Cell) -> object:
    if cell is None:
        return None
    if kind == "time":
        return round(float(cell) * 1000)
    return float(cell) if isinstance(cell, Decimal) else cell


def _meanings(shown: Sequence[Field]) -> str:
    return json.dumps({one.name: one.about for one in shown}, ensure_ascii=False)
