"""What people write on runs is cleaned and kept; what they delete can come back until it can't."""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from fanout.errors import InputError, StoreError
from fanout.store.store import Store
from fanout.store.values import Label, Question, Verdict
from fanout.types import RunId
from tests.store.samples import events, update
from tests.store.shelf import Made, add_many


@pytest.fixture
def shelf(store: Store) -> Store:
    store.write([Made(id=name, text=f"text of {name} ").update() for name in ("a", "b", "c")])
    return store


def ids(store: Store, question: Question) -> str:
    return "".join(sorted(row.id for row in store.history.find(question).rows))


def test_a_label_is_cleaned(shelf: Store) -> None:
    shelf.history.label(
        "a",
        Label(
            name="  My \n run\x00 ",
            notes=" one\ntwo \ud800 ",
            tags=(" Demo ", "demo", "DEMO", "", "two  words"),
            favourite=True,
        ),
    )
    assert shelf.history.label_of("a") == Label(
        name="My run\ufffd",
        notes="one\ntwo \ufffd",
        tags=("Demo", "two words"),
        favourite=True,
    )
    stored = shelf.load("a")
    assert stored is not None and stored.label.tags == ("Demo", "two words")


def test_a_tag_is_spelled_as_on_other_runs(shelf: Store) -> None:
    shelf.history.label("a", Label(tags=("Über",)))
    shelf.history.label("b", Label(tags=("über", "new")))
    assert shelf.history.label_of("b").tags == ("new", "Über")
    assert shelf.history.tags() == ("Über", "new")
    shelf.history.delete(["b"])
    assert shelf.history.tags() == ("Über",)


@pytest.mark.parametrize(
    ("label", "said"),
    [
        (Label(tags=tuple(f"tag {n}" for n in range(21))), "These are 21 tags; a run can have 20."),
        (Label(tags=("x" * 61,)), "has 61 characters; 60 is the most"),
        (Label(name="x" * 201), "The name has 201 characters; 200 is the most."),
        (Label(notes="x" * 20_001), "The notes have 20,001 characters; 20,000 is the most."),
    ],
)
def test_what_is_too_long_is_refused_and_nothing_changes(
    tmp_path: Path, label: Label, said: str
) -> None:
    with Store.open(tmp_path) as store:
        store.write([Made(id="a").update()])
        store.history.label("a", Label(name="before"))
        with pytest.raises(InputError, match=said):
            store.history.label("a", label)
        assert store.history.label_of("a") == Label(name="before")


def test_a_run_that_is_not_there_has_no_label(store: Store) -> None:
    assert store.history.label_of("gone") == Label()
    with pytest.raises(InputError, match="not there any more"):
        store.history.label("gone", Label(name="x"))


def test_a_deleted_run_is_out_of_sight_until_it_is_restored(shelf: Store) -> None:
    shelf.history.delete(["a", "b", "no such run"])
    assert ids(shelf, Question()) == ids(shelf, Question(text="text")) == "c"
    assert (
        ids(shelf, Question(deleted=True)) == ids(shelf, Question(deleted=True, text="of")) == "ab"
    )
    stored = shelf.load("a")
    assert stored is not None and stored.deleted_at is not None
    (row, _) = shelf.history.find(Question(deleted=True)).rows
    assert row.deleted_at == pytest.approx(time.time(), abs=60)
    shelf.history.restore(["a", "c", "no such run"])
    assert ids(shelf, Question()) == "ac"


def test_deleting_again_keeps_the_first_time(shelf: Store) -> None:
    shelf.history.delete(["a"])
    (first,) = shelf.history.find(Question(deleted=True)).rows
    shelf.history.delete(["a", "b"])
    rows = {str(row.id): row for row in shelf.history.find(Question(deleted=True)).rows}
    assert rows["a"].deleted_at == first.deleted_at


def test_deleting_nothing_or_very_many_is_fine(shelf: Store) -> None:
    shelf.history.delete([])
    shelf.history.delete([f"unknown {n}" for n in range(3000)] + ["a"])
    assert ids(shelf, Question()) == "bc"


