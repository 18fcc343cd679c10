"""The worker of a `batch` command ends with its batch, so it takes rows of no other."""

from __future__ import annotations

from pathlib import Path

from fanout.batch.worker import ANOTHERS, Worker
from fanout.batches import BatchState, RowState
from fanout.cli.batch_looks import status_lines
from tests.batch.hall import LOOK_S, hall


def test_a_command_s_worker_leaves_other_batches_alone_and_says_so(
    fanout_home: Path, store_url: str
) -> None:
    with hall(fanout_home, store_url) as at, at.runtime() as runtime:
        other, own = at.batch(3), at.batch(2)
        worker = Worker(runtime, only=own, look_s=LOOK_S, poll_s=LOOK_S)
        worker.start()
        try:
            at.until_finished(own)
            assert at.states(other) == {RowState.WAITING: 3}
            assert worker.notes == ()
            (seen,) = [one for one in at.store.batches.workers() if one.alive]
            assert seen.leaves == {other: ANOTHERS}
            assert not seen.able(at.get(other))
            lines = list(status_lines(at.store, at.get(other)))
            assert any(ANOTHERS in line for line in lines)
        finally:
            worker.close()
        assert at.get(other).state is BatchState.RUNNING
        assert len(at.server.requests) == 2 * 4
        with at.worker():
            at.until_finished(other)
        assert len(at.server.requests) == 5 * 4
