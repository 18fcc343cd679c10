"""Lists and sums of 100,000 runs from their indexes alone."""

from __future__ import annotations

from alembic import op
from sqlalchemy import text

revision = "0005"
down_revision = "0004"

LISTED = {
    "runs_by_start": ["started_at", "number", "wall_s", "sequential_s", "cost_nano", "deleted_at"],
    "runs_by_workflow": ["workflow", "started_at", "number", "deleted_at"],
    "runs_by_status": ["status", "started_at", "number", "deleted_at"],
    "runs_by_favourite": ["favourite", "started_at", "number", "deleted_at"],
    "runs_by_cost": ["cost_nano", "number", "deleted_at"],
    "runs_by_wall": ["wall_s", "number", "deleted_at"],
}


def upgrade() -> None:
    shown = text("deleted_at IS NULL")
    for name, columns in LISTED.items():
        if name != "runs_by_favourite":
            op.drop_index(name, "runs")
        op.create_index(name, "runs", columns, sqlite_where=shown, postgresql_where=shown)
    gone = text("deleted_at IS NOT NULL")
    op.create_index(
        "runs_by_deletion", "runs", ["deleted_at"], sqlite_where=gone, postgresql_where=gone
    )
