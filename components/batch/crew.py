"""Who carries rows out: the workers that are there, and how more of them are started."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import pandas as pd
import streamlit as st

from components.batch import words
from components.history.words import long_text
from components.plain import cells, label
from components.session import worker_notes
from fanout.batches import Batch, BatchState, Progress, RowState, WorkerSeen
from fanout.engine.runtime import Runtime

HINT = "python -m fanout worker"


def crew(batch: Batch, progress: Progress, workers: Sequence[WorkerSeen]) -> None:
    """Draw one line, and the table of them behind a button."""
    alive = [worker for worker in workers if worker.alive]
    if batch.state is BatchState.RUNNING and progress.left:
        able = able_workers(batch, workers)
        left = leaving(batch, alive)
        if not (able or left):
            _nobody(alive)
        if not (able and progress.counts.get(RowState.RUNNING)):
            told = [one.leaves[batch.id] for one in left]
            others = [note for note in worker_notes() if note not in told]
            for note in (*map(partial(left_by, batch), left), *notes_about(batch, others)):
                st.warning(label(note, 700), icon=":material/warning:")
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.caption(
            f":material/group_work: {words.count(len(alive), 'worker')} there, "
            f"{words.count(sum(worker.rows for worker in alive), 'row')} at work",
            width="content",
        )
        with st.popover("Workers", icon=":material/dns:", key=f"crew-{batch.id}", type="tertiary"):
            _list(workers)


def notes_about(batch: Batch, notes: Sequence[str]) -> list[str]:
    """What a worker says of this batch, or of all; not of those of other people."""
    return [note for note in notes if f'"{batch.title}"' in note or 'batch "' not in note]


def able_workers(batch: Batch, workers: Sequence[WorkerSeen]) -> list[WorkerSeen]:
    """Those that are there and can carry it out."""
    return [worker for worker in workers if worker.able(batch)]


def leaving(batch: Batch, workers: Sequence[WorkerSeen]) -> list[WorkerSeen]:
    """Those that are there and leave it to others, but for their version."""
    known = [worker for worker in workers if worker.alive and worker.format >= batch.format]
    return [worker for worker in known if batch.id in worker.leaves]


def left_by(batch: Batch, worker: WorkerSeen) -> str:
    """Which worker can't carry it out, why, and what to do."""
    return f"{worker.host} ({worker.pid}): {worker.leaves[batch.id]}"


def gone_endpoint(runtime: Runtime, batch: Batch) -> None:
    """Say where the batch can't be asked for here any more."""
    if batch.model.endpoint in runtime.engine.endpoints or batch.state is BatchState.FINISHED:
        return
    why = (
        " Endpoints and keys that you add yourself are kept in memory only and are gone after a "
        "restart, when you sign out, or two minutes after you close the browser while nothing of "
        "yours is running."
        if runtime.settings.shared
        else ""
    )
    st.warning(
        f"The endpoint that this batch asks is not set up here.{why} Add it again on the Models "
        "page, with its key; the rows wait for it.",
        icon=":material/cloud_off:",
    )


def _nobody(alive: Sequence[WorkerSeen]) -> None:
    if alive:
        said = (
            "The workers that are there are of an older version of Fanout, which can't carry out "
            "this batch. Update them, or start a new one"
        )
    else:
        said = "No worker is there, so nothing moves. Start one"
    st.warning(
        f"{said} with `{HINT}`, on this machine or on any other that uses the same database.",
        icon=":material/engineering:",
    )


def _list(workers: Sequence[WorkerSeen]) -> None:
    if workers:
        frame = pd.DataFrame(
            {
                "Machine": [worker.host for worker in workers],
                "Process": [worker.pid for worker in workers],
                "State": [_state(worker) for worker in workers],
                "Rows at work": [worker.rows for worker in workers],
                "Rows ended": [worker.done for worker in workers],
                "Version": [worker.version for worker in workers],
            }
        )
        st.dataframe(cells(frame), hide_index=True, key="crew_table", alt="Workers, as a table")
    else:
        st.markdown("Nobody has carried rows out within the last hour.")
    st.markdown("More of them, here or on other machines that use the same database:")
    st.code(HINT, language=None)


def _state(worker: WorkerSeen) -> str:
    return "there" if worker.alive else f"gone after {long_text(_lived(worker))}"


def _lived(worker: WorkerSeen) -> float:
    return max(0.0, worker.seen_at - worker.started_at)
