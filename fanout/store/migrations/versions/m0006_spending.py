"""What each day cost and what is set aside of it; what a run was thought to take."""

from __future__ import annotations

from alembic import op
from sqlalchemy import BigInteger, Column, Double, String

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.create_table(
        "spending",
        Column("day", String(10), primary_key=True),
        Column("person", String(64), primary_key=True),
        Column("cost_nano", BigInteger, nullable=False),
        Column("tokens", BigInteger, nullable=False),
    )
    op.create_table(
        "reservations",
        Column("id", String(64), primary_key=True),
        Column("day", String(10), nullable=False),
        Column("person", String(64), nullable=False),
        Column("cost_nano", BigInteger, nullable=False),
        Column("tokens", BigInteger, nullable=False),
        Column("made_at", Double, nullable=False),
    )
    for name in ("low_nano", "high_nano", "least_tokens", "most_tokens"):
        op.add_column("runs", Column(name, BigInteger))
