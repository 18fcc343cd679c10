"""Since when a batch is running, and how often each of its rows was really begun."""

from __future__ import annotations

from alembic import op
from sqlalchemy import Column, Double, Integer, text

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    op.add_column("batches", Column("running_since", Double))
    op.add_column("batch_rows", Column("tries", Integer, nullable=False, server_default="0"))
    # How often they were begun wasn't kept; it was told as how often they were handed out.
    op.execute(text("UPDATE batch_rows SET tries = go WHERE run IS NOT NULL"))