def test_a_run_that_is_deleted_while_it_goes_on_stays_deleted(store: Store) -> None:
    told = events("slow")
    store.write([update(told, until=20)])
    store.history.delete(["slow"])
    store.write([update(told, first=20)])
    assert ids(store, Question()) == ""
    store.history.restore(["slow"])
    assert ids(store, Question(text="rain")) == "slow"


def test_purging_removes_what_was_deleted_before_and_nothing_else(shelf: Store) -> None:
    shelf.history.label("a", Label(name="Zeppelin", tags=("x",)))
    shelf.history.delete(["a"])
    assert shelf.history.purge(time.time() - 60) == 0
    assert shelf.load("a") is not None
    assert shelf.history.purge(time.time() + 60) == 1
    assert shelf.load("a") is None
    assert ids(shelf, Question()) == "bc"
    assert ids(shelf, Question(deleted=True)) == ids(shelf, Question(text="zeppelin")) == ""
    assert shelf.history.tags() == ()


def test_purging_leaves_no_row_and_no_word_behind(
    shelf: Store, fanout_home: Path, store_url: str
) -> None:
    shelf.history.label("b", Label(notes="xylophone", tags=("x",)))
    shelf.write([Made(id="secret", text="quizzaciously ").update()])
    if not store_url:
        file = sqlite3.connect(fanout_home / "fanout.db")
        assert b"zzaciously" in index_of(file) and b"ylophone" in index_of(file)
        file.close()
    shelf.history.delete(["a", "b", "secret"])
    assert shelf.history.purge(time.time() + 60) == 3
    shelf.close()
    if store_url:
        engine = create_engine(store_url.replace("postgresql:", "postgresql+psycopg:"))
        with engine.connect() as connection:
            for table in ("runs", "calls", "timeline", "run_words"):
                assert connection.execute(text(f"SELECT count(*) FROM {table}")).scalar() == 1
            assert connection.execute(text("SELECT count(*) FROM tags")).scalar() == 0
        engine.dispose()
        return
    file = sqlite3.connect(fanout_home / "fanout.db")
    for table in ("runs", "calls", "timeline", "run_words"):
        assert file.execute(f"SELECT count(*) FROM {table}").fetchone() == (1,)
    assert file.execute("SELECT count(*) FROM tags").fetchone() == (0,)
    file.execute("INSERT INTO run_words (run_words) VALUES ('integrity-check')")
    assert index_of(file) and b"zzaciously" not in index_of(file)
    assert b"ylophone" not in index_of(file)
    file.close()


def index_of(file: sqlite3.Connection) -> bytes:
    return b"".join(row[0] for row in file.execute("SELECT block FROM run_words_data"))


def test_a_purge_of_more_runs_than_one_transaction_takes(
    shelf: Store, fanout_home: Path, store_url: str
) -> None:
    add_many(fanout_home, store_url, 500)
    shelf.history.delete(["a", *(f"many-{n}" for n in range(500))])
    assert shelf.history.purge(time.time() + 60) == 501
    assert ids(shelf, Question()) == "bc"
    assert ids(shelf, Question(text="plenty")) == ""


def test_a_locked_database_is_said_in_words_and_nothing_changes(tmp_path: Path) -> None:
    with Store.open(tmp_path) as store:
        store.write([Made(id="a").update()])
        store.history.label("a", Label(name="before"))
        other = sqlite3.connect(tmp_path / "fanout.db", isolation_level=None)
        other.execute("BEGIN EXCLUSIVE")
        verdict = Verdict(
            run_a=RunId("a"), call_a="", run_b=RunId("b"), call_b="", choice="tie", given_at=1.0
        )
        for write in (
            lambda: store.history.label("a", Label(name="after")),
            lambda: store.history.delete(["a"]),
            lambda: store.history.restore(["a"]),
            lambda: store.history.purge(1.0),
            lambda: store.verdicts.give(verdict),
        ):
            with pytest.raises(StoreError, match="Another program holds the database"):
                write()
        assert store.history.label_of("a").name == "before"
        other.execute("ROLLBACK")
        other.close()
        store.history.delete(["a"])
        assert store.history.find(Question()).total == 0
