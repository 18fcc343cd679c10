"""Full-text search over topics, texts and labels, filled from the runs that are there."""

from __future__ import annotations

from alembic import op

revision = "0003"
down_revision = "0002"

SQLITE = (
    """
    CREATE VIRTUAL TABLE run_words USING fts5(
        topic, texts, label, tokenize = 'unicode61 remove_diacritics 2', prefix = '2 3'
    )
    """,
    """
    CREATE TRIGGER run_words_go AFTER DELETE ON runs BEGIN
        DELETE FROM run_words WHERE rowid = old.number;
    END
    """,
    """
    INSERT INTO run_words (rowid, topic, texts, label)
    SELECT number, topic,
        coalesce((SELECT group_concat(text, char(10)) FROM calls WHERE run = number), ''),
        name || char(10) || notes
    FROM runs
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
    """
    INSERT INTO run_words (run, topic, texts, label)
    SELECT number, topic,
        coalesce(
            (SELECT string_agg(text, chr(10) ORDER BY ordinal) FROM calls WHERE run = number), ''
        ),
        name || chr(10) || notes
    FROM runs
    """,
)


def upgrade() -> None:
    for statement in SQLITE if op.get_bind().dialect.name == "sqlite" else POSTGRESQL:
        op.execute(statement)
