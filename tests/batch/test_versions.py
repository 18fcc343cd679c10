"""Workers of another version: what they can't carry out they leave alone, and say so."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest
from sqlalchemy import update

from components.batch.crew import notes_about
from fanout.batches import FORMAT, RowState
from fanout.cli.batch_looks import OLDER, status_lines
from fanout.providers.script import Reply
from fanout.store.schema_batches import batches
from fanout.types import BatchId
from tests.batch.hall import DEFINITION, Hall, hall, script

NEWER = DEFINITION | {"chorus": {"voices": 3}}
"""As a later version may write it: a key that this one doesn't know."""


def test_a_workflow_with_a_key_of_a_newer_version_is_left_alone_and_told_of(
    fanout_home: Path,
) -> None:
    with hall(fanout_home, "") as at:
        newer, own = at.batch(2, definition=NEWER), at.batch(1)
        at.store.batches.change(newer, title="Tomorrow")
        with at.worker() as worker:
            at.until_finished(own)
            (note,) = worker.notes
            for word in ('"Tomorrow"', "chorus", "update this one"):
                assert word in note
        assert at.states(newer) == {RowState.WAITING: 2}
        assert at.get(newer).definition == NEWER
        assert notes_about(at.get(newer), [note]) == [note]
        assert notes_about(at.get(own), [note, "For all."]) == ["For all."]


def test_a_batch_goes_on_after_an_upgrade_and_back_without_asking_twice(fanout_home: Path) -> None:
    """Some rows by this version, none while its workflow is a newer one's, the rest after that."""
    with hall(fanout_home, "") as at:
        batch = at.batch(6, concurrency=1)
        with at.worker():
            at.until(lambda: at.states(batch)[RowState.SUCCEEDED] >= 2, "some rows")
            at.store.batches.pause(batch)
            at.until(lambda: at.states(batch)[RowState.RUNNING] == 0, "rest")
        ended = at.states(batch)[RowState.SUCCEEDED]
        _rewrite(at, batch, NEWER)
        at.store.batches.resume(batch)
        with at.worker() as worker:
            at.until(lambda: bool(worker.notes), "a note")
            assert at.states(batch) == {RowState.SUCCEEDED: ended, RowState.WAITING: 6 - ended}
        _rewrite(at, batch, DEFINITION)
        with at.worker():
            at.until_finished(batch)
        assert at.states(batch) == {RowState.SUCCEEDED: 6}
        assert len(at.server.requests) == 6 * 4


def test_an_upgrade_in_mid_batch_goes_on_with_what_the_older_version_had_in_hand(
    fanout_home: Path, store_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its durable workflows, queued or under way, are never given to another version."""
    from fanout.batch import durable, worker

    monkeypatch.setattr(worker, "SWEEP_S", 0.3)
    slow = script(Reply(text="One two three. " * 4, tokens_per_s=20))
    with hall(fanout_home, store_url, slow) as at:
        batch = at.batch(8, concurrency=2)
        with at.worker():
            at.until(lambda: at.states(batch)[RowState.RUNNING] == 2, "two rows")
        assert at.states(batch)[RowState.QUEUED] > 0
        for module in (durable, worker):
            monkeypatch.setattr(module, "FORMAT", FORMAT + 1)
        with at.worker():
            at.until_finished(batch)
        assert at.states(batch) == {RowState.SUCCEEDED: 8}
        assert at.asked("Combine what") == 8


def test_a_worker_of_a_lower_format_leaves_rows_to_those_that_understand_them(
    fanout_home: Path, store_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with hall(fanout_home, store_url) as at:
        batch = at.batch(2)
        with monkeypatch.context() as older, at.runtime() as runtime:
            from fanout.batch import durable
            from fanout.batch import worker as module

            older.setattr(module, "FORMAT", FORMAT - 1)
            older.setattr(durable, "FORMAT", FORMAT - 1)
            worker = module.Worker(runtime, look_s=0.05)
            worker.start()
            try:
                at.until(lambda: bool(worker.notes), "a note")
                (seen,) = [one for one in at.store.batches.workers() if one.alive]
                assert seen.format == FORMAT - 1
                assert f"  {OLDER}" in list(status_lines(at.store, at.get(batch)))
            finally:
                worker.close()
        assert at.states(batch) == {RowState.WAITING: 2}
        assert "left to newer workers" in worker.notes[0]
        with at.worker():
            at.until_finished(batch)
        assert len(at.server.requests) == 2 * 4


def _rewrite(at: Hall, batch: BatchId, definition: Mapping[str, object]) -> None:
    with at.store._engine.begin() as connection:
        connection.execute(
            update(batches).where(batches.c.id == batch).values(definition=json.dumps(definition))
        )
