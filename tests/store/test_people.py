"""Each person's runs are found, changed and removed by that person alone, in both databases."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from sqlalchemy.event import listen

from fanout.errors import InputError, StoreConflict
from fanout.events import RunStarted
from fanout.export.importing import import_run
from fanout.export.json_export import json_export
from fanout.people import NOBODY, PersonId
from fanout.store.store import Store
from fanout.store.values import Label, Question, Verdict
from fanout.types import RunId
from tests.store.samples import events, update

ADA, BOB = PersonId("a" * 32), PersonId("b" * 32)


@pytest.fixture
def hers(store: Store) -> Iterator[Store]:
    """Ada's view, with one run of hers in it; Bob has one of his own."""
    store.of(ADA).write([update(events("run-of-ada", topic="secret rain"))])
    store.of(BOB).write([update(events("run-of-bob", topic="snow"))])
    yield store.of(ADA)


def ids(store: Store, **asked: object) -> list[str]:
    return [row.id for row in store.history.find(Question(**asked)).rows]  # type: ignore[arg-type]


def test_each_finds_their_own_runs_and_whoever_asks_for_all_finds_all(
    store: Store, hers: Store
) -> None:
    assert ids(hers) == ["run-of-ada"]
    assert ids(store.of(BOB)) == ["run-of-bob"]
    assert ids(store.of(BOB), text="secret") == []
    assert set(ids(store)) == {"run-of-ada", "run-of-bob"}
    assert ids(store.of(NOBODY)) == []


def test_sums_tags_and_filters_are_of_ones_own_runs(store: Store, hers: Store) -> None:
    hers.history.label("run-of-ada", Label(name="Mine", tags=("Private",)))
    his = store.of(BOB).history
    assert [day.runs for day in his.days(Question())] == [1]
    assert his.facets().workflows == (("trio", 1),)
    assert (his.facets().tags, his.tags()) == ((), ())
    assert hers.history.tags() == ("Private",)
    # Spelled as Ada spells it, it would tell Bob that she has such a tag.
    his.label("run-of-bob", Label(tags=("private",)))
    assert his.tags() == ("private",)


def test_nothing_of_another_persons_run_is_read_or_changed(store: Store, hers: Store) -> None:
    his = store.of(BOB)
    assert his.load("run-of-ada") is None
    assert his.standing("run-of-ada") is None
    assert his.access("run-of-ada") is None
    assert his.events_since("run-of-ada", 0) == ()
    assert not his.claim("run-of-ada")
    assert his.history.label_of("run-of-ada") == Label()
    with pytest.raises(InputError):
        his.history.label("run-of-ada", Label(name="taken"))
    with pytest.raises(InputError):
        his.share("run-of-ada", True)
    his.history.delete(["run-of-ada"])
    assert ids(hers) == ["run-of-ada"]


def test_what_another_person_deleted_is_neither_restored_nor_removed(
    store: Store, hers: Store
) -> None:
    hers.history.delete(["run-of-ada"])
    his = store.of(BOB)
    his.history.restore(["run-of-ada"])
    assert his.history.purge(4e9) == 0
    assert ids(hers, deleted=True) == ["run-of-ada"]
    hers.history.restore(["run-of-ada"])
    assert ids(hers) == ["run-of-ada"]


def test_a_shared_run_is_read_by_everybody_without_what_was_written_on_it(
    store: Store, hers: Store
) -> None:
    hers.history.label("run-of-ada", Label(name="Mine", notes="not yours"))
    hers.share("run-of-ada", True)
    his = store.of(BOB)
    seen = his.load("run-of-ada")
    assert seen is not None
    assert (seen.person, seen.label) == (ADA, Label())
    assert ids(his) == ["run-of-bob"], "it is found by its link only"
    assert not his.claim("run-of-ada")
    hers.share("run-of-ada", False)
    assert his.load("run-of-ada") is None


def test_a_deleted_run_is_shared_no_more(store: Store, hers: Store) -> None:
    hers.share("run-of-ada", True)
    hers.history.delete(["run-of-ada"])
    assert store.of(BOB).load("run-of-ada") is None
    assert hers.load("run-of-ada") is not None


