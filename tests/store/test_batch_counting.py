"""Counting a batch reads no texts: they would be gigabytes, several times a minute."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy import event

from fanout.store.store import Store
from tests.store.test_batches import end_next, started


def test_how_far_a_batch_is_comes_from_indexes_alone(fanout_home: Path) -> None:
    with Store.open(fanout_home) as store:
        batch = started(store, 3)
        end_next(store, batch)
        asked: list[tuple[str, Any]] = []

        def heard(_one: object, _cursor: object, statement: str, given: Any, *_: object) -> None:
            if "batch_rows" in statement:
                asked.append((statement, given))

        engine = store._engine
        event.listen(engine, "before_cursor_execute", heard)
        progress = store.batches.progress(batch)
        event.remove(engine, "before_cursor_execute", heard)
        assert (progress.cost_nano, progress.tokens, progress.ended) == (2_000_000, 30, 1)
        with engine.connect() as connection:
            (counting,) = [one for one in asked if "sum(" in one[0]]
            steps = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {counting[0]}", counting[1])
            plan = [str(step.detail) for step in steps]
    assert any("USING COVERING INDEX batch_rows_counted" in step for step in plan), plan
