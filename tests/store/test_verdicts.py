"""Blind verdicts are kept one beside the other, in the order in which they were given."""

from __future__ import annotations

import time
from typing import get_args

from fanout.store.store import Store
from fanout.store.values import Choice, Verdict
from fanout.types import RunId
from tests.store.shelf import Made


def verdict(a: str, b: str, choice: Choice = "a", given_at: float = 1.0) -> Verdict:
    return Verdict(
        run_a=RunId(a),
        call_a="branch-0",
        run_b=RunId(b),
        call_b="",
        choice=choice,
        given_at=given_at,
    )


def test_verdicts_come_back_as_they_were_given(store: Store) -> None:
    assert store.verdicts.all() == store.verdicts.of("one") == ()
    given = [verdict("one", f"run {n}", choice) for n, choice in enumerate(get_args(Choice))]
    for each in given:
        store.verdicts.give(each)
    assert store.verdicts.all() == tuple(given)
    assert store.verdicts.of("run 2") == (given[2],)


def test_a_run_has_the_verdicts_on_either_side_oldest_first(store: Store) -> None:
    late, early, other = (
        verdict("x", "y", "b", 9.5),
        verdict("y", "x", "tie", 2.5),
        verdict("y", "z"),
    )
    for each in (late, early, other):
        store.verdicts.give(each)
    assert store.verdicts.of("x") == (early, late)
    assert store.verdicts.all() == (other, early, late)


def test_two_texts_of_one_run_give_one_verdict(store: Store) -> None:
    same = verdict("x", "x")
    store.verdicts.give(same)
    assert store.verdicts.of("x") == (same,)


def test_a_verdict_outlives_its_runs(store: Store) -> None:
    store.write([Made(id="x").update()])
    store.verdicts.give(verdict("x", "y"))
    store.history.delete(["x"])
    store.history.purge(time.time() + 60)
    assert store.verdicts.of("x") == (verdict("x", "y"),)
