"""Many runs and many branches: nothing is left over, and no page pays for each two of them."""

from __future__ import annotations

from pathlib import Path
from time import process_time

from benchmarks.load_scales import quarters
from benchmarks.soak import MORE_FILES, MORE_THREADS, soak
from components.practices import MOST_SQUARE, closeness_frame, heat_map
from components.workflow_graph import MOST_ROWS, workflow_graph
from fanout.insight.practices import run_independence
from fanout.providers.script import Reply, Script
from fanout.snapshot import Snapshot
from fanout.store.store import Store
from fanout.workflows.definition import Workflow
from fanout.workflows.parsing import parse
from tests.rig import rig

RUNS = 60
MOST_KB_PER_RUN = 200
"""Of memory: finished runs are kept for a while, with all their events."""
BRANCHES = 1000
DRAWN_S = 3.0


def many(times: int) -> Workflow:
    branch = {"id": "b", "title": "Branch", "prompt": "Write about {topic}.", "times": times}
    combining = {"prompt": "Combine:\n{results}"}
    return parse({"title": "Many", "branches": [branch], "aggregate": combining}, name="many")


def run_of(times: int, store: Store | None = None) -> Snapshot:
    with rig(Script(otherwise=Reply(text="One, two, three.")), slots=times, store=store) as here:
        return here.start(many(times)).wait(timeout_s=60)


def test_runs_in_a_row_leave_no_handle_and_no_thread() -> None:
    course = soak(RUNS)
    weights = course.weights[1:]
    assert len(course.seconds) == RUNS
    files, threads = ([getattr(w, what) for w in weights] for what in ("files", "threads"))
    assert quarters(files)[3] <= quarters(files)[0] + MORE_FILES
    assert quarters(threads)[3] <= quarters(threads)[0] + MORE_THREADS
    grown_kb = (weights[-1].rss_mb - weights[0].rss_mb) * 1024
    assert grown_kb < MOST_KB_PER_RUN * RUNS


def test_a_thousand_branches_end_and_are_all_in_the_record(tmp_path: Path) -> None:
    with Store.open(tmp_path) as store:
        snapshot = run_of(BRANCHES, store)
        assert snapshot.status == "succeeded"
        assert sum(branch.state.succeeded for branch in snapshot.branches) == BRANCHES
        stored = store.load(snapshot.run_id)
        assert stored is not None
        assert stored.snapshot.branches == snapshot.branches


def test_what_is_drawn_after_a_thousand_branches_is_drawn_in_a_moment() -> None:
    """Each two of them are a million: a graph of 200 once took half a minute."""
    snapshot = run_of(BRANCHES)
    began = process_time()
    graph = workflow_graph(snapshot, dark=False)
    found = run_independence(snapshot)
    assert found is not None
    square = heat_map(found, snapshot, dark=False)
    pairs = closeness_frame(found)
    assert process_time() - began < DRAWN_S
    said = [note.text for note in graph.layout.annotations if note.text]
    assert f"and {BRANCHES - MOST_ROWS + 1} more<br>all done" in said
    assert len(graph.layout.shapes) == MOST_ROWS + 3
    assert len(square.to_dict()["data"][0]["y"]) == MOST_SQUARE
    assert len(pairs) == 1000
