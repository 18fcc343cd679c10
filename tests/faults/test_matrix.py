"""Every fault, in each phase of a run, at one call, several and all: state, words, siblings, leaks.

`docs/faults.md` holds what was observed; `python -m tests.faults.table` writes it anew.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from fanout.export.importing_order import picture
from fanout.providers.script import pieces_of
from fanout.retrieval.library import Library
from fanout.snapshot import Branch, Snapshot
from fanout.types import BranchState, RunStatus
from tests.faults import table
from tests.faults.cases import CASES, Case, Place
from tests.faults.matrix import KEY, PRICE, Cell, Observed, arrives, observe
from tests.workflows.documents import filled


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    with filled(tmp_path_factory.mktemp("documents")) as found:
        # What a process keeps once it has begun, such as a thread for names, is no leak.
        observe(CASES["dns"], found, tmp_path_factory.mktemp("warm"))
        yield found


@pytest.mark.parametrize("name", CASES)
def test_a_fault_ends_as_it_should_wherever_it_strikes(
    name: str, library: Library, tmp_path: Path
) -> None:
    case = CASES[name]
    seen = observe(case, library, tmp_path)
    for cell in seen.runs:
        snapshot = seen.snapshot(cell)
        recovers = cell.passes and case.again
        for call in cell.faulty:
            if recovers:
                _check_recovered(case, cell, seen.call(cell, call))
            elif case.kind is None:
                _check_answered(case, cell, seen.call(cell, call))
            else:
                _check_failed(case, cell, seen.call(cell, call))
            attempts = seen.call(cell, call).attempts
            reached = attempts if case.place is Place.SERVER else 0
            assert seen.asked[cell, call] == reached, "the server saw what the column counts"
        for branch in snapshot.branches:
            if branch.id not in cell.faulty:
                _check_untouched(cell, branch)
        _check_run(case, cell, snapshot)
        assert picture(seen.runs[cell].events).branches == snapshot.branches
        assert KEY not in repr(seen.runs[cell].events)
    _check_alike(case, seen)
    _check_leaks(seen)
    assert table.row(case, seen) in table.PAGE.read_text(encoding="utf-8"), table.OUTDATED


def test_the_page_has_every_fault_in_order_and_says_how_runs_end(
    library: Library, tmp_path: Path
) -> None:
    text = table.PAGE.read_text(encoding="utf-8")
    assert table.frame(text) == table.frame(table.page(["| row |"], [])), table.OUTDATED
    places = [text.find(f"| {case.does} |") for case in CASES.values()]
    assert -1 not in places and places == sorted(places), table.OUTDATED
    for line in table.runs(observe(CASES["500"], library, tmp_path)):
        assert line in text, table.OUTDATED


def _check_failed(case: Case, cell: Cell, call: Branch) -> None:
    failure = call.failure
    assert failure is not None and failure.kind is case.kind
    assert call.state is (BranchState.TIMED_OUT if failure.timed_out else BranchState.FAILED)
    assert call.attempts == 1 + case.again * (not cell.passes)
    assert [setback.kind for setback in call.setbacks] == [case.kind] * (call.attempts - 1)
    for words in case.words:
        assert words in failure.message
    assert "This is call" not in failure.message and "Traceback" not in failure.message
    assert failure.message.endswith((".", "/v1."))
    if case.reply.tokens_per_s:
        # A reset throws away what the receiver has not read yet.
        assert call.text and arrives(case, cell).startswith(call.text)
    else:
        assert call.text == arrives(case, cell)
    assert call.cost is not None and call.cost.price == PRICE
    assert call.usage is not None and (call.cost.usd > 0) == bool(call.usage.input)
    assert (call.usage.input > 0 and not call.usage.estimated) == case.reported


def _check_answered(case: Case, cell: Cell, call: Branch) -> None:
    asked_twice = cell.phase == "ballots" and bool(case.reply.piece_chars)
    assert (call.state, call.failure) == (BranchState.DONE, None)
    assert call.attempts == 1 + asked_twice, "an answer out of form is asked for once more"
    text = arrives(case, cell)
    assert call.text.startswith(text) if cell.phase == "queries" else call.text == text
    assert call.usage is not None and call.usage.estimated == case.estimated
    assert call.usage.input > 0 and call.usage.output > 0
    assert call.cost is not None and call.cost.usd > 0
    assert call.cost.estimated == case.estimated
    if cell.phase == "ballots":
        assert call.ballot is not None and call.ballot.valid is not case.odd


def _check_recovered(case: Case, cell: Cell, call: Branch) -> None:
    assert (call.state, call.failure, call.attempts) == (BranchState.DONE, None, 2)
    assert [setback.kind for setback in call.setbacks] == [case.kind]
    assert call.text == cell.text, "nothing is left of what broke off"


def _check_untouched(cell: Cell, sibling: Branch) -> None:
    assert (sibling.state, sibling.failure, sibling.attempts) == (BranchState.DONE, None, 1)
    exact = sibling.text.startswith(cell.text) if cell.phase == "queries" else True
    if cell.phase != "queries":
        assert sibling.text == cell.text
    assert exact and (cell.phase != "queries" or "Found:" in sibling.text)
    assert sibling.usage is not None and not sibling.usage.estimated
    assert sibling.usage.output == len(pieces_of(cell.text))
    if cell.phase == "ballots":
        assert sibling.ballot is not None and sibling.ballot.valid


def _check_run(case: Case, cell: Cell, snapshot: Snapshot) -> None:
    failed = case.kind is not None and not (cell.passes and case.again)
    made = snapshot.aggregate
    assert snapshot.failure is None
    if failed and cell.phase != "aggregate" and cell.hit == cell.of:
        assert (snapshot.status, made) == (RunStatus.FAILED, None), "nothing to combine"
        return
    assert made is not None
    abstained = cell.phase == "ballots" and case.odd
    fine = not failed and not abstained
    assert snapshot.status is (RunStatus.SUCCEEDED if fine else RunStatus.PARTIAL)
    hit = cell.hit if cell.phase != "aggregate" else 0
    whole = len(cell.names) - (0 if fine else hit)
    assert f"{whole} of {len(cell.names)}" in made.heading
    fate = table.fate(snapshot.branches[0]) if failed else "abstained"
    assert [f"{name.upper()} {fate}" in made.heading for name in cell.names] == [
        not fine and name in cell.faulty for name in cell.names
    ]
    if cell.phase != "aggregate" and whole:
        assert made.branch.state is BranchState.DONE and made.text


def _check_alike(case: Case, seen: Observed) -> None:
    """The same fault is told in the same words wherever it strikes."""
    told = {
        failure.message
        for cell in seen.runs
        for name in cell.faulty
        if (failure := seen.call(cell, name).failure) is not None
    }
    assert len(told) == (case.kind is not None)


def _check_leaks(seen: Observed) -> None:
    assert seen.tasks.after == seen.tasks.before
    assert seen.threads.after <= seen.threads.before
    assert seen.sockets.after <= seen.sockets.before
    assert seen.in_flight == 0, "every slot is free again, and nobody queues"
    assert seen.connections == 0, "the server sees every connection end"
