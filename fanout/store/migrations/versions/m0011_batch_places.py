"""Where batches ask, what workers leave to others, and an index that holds what is counted."""

from __future__ import annotations

from alembic import op
from sqlalchemy import Column, Text

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    op.add_column("batches", Column("places", Text, nullable=False, server_default="{}"))
    op.add_column("workers", Column("leaves", Text, nullable=False, server_default="{}"))
    op.create_index(
        "batch_rows_counted",
        "batch_rows",
        ["batch", "state", "cost_nano", "input_tokens", "output_tokens", "estimated"],
    )
