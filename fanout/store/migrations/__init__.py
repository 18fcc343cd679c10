"""How the database came to its present shape: every release's database is led up to this one."""

from __future__ import annotations

REVISIONS = (
    "0001", "0002", "0003", "0004", "0005", "0006", "0007", "0008", "0009", "0010", "0011", "0012",
)  # fmt: skip
"""Oldest first. Kept here too, so that a database that needs nothing loads no Alembic."""
HEAD = REVISIONS[-1]
