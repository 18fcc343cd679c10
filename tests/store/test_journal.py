"""What was written is what is read: whole, once, by whomever, in both databases."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

import pytest
from sqlalchemy import func, inspect, select, text

from fanout.endpoint import Endpoint, Secret
from fanout.engine.endpoints import EndpointBook
from fanout.engine.engine import Engine
from fanout.errors import StoreError
from fanout.events import BranchFinished, RunResumed, RunStarted
from fanout.providers.openai_compatible import OpenAICompatible
from fanout.providers.script import Reply
from fanout.providers.scripted_server import serving
from fanout.snapshot import Snapshot
from fanout.store.database import reading, writing
from fanout.store.schema import WORDS, calls, runs, timeline
from fanout.store.store import Store
from fanout.timeline import compact
from fanout.types import AGGREGATE, BranchId, Cost, EndpointId, ModelRef, Usage
from tests.export.stored_runs import NAMES, failed_run, nasty_run, shipped_runs
from tests.folding import folded
from tests.rig import AT_ONCE, script, trio
from tests.store.samples import PRICE, events, news, update

KEY = "the-key-of-this-endpoint-7Qz9"
HARD = "a\x00b \ud800 \u202eright to left\u2066 \u05e9\u05dc\u05d5\u05dd \U0001f327 \u0001"


def same(kept: Snapshot, told: Snapshot) -> bool:
    """But for how many events it took, since pieces of text are joined."""
    return replace(kept, seq=0) == replace(told, seq=0)


def count(store: Store, table: str) -> int:
    with reading(store._engine) as connection:
        return int(connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one())


@pytest.mark.parametrize("name", NAMES)
def test_every_shipped_workflow_comes_back_as_it_was(store: Store, name: str) -> None:
    run = shipped_runs()[name]
    for one in news(run.events):
        store.write([one])
    kept = store.load(run.id)
    assert kept is not None
    assert same(kept.snapshot, run.snapshot)
    assert compact(kept.events, math.inf) == compact(run.events, math.inf)
    assert (kept.written, kept.problem, kept.live) == (len(run.events), "", False)
    assert count(store, "timeline") == 1, "a run that is over is one chunk"
    assert count(store, "calls") == len(run.snapshot.calls)


def test_the_rows_say_what_the_run_says(store: Store) -> None:
    run = failed_run()
    for one in news(run.events, 3):
        store.write([one])
    with reading(store._engine) as connection:
        row = connection.execute(select(runs)).one()
        told = connection.execute(select(calls).order_by(calls.c.ordinal)).all()
    assert (row.status, row.branches, row.failed) == ("partial", 3, 1)
    assert row.wall_s == pytest.approx(run.snapshot.wall_s(run.snapshot.at))
    assert [(call.id, call.role) for call in told] == [
        ("joke", "branch"),
        ("story", "branch"),
        ("poem", "branch"),
        (AGGREGATE, "aggregate"),
    ]
    assert (told[2].state, told[2].failure) == ("failed", "auth")
    assert told[3].text == run.snapshot.branch(AGGREGATE).text


def test_money_is_whole_nano_dollars_and_unknown_stays_unknown(store: Store) -> None:
    whole = events()
    unpriced = tuple(
        replace(e, cost=None) if isinstance(e, BranchFinished) else e for e in events("run-0002")
    )
    store.write([update(whole), update(unpriced)])
    with reading(store._engine) as connection:
        kept = connection.execute(select(runs.c.cost_nano).order_by(runs.c.id)).scalars().all()
    assert kept == [369_000, None]


def test_news_told_twice_is_written_once(store: Store) -> None:
    told = events()
    for one in news(told):
        store.write([one])
        store.write([one])
    # A writer that does not know how far it came tells it from anywhere.
    store.write([update(told, 5)])
    store.write([update(told, 0, 40)])
    kept = store.load("run-0001")
    assert kept is not None
    assert kept.written == len(told)
    assert same(kept.snapshot, folded(told))


def test_news_with_a_hole_before_it_is_refused(store: Store) -> None:
    told = events()
    store.write([update(told, until=10)])
    with pytest.raises(StoreError):
        store.write([update(told, 11)])
    with pytest.raises(StoreError):
        store.write([update(events("run-0002"), 4)])
    store.write([update(told, 10)])
    assert (kept := store.load("run-0001")) is not None
    assert kept.written == len(told)


def test_a_copy_of_the_run_that_is_outdated_writes_nothing_over_it(store: Store) -> None:
    told = events()
    store.write([update(told)])
    at = told[-1].at
    elsewhere = (*told, RunResumed(at=at + 1, branches=(BranchId("branch-0"),)))
    store.write([update(elsewhere, len(told))])
    outdated = (*told, RunResumed(at=at + 2, branches=(BranchId("branch-1"),)))
    with pytest.raises(StoreError, match="went on elsewhere"):
        store.write([update(outdated, len(told))])
    assert (kept := store.load("run-0001")) is not None
    assert kept.written == len(elsewhere)


def test_a_run_that_goes_on_is_appended_to(store: Store) -> None:
    run = failed_run()
    over = next(number for number, event in enumerate(run.events) if isinstance(event, RunResumed))
    store.write([update(run.events, until=over)])
    first = store.load(run.id)
    assert first is not None
    assert store.claim(run.id)
    # As an engine does that was started anew: it goes on from the events it was given.
    fresh = run.events[over:]
    again = (*first.events, *fresh)
    one = replace(update(again, len(first.events)), first=first.written)
    store.write([one])
    kept = store.load(run.id)
    assert kept is not None
    assert same(kept.snapshot, run.snapshot)


def test_one_bad_piece_of_news_writes_nothing_of_the_others(store: Store) -> None:
    with pytest.raises(StoreError):
        store.write([update(events("run-0001")), update(events("run-0002"), 3)])
    assert store.load("run-0001") is None
    assert (count(store, "runs"), count(store, "timeline"), count(store, "calls")) == (0, 0, 0)


def test_texts_that_no_column_can_hold_come_back_from_the_timeline(store: Store) -> None:
    told = events(topic=HARD, text=HARD, tokens=3)
    for one in news(told, 4):
        store.write([one])
    kept = store.load("run-0001")
    assert kept is not None
    assert same(kept.snapshot, folded(told))
    assert kept.snapshot.branches[0].text == HARD * 3
    nasty = nasty_run()
    store.write([update(nasty.events)])
    again = store.load(nasty.id)
    assert again is not None
    assert same(again.snapshot, nasty.snapshot)


def test_huge_numbers_and_long_names_of_an_import_are_kept(store: Store) -> None:
    told = []
    for event in events(tokens=2):
        if isinstance(event, RunStarted):
            event = replace(event, workflow="w" * 300, kind="k" * 300, title="t" * 5000)
        if isinstance(event, BranchFinished):
            cost = Cost(usd=Decimal(10) ** 30, price=PRICE)
            event = replace(event, usage=Usage(input=10**12, output=2**40), cost=cost)
        told.append(event)
    store.write([update(told)], imported=True)
    kept = store.load("run-0001")
    assert kept is not None
    assert same(kept.snapshot, folded(told))
    assert kept.imported_at is not None


def test_words_are_found_from_the_end_of_a_branch_on(store: Store) -> None:
    told = events(topic="Wolken", text="regnerisch ", tokens=2)
    store.write([update(told, until=1)])
    words = WORDS[store._engine.dialect.name]

    def searched() -> tuple[str, str]:
        with reading(store._engine) as connection:
            row = connection.execute(select(words.c.topic, words.c.texts)).one()
        return row.topic, row.texts

    assert searched() == ("wolken", "")
    ended = next(n for n, event in enumerate(told) if isinstance(event, BranchFinished)) + 1
    store.write([update(told, 1, ended)])
    assert "regnerisch" in searched()[1]


def test_a_run_that_is_deleted_takes_everything_with_it(store: Store) -> None:
    store.write([update(events())])
    with writing(store._engine) as connection:
        connection.execute(runs.delete())
    for table in ("calls", "timeline", "run_words"):
        assert count(store, table) == 0


def test_two_stores_write_at_once_from_two_threads(open_store: Callable[[], Store]) -> None:
    stores = [open_store(), open_store()]
    failures: list[BaseException] = []

    def write(store: Store, name: str) -> None:
        for number in range(8):
            for one in news(events(f"{name}-{number:04}", tokens=10), 10):
                try:
                    store.write([one])
                except StoreError as error:
                    failures.append(error)

    threads = [
        threading.Thread(target=write, args=(store, name))
        for store, name in zip(stores, ("first", "second"), strict=True)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not failures
    for name in ("first", "second"):
        for number in range(8):
            kept = stores[0].load(f"{name}-{number:04}")
            assert kept is not None
            assert kept.snapshot.status.finished


def test_no_table_holds_the_endpoints_key(store: Store) -> None:
    said = script(poem=Reply(status=401, message=f"Incorrect API key provided: {KEY}."))
    with serving(said) as server:
        book = EndpointBook(OpenAICompatible)
        here = EndpointId("here")
        book.put(Endpoint(id=here, name="Here", base_url=server.base_url), Secret(KEY))
        with Engine(book, retries=AT_ONCE, store=store) as engine:
            handle = engine.start(trio(), "rain", ModelRef(endpoint=here, model="m"))
            handle.wait(timeout_s=20)
            run_id = handle.id
        assert any(KEY in str(request) for request in server.requests), "the key was used"
    kept = store.load(run_id)
    assert kept is not None
    assert kept.snapshot.status.finished
    assert KEY not in repr(kept)
    with reading(store._engine) as connection:
        for table in inspect(connection).get_table_names():
            for row in connection.execute(text(f'SELECT * FROM "{table}"')).all():
                assert KEY not in repr(row)
                assert KEY.encode() not in b"".join(v for v in row if isinstance(v, bytes))


def test_the_store_counts_events_as_they_were_told(store: Store) -> None:
    told = events(tokens=200)
    for one in news(told):
        store.write([one])
    kept = store.load("run-0001")
    assert kept is not None
    assert len(kept.events) < len(told) == kept.written
    assert store.events_since("run-0001", len(kept.events) - 2) == kept.events[-2:]
    with reading(store._engine) as connection:
        written = connection.execute(select(func.sum(timeline.c.count))).scalar_one()
    assert written == len(told)
