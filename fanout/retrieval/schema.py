"""The tables of a library, in the one version there has been so far."""

VERSION = 1

TABLES = """
CREATE TABLE schema_version (version INTEGER NOT NULL);

CREATE TABLE state (generation INTEGER NOT NULL);
INSERT INTO state VALUES (0);

CREATE TABLE documents (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    kind TEXT NOT NULL,
    bytes INTEGER NOT NULL,
    passages INTEGER NOT NULL,
    words INTEGER NOT NULL,
    pages INTEGER,
    added_at REAL NOT NULL,
    note TEXT NOT NULL,
    sample INTEGER NOT NULL,
    removed_at REAL,
    text TEXT NOT NULL
);

CREATE TABLE passages (
    id INTEGER PRIMARY KEY,
    document TEXT NOT NULL REFERENCES documents (id) ON DELETE CASCADE,
    ordinal INTEGER NOT NULL,
    "start" INTEGER NOT NULL,
    "end" INTEGER NOT NULL,
    place TEXT NOT NULL,
    heading TEXT NOT NULL,
    text TEXT NOT NULL,
    grams TEXT NOT NULL,
    UNIQUE (document, ordinal)
);

-- Holds the passages of documents that are not removed, and no others.
CREATE VIRTUAL TABLE passage_index USING fts5 (
    text, heading, grams,
    content = 'passages', content_rowid = 'id', tokenize = 'porter unicode61 remove_diacritics 2'
);

CREATE TABLE vectors (
    model TEXT NOT NULL,
    passage INTEGER NOT NULL REFERENCES passages (id) ON DELETE CASCADE,
    vector BLOB NOT NULL,
    PRIMARY KEY (model, passage)
);
CREATE INDEX vectors_of_passage ON vectors (passage);

CREATE TABLE samples (name TEXT PRIMARY KEY, document TEXT NOT NULL);
"""
