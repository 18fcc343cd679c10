"""A batch waits for what it lacks, and goes on as soon as somebody gives it that."""

from __future__ import annotations

from pathlib import Path

from fanout.batches import BatchState, RowState
from fanout.policies import Budget
from fanout.providers.script import Reply, Rule, Script
from tests.batch.hall import MODEL, hall, script

UNHURRIED = script(Reply(text="One two three.", first_token_s=0.5))
SMALL, BIG = "Say it shortly: {topic}.", "Say all of it: {topic}."
COMBINE = "Combine what was said of {topic}.\n{results}"
MIXED = Script(
    rules=(Rule(prompt="said of topic 2.", replies=(Reply(text="word " * 40, tokens_per_s=12),)),),
    otherwise=Reply(text="One two three."),
)
"""The second row takes some seconds to end, once its branches have ended."""


def test_rows_wait_for_an_endpoint_that_was_removed(fanout_home: Path) -> None:
    with hall(fanout_home, "", UNHURRIED) as at, at.worker() as worker:
        batch = at.batch(8, concurrency=1)
        at.until(lambda: at.states(batch)[RowState.SUCCEEDED] == 1, "the first row")
        book = worker._engine.endpoints
        endpoint, key = book.get(MODEL.endpoint), book._entries[MODEL.endpoint].key
        book.remove(MODEL.endpoint)
        at.until(lambda: at.states(batch)[RowState.RUNNING] == 0, "nothing under way")
        at.until(lambda: at.states(batch)[RowState.QUEUED] == 0, "nothing handed out")
        states = at.states(batch)
        # The one row that was under way lost what it had yet to ask.
        assert states[RowState.FAILED] + states[RowState.PARTIAL] <= 1
        assert states[RowState.WAITING] >= 5
        assert at.get(batch).state is BatchState.RUNNING
        book.put(endpoint, key)
        at.until_finished(batch)
        assert at.states(batch)[RowState.SUCCEEDED] >= 7


def test_a_budget_that_was_raised_is_not_used_up_by_rows_of_before(fanout_home: Path) -> None:
    definition = {
        "title": "Two",
        "branches": [
            {"id": "small", "title": "Small", "prompt": SMALL, "max_tokens": 50},
            {"id": "big", "title": "Big", "prompt": BIG, "max_tokens": 20_000},
        ],
        "aggregate": {"prompt": COMBINE, "max_tokens": 50},
    }
    with hall(fanout_home, "", MIXED) as at, at.worker():
        batch = at.batch(2, concurrency=2, definition=definition, budget=Budget(tokens=5_000))
        at.until_state(batch, BatchState.PAUSED)
        assert at.states(batch)[RowState.RUNNING] == 1, "the second row is still answered"

        def combines() -> bool:
            return at.asked("Combine what was said", 2) == 1

        # Combined is what there is: the long answer was refused by then.
        at.until(combines, "its last call")
        assert at.asked("Say all of it") == 0
        at.store.batches.change(batch, budget=Budget(tokens=1_000_000))
        at.store.batches.resume(batch)
        at.until_finished(batch)
        assert at.states(batch) == {RowState.SUCCEEDED: 2}
        for row in (1, 2):
            assert [at.asked(said, row) for said in ("Say it shortly", "Say all of it")] == [1, 1]
