"""Workers are killed at random moments: every row ends once, and nothing finished is paid twice."""

from __future__ import annotations

import os
import random
import signal
import time
from collections import Counter
from pathlib import Path

import pytest

from fanout.batches import RowState
from fanout.events import BranchFinished
from fanout.providers.script import Reply
from fanout.types import BatchId
from tests.batch.hall import DEFINITION, NAMES, Hall, hall, script
from tests.batch.workers import Workers, workers

ROWS = 24
KILLS = 3
PACE = script(Reply(text="One two three four five six.", first_token_s=0.1, tokens_per_s=100))
CALLS = (*NAMES, "aggregate")
ASKED = DEFINITION | {
    # The topic ends a line, so that "topic 1" and "topic 12" are told apart.
    "aggregate": {"prompt": "Combine what was said of {topic}.\n{results}"},
}


@pytest.mark.parametrize("count", [1, 2, 4])
def test_a_batch_survives_kills_at_any_moment(
    fanout_home: Path, store_url: str, count: int, tmp_path: Path
) -> None:
    dice = random.Random(f"{store_url == ''}{count}")
    with (
        hall(fanout_home, store_url, PACE) as at,
        workers(at.environment, tmp_path / "log") as team,
    ):
        batch = at.batch(ROWS, definition=ASKED, concurrency=4)
        for _ in range(count):
            team.start()
        extra = _killed_now_and_then(at, team, batch, dice)
        at.until_finished(batch, timeout_s=90)
        _check(at, batch, extra)


def test_a_row_that_another_living_process_has_is_waited_for(
    fanout_home: Path, store_url: str, tmp_path: Path
) -> None:
    """Whoever believes a living worker to be dead takes its rows over, but never its calls."""
    slow = script(Reply(text="One two three. " * 4, tokens_per_s=10))
    with (
        hall(fanout_home, store_url, slow) as at,
        workers(at.environment, tmp_path / "log") as team,
    ):
        batch = at.batch(2, definition=ASKED)
        living = team.start()
        at.until(lambda: len(at.server.requests) == 6, "the branches' calls")
        # Not quick enough to take its own rows back.
        os.kill(living, signal.SIGSTOP)
        with at.worker() as mistaken:
            at.until(lambda: mistaken._durable is not None, "a second worker")
            durable = mistaken._durable
            assert durable is not None
            durable.recover({row.worker for row in at.rows(batch)})
            at.until(lambda: len(mistaken._desk.keys) == 2, "the mistake")
            os.kill(living, signal.SIGCONT)
            at.until_finished(batch)
        assert len(at.server.requests) == 2 * 4
        assert {row.state for row in at.rows(batch)} == {RowState.SUCCEEDED}


def _killed_now_and_then(at: Hall, team: Workers, batch: BatchId, dice: random.Random) -> int:
    """Kill workers at random moments, with another one in the place of each; how many calls may
    have been asked twice, since they were under way just then."""
    extra = 0
    for kill in range(KILLS):
        wanted = (kill + dice.random()) * ROWS / (KILLS + 1)
        at.until(lambda wanted=wanted: _ended(at, batch) >= wanted, "some rows")  # type: ignore[misc]
        time.sleep(dice.random() * 0.3)
        team.kill(dice.choice(team.alive))
        finished = _finished(at, batch)
        seen = {key: _asked(at, key) for key in finished}
        extra += at.server.most_in_flight
        team.start()
        _asked_no_more.extend(seen.items())
    return extra


_asked_no_more: list[tuple[tuple[int, str], int]] = []
"""Of calls whose end was in the record when a worker was killed: how often they had been asked."""


@pytest.fixture(autouse=True)
def nothing_seen() -> None:
    _asked_no_more.clear()


def _check(at: Hall, batch: BatchId, extra: int) -> None:
    rows = at.rows(batch)
    assert Counter(row.state for row in rows) == {RowState.SUCCEEDED: ROWS}
    assert len({row.run_id for row in rows}) == ROWS
    for key, asked in _asked_no_more:
        assert _asked(at, key) == asked, f"{key} had finished and was asked again"
    for row in rows:
        assert row.run_id is not None
        stored = at.store.load(row.run_id)
        assert stored is not None
        ends = Counter(
            one.id
            for one in stored.events
            if isinstance(one, BranchFinished) and one.state.succeeded
        )
        assert ends == dict.fromkeys(CALLS, 1), f"row {row.row.number}"
    # What the endpoint answered is in the record, but for what was under way at a kill.
    assert ROWS * 4 <= len(at.server.requests) <= ROWS * 4 + extra


def _finished(at: Hall, batch: BatchId) -> list[tuple[int, str]]:
    """The calls whose ends are in the record by now."""
    stored = [(row.row.number, at.store.load(row.run_id or "")) for row in at.rows(batch)]
    return [
        (number, str(call.id))
        for number, one in stored
        if one is not None
        for call in one.snapshot.calls
        if call.state.succeeded
    ]


def _asked(at: Hall, key: tuple[int, str]) -> int:
    number, call = key
    return at.asked("Combine what" if call == "aggregate" else f"Write a {call}", number)


def _ended(at: Hall, batch: BatchId) -> int:
    return at.store.batches.count(batch, states=[RowState.SUCCEEDED])
