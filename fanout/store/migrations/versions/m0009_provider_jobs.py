"""Batches at the provider: the jobs that were handed over there, and the requests in them."""

from __future__ import annotations

from alembic import op
from sqlalchemy import BigInteger, Boolean, Column, Double, Integer, String, Text, false

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.create_table(
        "provider_jobs",
        Column("id", String(64), primary_key=True),
        Column("remote", Text, nullable=False, server_default=""),
        Column("person", String(64), nullable=False, server_default=""),
        Column("endpoint", String(80), nullable=False),
        Column("host", Text, nullable=False),
        Column("model", Text, nullable=False),
        Column("state", String(20), nullable=False),
        Column("status", String(40), nullable=False, server_default=""),
        Column("why", Text, nullable=False, server_default=""),
        Column("input_file", Text, nullable=False, server_default=""),
        Column("requests", Integer, nullable=False),
        Column("size", BigInteger, nullable=False),
        Column("owner", String(64), nullable=False),
        Column("seen_at", Double, nullable=False),
        Column("made_at", Double, nullable=False),
        Column("sent_at", Double),
        Column("over_at", Double),
    )
    op.create_index("provider_jobs_by_state", "provider_jobs", ["state", "endpoint"])
    op.create_table(
        "provider_requests",
        Column("key", String(64), primary_key=True),
        Column("run", String(64), nullable=False),
        Column("call", String(80), nullable=False),
        Column("person", String(64), nullable=False, server_default=""),
        Column("endpoint", String(80), nullable=False),
        Column("model", Text, nullable=False),
        Column("body", Text, nullable=False),
        Column("shape", String(64), nullable=False),
        Column("size", Integer, nullable=False),
        Column("owner", String(64), nullable=False),
        Column("job", String(64), nullable=False, server_default=""),
        Column("tries", Integer, nullable=False, server_default="0"),
        Column("withdrawn", Boolean, nullable=False, server_default=false()),
        Column("parked_at", Double, nullable=False),
        Column("answer", Text),
        Column("answered_at", Double),
    )
    op.create_index("provider_requests_by_run", "provider_requests", ["run"])
    op.create_index("provider_requests_by_job", "provider_requests", ["job", "owner"])
    op.create_index("provider_requests_by_answer", "provider_requests", ["answered_at"])
