"""Batches, their rows, the workers that take them, and which runs are rows."""

from __future__ import annotations

from alembic import op
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Double,
    ForeignKey,
    Integer,
    String,
    Text,
    false,
    text,
)

revision = "0008"
down_revision = "0007"

Number = BigInteger().with_variant(Integer, "sqlite")


def upgrade() -> None:
    op.add_column("runs", Column("batch", String(64), nullable=False, server_default=""))
    rows = text("batch != ''")
    op.create_index("runs_by_batch", "runs", ["batch"], sqlite_where=rows, postgresql_where=rows)
    op.create_table(
        "batches",
        Column("number", Number, primary_key=True, autoincrement=True),
        Column("id", String(64), nullable=False, unique=True),
        Column("title", Text, nullable=False),
        Column("workflow", String(80), nullable=False),
        Column("definition", Text, nullable=False),
        Column("endpoint", String(80), nullable=False),
        Column("model", Text, nullable=False),
        Column("columns", Text, nullable=False),
        Column("topic_column", Text, nullable=False),
        Column("concurrency", Integer, nullable=False),
        Column("rows_per_minute", Integer),
        Column("cap_nano", BigInteger),
        Column("cap_tokens", BigInteger),
        Column("via", String(20), nullable=False),
        Column("estimate", Text, nullable=False, server_default="{}"),
        Column("person", String(64), nullable=False, server_default=""),
        Column("state", String(20), nullable=False),
        Column("why", Text, nullable=False, server_default=""),
        Column("format", Integer, nullable=False),
        Column("made_by", String(40), nullable=False, server_default=""),
        Column("created_at", Double, nullable=False),
        Column("started_at", Double),
        Column("finished_at", Double),
        Column("changed", Integer, nullable=False, server_default="0"),
    )
    op.create_index("batches_by_state", "batches", ["state"])
    op.create_table(
        "batch_rows",
        Column("batch", Number, ForeignKey("batches.number", ondelete="CASCADE"), primary_key=True),
        Column("number", Integer, primary_key=True),
        Column("topic", Text, nullable=False),
        Column("values", Text, nullable=False, server_default="{}"),
        Column("line", Integer),
        Column("skipped", Text, nullable=False, server_default=""),
        Column("state", String(20), nullable=False),
        Column("go", Integer, nullable=False, server_default="0"),
        Column("worker", String(64), nullable=False, server_default=""),
        Column("run", String(64)),
        Column("started_at", Double),
        Column("finished_at", Double),
        Column("cause", String(40)),
        Column("message", Text, nullable=False, server_default=""),
        Column("answer", Text, nullable=False, server_default=""),
        Column("verdict", Text),
        Column("agreement", Double),
        Column("measures", Text, nullable=False, server_default="{}"),
        Column("cost_nano", BigInteger),
        Column("free", Boolean, nullable=False, server_default=false()),
        Column("input_tokens", BigInteger, nullable=False, server_default="0"),
        Column("output_tokens", BigInteger, nullable=False, server_default="0"),
        Column("wall_s", Double, nullable=False, server_default="0"),
        Column("sequential_s", Double, nullable=False, server_default="0"),
        Column("branches", Integer, nullable=False, server_default="0"),
        Column("failed", Integer, nullable=False, server_default="0"),
    )
    op.create_index("batch_rows_by_state", "batch_rows", ["batch", "state", "number"])
    op.create_index("batch_rows_by_end", "batch_rows", ["batch", "finished_at"])
    op.create_index("batch_rows_by_run", "batch_rows", ["run"])
    op.create_table(
        "workers",
        Column("id", String(64), primary_key=True),
        Column("host", Text, nullable=False),
        Column("pid", Integer, nullable=False),
        Column("version", String(40), nullable=False),
        Column("format", Integer, nullable=False),
        Column("started_at", Double, nullable=False),
        Column("seen_at", Double, nullable=False),
        Column("done", Integer, nullable=False, server_default="0"),
    )
