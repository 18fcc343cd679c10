"""Earlier runs tell how long answers will be, and how good the estimates were."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from fanout.events import RunStarted
from fanout.insight.estimate import Lengths
from fanout.store.store import Store
from fanout.types import BranchId, EndpointId, Forecast, MadeWith, ModelRef, RunId
from tests.store.samples import events, update

MODEL = ModelRef(endpoint=EndpointId("here"), model="small")


def kept(store: Store, number: int, *, tokens: int = 40, forecast: Forecast | None = None) -> None:
    """A run of three branches that cost $0.000123 each, with what it was thought to take."""
    told = events(f"run-{number:04}", tokens=tokens)
    first = told[0]
    assert isinstance(first, RunStarted)
    begun = replace(first, made_with=MadeWith(model=MODEL, estimate=forecast))
    store.write([update((begun, *told[1:]))])


def forecast(low: str | None, high: str | None, least: int = 100, most: int = 200) -> Forecast:
    return Forecast(
        input_tokens=30,
        output_tokens_least=least,
        output_tokens_most=most,
        low_usd=None if low is None else Decimal(low),
        high_usd=None if high is None else Decimal(high),
    )


def test_estimates_are_held_against_what_runs_cost(store: Store) -> None:
    kept(store, 1, forecast=forecast("0.0002", "0.0004"))
    kept(store, 2, forecast=forecast("0.0004", "0.0005"))
    kept(store, 3, forecast=forecast("0.000369", "0.000369"))
    kept(store, 4)
    past = store.estimates.past()
    assert past is not None
    assert (past.runs, past.inside) == (3, 2)
    assert past.of_middle == 1.0


def test_where_the_price_was_unknown_the_tokens_of_the_answers_are_compared(store: Store) -> None:
    kept(store, 1, forecast=forecast(None, None))
    kept(store, 2, forecast=forecast("0", "0", least=10, most=20))
    past = store.estimates.past()
    assert past is not None
    assert (past.runs, past.inside) == (2, 1)
    assert past.of_middle == pytest.approx(4.4)


def test_without_an_estimate_there_is_nothing_to_compare(store: Store) -> None:
    assert store.estimates.past() is None
    kept(store, 1)
    assert store.estimates.past() is None


def test_only_the_newest_estimates_count_and_no_deleted_run(store: Store) -> None:
    for number in range(22):
        kept(store, number, tokens=1, forecast=forecast("0.0002", "0.0004"))
    store.history.delete([RunId("run-0021")])
    past = store.estimates.past()
    assert past is not None
    assert past.runs == 20


def test_the_lengths_of_earlier_answers_are_told_by_branch_from_the_third_on(store: Store) -> None:
    for number, tokens in enumerate((30, 40), 1):
        kept(store, number, tokens=tokens)
    workflow = next(iter(store.history.facets().workflows))[0]
    assert store.estimates.lengths(workflow) == {}
    kept(store, 3, tokens=50)
    asked = store.estimates.lengths_of(workflow)
    assert asked(BranchId("branch-0"), "small") == Lengths(low=30, high=50)
    assert asked(BranchId("branch-0"), "another") is None
    assert store.estimates.lengths("another-workflow") == {}
