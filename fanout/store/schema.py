"""The tables, the same for SQLite and PostgreSQL; Alembic's migrations lead to exactly these.

The timeline is the truth: a run's events, in compressed chunks. `runs` and `calls` repeat what
lists, searches and sums need of it, and can be made anew from it at any time. Money is whole
nano-dollars; NULL is unknown. Full-text search has a table of its own, `WORDS`, which each database
builds in its own way, so it stands outside `metadata`. Those of batches are in `schema_batches`.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    false,
)
from sqlalchemy.dialects.postgresql import TSVECTOR

metadata = MetaData()

Number = BigInteger().with_variant(Integer, "sqlite")
"""SQLite counts up only an INTEGER by itself."""

runs = Table(
    "runs",
    metadata,
    Column("number", Number, primary_key=True, autoincrement=True),
    Column("id", String(64), nullable=False, unique=True),
    Column("workflow", String(80), nullable=False),
    Column("title", Text, nullable=False),
    Column("kind", String(40), nullable=False),
    Column("topic", Text, nullable=False),
    Column("status", String(20), nullable=False),
    Column("started_at", Double, nullable=False),
    Column("written_at", Double, nullable=False),
    Column("wall_s", Double, nullable=False, default=0.0),
    Column("sequential_s", Double, nullable=False, default=0.0),
    Column("cost_nano", BigInteger),
    Column("free", Boolean, nullable=False, default=False),
    Column("branches", Integer, nullable=False),
    Column("failed", Integer, nullable=False, default=0),
    Column("events", Integer, nullable=False, default=0),
    Column("owner", String(64), nullable=False, server_default=""),
    Column("derived_from", String(64)),
    Column("imported_at", Double),
    Column("name", Text, nullable=False, server_default=""),
    Column("notes", Text, nullable=False, server_default=""),
    Column("favourite", Boolean, nullable=False, server_default=false()),
    Column("deleted_at", Double),
    Column("low_nano", BigInteger),
    Column("high_nano", BigInteger),
    Column("least_tokens", BigInteger),
    Column("most_tokens", BigInteger),
    Column("person", String(64), nullable=False, server_default=""),
    Column("shared", Boolean, nullable=False, server_default=false()),
    Column("batch", String(64), nullable=False, server_default=""),
)

_LISTED = {
    "runs_by_start": ("started_at", "number", "wall_s", "sequential_s", "cost_nano", "deleted_at"),
    "runs_by_workflow": ("workflow", "started_at", "number", "deleted_at"),
    "runs_by_status": ("status", "started_at", "number", "deleted_at"),
    "runs_by_favourite": ("favourite", "started_at", "number", "deleted_at"),
    "runs_by_cost": ("cost_nano", "number", "deleted_at"),
    "runs_by_wall": ("wall_s", "number", "deleted_at"),
    "runs_by_person": ("person", "started_at", "number", "deleted_at"),
}
"""Each leads a list in its order, and counts or sums without a look at the rows, whose topics may
be long. Deleted runs are in none of them."""

for _name, _columns in _LISTED.items():
    _shown = runs.c.deleted_at.is_(None)
    Index(
        _name,
        *(runs.c[column] for column in _columns),
        sqlite_where=_shown,
        postgresql_where=_shown,
    )
_rows = runs.c.batch != ""
Index("runs_by_batch", runs.c.batch, sqlite_where=_rows, postgresql_where=_rows)
_gone = runs.c.deleted_at.is_not(None)
Index("runs_by_deletion", runs.c.deleted_at, sqlite_where=_gone, postgresql_where=_gone)

calls = Table(
    "calls",
    metadata,
    Column("run", Number, ForeignKey("runs.number", ondelete="CASCADE"), primary_key=True),
    Column("id", String(80), primary_key=True),
    Column("ordinal", Integer, nullable=False),
    Column("role", String(20), nullable=False),
    Column("title", Text, nullable=False),
    Column("endpoint", String(80), nullable=False),
    Column("host", Text, nullable=False, server_default=""),
    Column("model", Text, nullable=False),
    Column("state", String(20), nullable=False),
    Column("text", Text, nullable=False, default=""),
    Column("queued_s", Double),
    Column("first_token_s", Double),
    Column("finished_s", Double),
    Column("attempts", Integer, nullable=False, default=0),
    Column("input_tokens", Integer),
    Column("output_tokens", Integer),
    Column("cost_nano", BigInteger),
    Column("failure", String(40)),
    Index("calls_by_model", "model", "run"),
)

timeline = Table(
    "timeline",
    metadata,
    Column("run", Number, ForeignKey("runs.number", ondelete="CASCADE"), primary_key=True),
    Column("first", Integer, primary_key=True),
    Column("count", Integer, nullable=False),
    Column("data", LargeBinary, nullable=False),
)

tags = Table(
    "tags",
    metadata,
    Column("run", Number, ForeignKey("runs.number", ondelete="CASCADE"), primary_key=True),
    Column("tag", String(60), primary_key=True),
    Index("tags_by_tag", "tag", "run"),
)

verdicts = Table(
    "verdicts",
    metadata,
    Column("number", Number, primary_key=True, autoincrement=True),
    Column("given_at", Double, nullable=False),
    Column("run_a", String(64), nullable=False),
    Column("call_a", String(80), nullable=False, default=""),
    Column("run_b", String(64), nullable=False),
    Column("call_b", String(80), nullable=False, default=""),
    Column("choice", String(10), nullable=False),
    Column("person", String(64), nullable=False, server_default=""),
    Index("verdicts_by_a", "run_a"),
    Index("verdicts_by_b", "run_b"),
)

people = Table(
    "people",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("signed_out_at", Double, nullable=False),
)

processes = Table(
    "processes",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("host", Text, nullable=False),
    Column("pid", Integer, nullable=False),
    Column("seen_at", Double, nullable=False),
)

spending = Table(
    "spending",
    metadata,
    Column("day", String(10), primary_key=True),
    Column("person", String(64), primary_key=True),
    Column("cost_nano", BigInteger, nullable=False),
    Column("tokens", BigInteger, nullable=False),
)

reservations = Table(
    "reservations",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("day", String(10), nullable=False),
    Column("person", String(64), nullable=False),
    Column("cost_nano", BigInteger, nullable=False),
    Column("tokens", BigInteger, nullable=False),
    Column("made_at", Double, nullable=False),
)

WORDS = {
    "sqlite": Table(
        "run_words",
        MetaData(),
        Column("rowid", Integer, primary_key=True, key="run"),
        Column("topic", Text),
        Column("texts", Text),
        Column("label", Text),
    ),
    "postgresql": Table(
        "run_words",
        MetaData(),
        Column("run", BigInteger, primary_key=True),
        Column("topic", Text),
        Column("texts", Text),
        Column("label", Text),
        Column("words", TSVECTOR),
    ),
}
"""By the name of the dialect: what a text search looks through, one row a run.

Each column holds `words.words` of its text with spaces between; `label` is name and notes. SQLite's
is an FTS5 table; PostgreSQL fills `words` by itself from the other three, so only those are ever
written. A row goes when its run goes, in both.
"""
