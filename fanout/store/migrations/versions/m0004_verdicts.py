"""Blind verdicts, the processes at work, and where a run comes from."""

from __future__ import annotations

from alembic import op
from sqlalchemy import BigInteger, Column, Double, Integer, String, Text

revision = "0004"
down_revision = "0003"

Number = BigInteger().with_variant(Integer, "sqlite")


def upgrade() -> None:
    op.create_table(
        "verdicts",
        Column("number", Number, primary_key=True, autoincrement=True),
        Column("given_at", Double, nullable=False),
        Column("run_a", String(64), nullable=False),
        Column("call_a", String(80), nullable=False),
        Column("run_b", String(64), nullable=False),
        Column("call_b", String(80), nullable=False),
        Column("choice", String(10), nullable=False),
    )
    op.create_index("verdicts_by_a", "verdicts", ["run_a"])
    op.create_index("verdicts_by_b", "verdicts", ["run_b"])
    op.create_table(
        "processes",
        Column("id", String(64), primary_key=True),
        Column("host", Text, nullable=False),
        Column("pid", Integer, nullable=False),
        Column("seen_at", Double, nullable=False),
    )
    op.add_column("runs", Column("owner", String(64), nullable=False, server_default=""))
    op.add_column("runs", Column("derived_from", String(64)))
    op.add_column("runs", Column("imported_at", Double))
    op.add_column("calls", Column("host", Text, nullable=False, server_default=""))
    op.create_index("runs_by_cost", "runs", ["cost_nano"])
    op.create_index("runs_by_wall", "runs", ["wall_s"])
