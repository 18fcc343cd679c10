"""Searches the words of all runs: what a person typed becomes a question to the full-text index.

Typed text is never a database's own query language: it is split into words by `words`, as the runs
were, and only those reach the database. This is the one place that knows how SQLite's FTS5 and
PostgreSQL's tsquery differ.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Select,
    bindparam,
    cast,
    column,
    false,
    func,
    literal_column,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, REGCONFIG

from fanout.store.schema import WORDS, runs
from fanout.store.words import unfinished, words

MANY = 12_000
"""Up to so many hits are listed one by one; of more, it is only known that there are more."""
MOST_WORDS = 32
"""Further words don't narrow."""
_CHUNK = re.compile(r'"([^"]*)("?)|[^\s"]+')
_QUOTES = str.maketrans("“”„«»‟「」『』", '"' * 10)


@dataclass(frozen=True, slots=True, kw_only=True)
class Phrase:
    """Words that stand together; where the last is unfinished, all that it may begin with."""

    words: tuple[str, ...]
    beginnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Sought:
    """The runs that a text is found in."""

    condition: ColumnElement[bool]
    """On `runs`."""
    phrases: tuple[Phrase, ...]
    first: ColumnElement[bool] | None = None
    """The same for the first `MANY` of them, where there are more."""


def understood(typed: str) -> tuple[Phrase, ...]:
    """The phrases that have to be there: each word by itself, "quoted words" together, and what is
    joined by signs, as in "don't", together too."""
    phrases: list[Phrase] = []
    left = MOST_WORDS
    for chunk in _CHUNK.finditer(typed.translate(_QUOTES)):
        closed = chunk.group(2) == '"'
        found = tuple(words(chunk.group(1) if chunk.group(1) is not None else chunk.group()))
        found = found[:left]
        left -= len(found)
        if not found:
            continue
        # One letter begins too many words to be of help.
        unended = chunk.end() == len(typed.rstrip()) and not closed and len(found[-1]) > 1
        beginnings = unfinished(found[-1]) if unended else ()
        phrases.append(Phrase(words=found, beginnings=beginnings))
    return tuple(phrases)


def sought(connection: Connection, typed: str) -> Sought | None:
    """Where the text is found, for a page in whatever order; None where nothing was typed."""
    if not _asks(typed):
        return None
    phrases = understood(typed)
    if not phrases:
        return Sought(condition=false(), phrases=())
    hits = _hits(connection.dialect.name, phrases)
    found = list(connection.execute(hits.limit(MANY + 1)).scalars())
    first = runs.c.number.in_(listed(connection, found))
    if len(found) <= MANY:
        return Sought(condition=first, phrases=phrases)
    # "+ 0" keeps the order's own index in use: nearly every run fits, so the page is soon full.
    among = (runs.c.number + literal_column("0")).in_(hits)
    return Sought(condition=among, phrases=phrases, first=first)


def everywhere(connection: Connection, typed: str) -> list[ColumnElement[bool]]:
    """The condition on `runs` for sums over all of them; none where nothing was typed."""
    if not _asks(typed):
        return []
    phrases = understood(typed)
    return [runs.c.number.in_(_hits(connection.dialect.name, phrases)) if phrases else false()]


def _asks(typed: str) -> bool:
    return bool(typed.translate(_QUOTES).strip('" \t\r\n'))


def listed(connection: Connection, numbers: Sequence[int]) -> Select[int]:
    """These numbers as one parameter, however many they are."""
    if connection.dialect.name == "sqlite":
        each = func.json_each(json.dumps(list(numbers))).table_valued(column("value", BigInteger))
        return select(each.c.value)
    return select(func.unnest(cast(list(numbers), ARRAY(BigInteger))))


def relabel(connection: Connection, number: int, label: str) -> None:
    """Make a run's name and notes findable."""
    table = WORDS[connection.dialect.name]
    said = " ".join(words(label))
    connection.execute(table.update().where(table.c.run == number).values(label=said))


def tidy(connection: Connection, steps: int) -> bool:
    """Rewrite a part of the index without the words of runs that are gone; False once it is done.

    FTS5 only notes that a row is gone, and keeps its words until they are merged away.
    """
    if connection.dialect.name != "sqlite":
        return False
    changes = text("SELECT total_changes()")
    before = connection.execute(changes).scalar_one()
    merge = text("INSERT INTO run_words (run_words, rank) VALUES ('merge', :steps)")
    connection.execute(merge, {"steps": steps})
    return int(connection.execute(changes).scalar_one()) - int(before) >= 2


def _hits(dialect: str, phrases: Sequence[Phrase]) -> Select[int]:
    table = WORDS[dialect]
    if dialect == "sqlite":
        asked = " AND ".join(_fts5(phrase) for phrase in phrases)
        found = literal_column("run_words").op("MATCH")(bindparam("words", asked))
    else:
        asked = " & ".join(_tsquery(phrase) for phrase in phrases)
        found = table.c.words.op("@@")(func.to_tsquery(cast("simple", REGCONFIG), asked))
    return select(table.c.run).where(found)


def _fts5(phrase: Phrase) -> str:
    *stem, last = phrase.words
    if not phrase.beginnings:
        return '"' + " ".join((*stem, last)) + '"'
    return (
        "(" + " OR ".join('"' + " ".join((*stem, end)) + '" *' for end in phrase.beginnings) + ")"
    )


def _tsquery(phrase: Phrase) -> str:
    *stem, last = (f"'{word}'" for word in phrase.words)
    ends = [f"'{end}':*" for end in phrase.beginnings] or [last]
    return f"({' | '.join(' <-> '.join((*stem, end)) for end in ends)})"
