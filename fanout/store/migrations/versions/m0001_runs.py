"""Runs, their calls, and the timeline that both are drawn from."""

from __future__ import annotations

from alembic import op
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Double,
    ForeignKey,
    Integer,
    LargeBinary,
    String,
    Text,
)

revision = "0001"
down_revision = None

Number = BigInteger().with_variant(Integer, "sqlite")


def upgrade() -> None:
    op.create_table(
        "runs",
        Column("number", Number, primary_key=True, autoincrement=True),
        Column("id", String(64), nullable=False, unique=True),
        Column("workflow", String(80), nullable=False),
        Column("title", Text, nullable=False),
        Column("kind", String(40), nullable=False),
        Column("topic", Text, nullable=False),
        Column("status", String(20), nullable=False),
        Column("started_at", Double, nullable=False),
        Column("written_at", Double, nullable=False),
        Column("wall_s", Double, nullable=False),
        Column("sequential_s", Double, nullable=False),
        Column("cost_nano", BigInteger),
        Column("free", Boolean, nullable=False),
        Column("branches", Integer, nullable=False),
        Column("failed", Integer, nullable=False),
        Column("events", Integer, nullable=False),
    )
    op.create_index("runs_by_start", "runs", ["started_at"])
    op.create_index("runs_by_workflow", "runs", ["workflow", "started_at"])
    op.create_index("runs_by_status", "runs", ["status", "started_at"])
    op.create_table(
        "calls",
        Column("run", Number, ForeignKey("runs.number", ondelete="CASCADE"), primary_key=True),
        Column("id", String(80), primary_key=True),
        Column("ordinal", Integer, nullable=False),
        Column("role", String(20), nullable=False),
        Column("title", Text, nullable=False),
        Column("endpoint", String(80), nullable=False),
        Column("model", Text, nullable=False),
        Column("state", String(20), nullable=False),
        Column("text", Text, nullable=False),
        Column("queued_s", Double),
        Column("first_token_s", Double),
        Column("finished_s", Double),
        Column("attempts", Integer, nullable=False),
        Column("input_tokens", Integer),
        Column("output_tokens", Integer),
        Column("cost_nano", BigInteger),
        Column("failure", String(40)),
    )
    op.create_index("calls_by_model", "calls", ["model", "run"])
    op.create_table(
        "timeline",
        Column("run", Number, ForeignKey("runs.number", ondelete="CASCADE"), primary_key=True),
        Column("first", Integer, primary_key=True),
        Column("count", Integer, nullable=False),
        Column("data", LargeBinary, nullable=False),
    )
