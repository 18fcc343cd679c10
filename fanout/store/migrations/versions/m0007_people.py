"""Whose a run is, whether its link is open to others, and who signed out when."""

from __future__ import annotations

from alembic import op
from sqlalchemy import Boolean, Column, Double, String, false, text

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.add_column("runs", Column("person", String(64), nullable=False, server_default=""))
    op.add_column("runs", Column("shared", Boolean, nullable=False, server_default=false()))
    op.add_column("verdicts", Column("person", String(64), nullable=False, server_default=""))
    shown = text("deleted_at IS NULL")
    op.create_index(
        "runs_by_person",
        "runs",
        ["person", "started_at", "number", "deleted_at"],
        sqlite_where=shown,
        postgresql_where=shown,
    )
    op.create_table(
        "people",
        Column("id", String(64), primary_key=True),
        Column("signed_out_at", Double, nullable=False),
    )
