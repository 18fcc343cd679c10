"""Whether what a row of a batch cost was counted from an estimated usage."""

from __future__ import annotations

from alembic import op
from sqlalchemy import Boolean, Column, false

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    op.add_column(
        "batch_rows", Column("estimated", Boolean, nullable=False, server_default=false())
    )