def test_nobody_writes_into_another_persons_run(store: Store, hers: Store) -> None:
    longer = events("run-of-ada", topic="secret rain", tokens=50)
    with pytest.raises(StoreConflict):
        store.of(BOB).write([update(longer)])
    kept = hers.load("run-of-ada")
    assert kept is not None and kept.events[0] == events("run-of-ada", topic="secret rain")[0]


def test_a_run_that_was_exported_is_imported_beside_its_owners(store: Store, hers: Store) -> None:
    exported = hers.load("run-of-ada")
    assert exported is not None
    done = import_run(store.of(BOB), json_export(exported).encode(), BOB)
    assert done.how == "new"
    assert set(ids(store.of(BOB))) == {"run-of-bob", done.id}
    assert ids(hers) == ["run-of-ada"]
    assert import_run(store.of(BOB), json_export(exported).encode(), BOB).how == "there"


def test_an_import_tells_nobody_whether_another_has_a_run_of_that_id(
    store: Store, hers: Store
) -> None:
    """Neither its id nor its very content, whoever exported it."""
    exported = hers.load("run-of-ada")
    assert exported is not None
    first = exported.events[0]
    assert isinstance(first, RunStarted)
    first = replace(first, run_id=RunId("run-of-nobody"))
    unknown = replace(
        exported,
        events=(first, *exported.events[1:]),
        snapshot=replace(exported.snapshot, run_id=RunId("run-of-nobody")),
    )
    eve = PersonId("e" * 32)
    import_run(hers, json_export(exported).encode(), ADA)
    taken = import_run(store.of(BOB), json_export(exported).encode(), BOB)
    free = import_run(store.of(eve), json_export(unknown).encode(), eve)
    assert taken.how == free.how == "new"
    assert taken.id not in ("run-of-ada", free.id) and free.id != "run-of-nobody"


def test_a_run_that_is_not_theirs_is_not_even_read(store: Store, hers: Store) -> None:
    """Else the time would tell that it is there."""
    asked: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_more: object) -> None:
        asked.append(statement)

    def statements(run_id: str) -> list[str]:
        asked.clear()
        store.of(BOB).load(run_id)
        return list(asked)

    listen(store._engine, "before_cursor_execute", note)
    assert statements("run-of-ada") == statements("no-such-run-of-anybody")
    assert len(statements("run-of-bob")) > len(statements("run-of-ada")) > 0


def test_signing_out_an_earlier_sign_in_lets_no_later_one_count_again(store: Store) -> None:
    store.sign_out(ADA, 200.0)
    store.sign_out(ADA, 100.0)
    assert store.signed_out_at(ADA) == 200.0
    store.sign_out(ADA, 300.0)
    assert store.signed_out_at(ADA) == 300.0


def test_verdicts_are_of_whoever_gave_them(store: Store, hers: Store) -> None:
    run = RunId("run-of-ada")
    verdict = Verdict(run_a=run, call_a="", run_b=run, call_b="x", choice="a", given_at=1.0)
    hers.verdicts.give(verdict)
    assert hers.verdicts.of(run) == hers.verdicts.all() == (verdict,)
    assert store.of(BOB).verdicts.of(run) == store.of(BOB).verdicts.all() == ()


def test_when_runs_began_counts_the_deleted_and_not_the_imported(store: Store, hers: Store) -> None:
    hers.write([update(events("run-imported", started_at=1_700_000_100.0))], imported=True)
    hers.history.delete(["run-of-ada"])
    assert hers.started_since(1_699_999_999.0) == (1_700_000_000.0,)
    assert hers.started_since(1_700_000_001.0) == ()


def test_only_a_later_sign_in_counts_after_signing_out(store: Store) -> None:
    assert store.signed_out_at(ADA) == 0
    store.sign_out(ADA, 100.0)
    store.sign_out(ADA, 200.0)
    assert (store.signed_out_at(ADA), store.signed_out_at(BOB)) == (200.0, 0)
