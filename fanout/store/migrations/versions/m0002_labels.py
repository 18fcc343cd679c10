"""What a person writes on a run: name, notes, tags, a star; and runs that can be deleted."""

from __future__ import annotations

from alembic import op
from sqlalchemy import BigInteger, Boolean, Column, Double, ForeignKey, Integer, String, Text, false

revision = "0002"
down_revision = "0001"

Number = BigInteger().with_variant(Integer, "sqlite")


def upgrade() -> None:
    op.add_column("runs", Column("name", Text, nullable=False, server_default=""))
    op.add_column("runs", Column("notes", Text, nullable=False, server_default=""))
    op.add_column("runs", Column("favourite", Boolean, nullable=False, server_default=false()))
    op.add_column("runs", Column("deleted_at", Double))
    op.create_table(
        "tags",
        Column("run", Number, ForeignKey("runs.number", ondelete="CASCADE"), primary_key=True),
        Column("tag", String(60), primary_key=True),
    )
    op.create_index("tags_by_tag", "tags", ["tag", "run"])
