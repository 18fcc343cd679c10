"""Full-text search over topics, texts and labels, filled from the runs that are there."""

from __future__ import annotations

from itertools import groupby

from alembic import op
from sqlalchemy import Connection, text

from fanout.store.words import words

revision = "0003"
down_revision = "0002"

SQLITE = (
    """
    CREATE VIRTUAL TABLE run_words USING fts5(
        topic, texts, label, tokenize = 'unicode61 remove_diacritics 0', prefix = '2 3'
    )
    """,
    """
    CREATE TRIGGER run_words_go AFTER DELETE ON runs BEGIN
        DELETE FROM run_words WHERE rowid = old.number;
    END
    """,
)

# A tsvector holds 1 MB at most, and 200,000 characters never make more than that.
POSTGRESQL = (
    """
    CREATE TABLE run_words (
        run BIGINT PRIMARY KEY REFERENCES runs (number) ON DELETE CASCADE,
        topic TEXT NOT NULL DEFAULT '',
        texts TEXT NOT NULL DEFAULT '',
        label TEXT NOT NULL DEFAULT '',
        words TSVECTOR NOT NULL GENERATED ALWAYS AS (
            to_tsvector('simple', left(topic || ' ' || label || ' ' || texts, 200000))
        ) STORED
    )
    """,
    "CREATE INDEX run_words_words ON run_words USING gin (words)",
)


def upgrade() -> None:
    connection = op.get_bind()
    sqlite = connection.dialect.name == "sqlite"
    for statement in SQLITE if sqlite else POSTGRESQL:
        op.execute(statement)
    _fill(connection, "rowid" if sqlite else "run")


def _fill(connection: Connection, number: str) -> None:
    insert = text(
        f"INSERT INTO run_words ({number}, topic, texts, label) "
        "VALUES (:number, :topic, :texts, :label)"
    )
    rows = connection.execute(
        text(
            "SELECT number, topic, name, notes, coalesce(text, '') AS text "
            "FROM runs LEFT JOIN calls ON calls.run = runs.number ORDER BY number, ordinal"
        )
    ).yield_per(1000)
    for run, found in groupby(rows, key=lambda row: (row.number, row.topic, row.name, row.notes)):
        columns = (run[1], "\n".join(row.text for row in found), f"{run[2]}\n{run[3]}")
        topic, texts, label = (" ".join(words(column)) for column in columns)
        parameters = {"number": run[0], "topic": topic, "texts": texts, "label": label}
        connection.execute(insert, parameters)
