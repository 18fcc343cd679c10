"""What a batch is thought to take: its figures, its range, and where each of them comes from."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal

import pytest

from fanout.batch.estimate import BatchEstimate, after_trial, estimate_batch
from fanout.batch.estimate_words import estimate_lines, long_text, time_words
from fanout.batch.timing import PROVIDER_S, Pace, TimeSpan, time_span, walls
from fanout.batches import NewBatch, Row, RowRecord, RowResult, RowState
from fanout.endpoint import Endpoint
from fanout.engine.endpoints import EndpointBook
from fanout.errors import InputError
from fanout.events import RunStarted
from fanout.policies import EndpointPolicy
from fanout.providers.script import DEMO
from fanout.providers.scripted import Scripted
from fanout.store.store import Store
from fanout.types import BatchId, Cost, MadeWith, Price, RowPlace, Via
from fanout.workflows.parsing import parse
from tests.rig import HERE, MODEL, QUICK, rig, script, trio
from tests.store.samples import events, update

PRICE = Price(input=Decimal(1), output=Decimal(10), source="a list")
HERE_AT = Endpoint(id=HERE, name="Here", base_url="http://127.0.0.1:1/v1", slots=8)
PACE = Pace(rows=100, concurrency=4, branches=2, calls=300, tokens=60_000)
RUNS = "the last {n} runs"


def book(endpoint: Endpoint = HERE_AT, price: Price | None = PRICE) -> EndpointBook:
    made = EndpointBook(lambda endpoint, key: Scripted(DEMO))
    made.put(replace(endpoint, prices={"m": price} if price is not None else {}))
    return made


def rows(count: int, topic: str = "rain") -> list[Row]:
    return [Row(number=n, topic=f"{topic} {n}") for n in range(1, count + 1)]


def foreseen(count: int = 10, **how: object) -> BatchEstimate:
    spec = trio(defaults={"max_tokens": 100})
    return estimate_batch(rows(count), spec, MODEL, book(), None, concurrency=4, **how)  # type: ignore[arg-type]


def test_it_is_the_sum_of_its_rows() -> None:
    one, ten = foreseen(1), foreseen(10)
    assert (one.rows, one.calls, ten.calls) == (1, 4, 40)
    assert ten.output_tokens_most == 10 * one.output_tokens_most == 10 * (300 + 1000)
    assert one.low_usd is not None and ten.low_usd is not None and ten.high_usd is not None
    assert 0 < ten.low_usd < ten.high_usd
    assert ten.low_usd == pytest.approx(10 * one.low_usd, rel=Decimal("0.05"))
    assert "prices: a list" in ten.basis
    json.dumps(ten.record())


def test_rows_that_are_left_out_cost_nothing_and_long_ones_more() -> None:
    spec = trio(defaults={"max_tokens": 100})
    few = [*rows(3), replace(rows(1)[0], skipped="the same as row 1")]
    assert estimate_batch(few, spec, MODEL, book(), None, concurrency=4).rows == 3
    long = estimate_batch(rows(3, "x" * 9_000), spec, MODEL, book(), None, concurrency=4)
    assert long.input_tokens > 10 * foreseen(3).input_tokens
    with pytest.raises(InputError):
        estimate_batch([], spec, MODEL, book(), None, concurrency=4)


def test_variables_are_counted_with_their_text() -> None:
    data = {"title": "T", "prompt": "{topic} {text_}", "variables": {"text_": ""}}
    spec = parse({**data, "branches": [{"id": "a", "title": "A"}]}, name="t")
    plain = Row(number=1, topic="rain")
    filled = replace(plain, values={"text_": "word " * 4_000})
    sums = [
        estimate_batch([row], spec, MODEL, book(), None, concurrency=1).input_tokens
        for row in (plain, filled)
    ]
    assert sums[1] > sums[0] + 3_000


def test_of_many_rows_some_are_looked_at_and_that_is_said() -> None:
    many = foreseen(5_000)
    assert many.calls == 20_000
    assert "prompts of 100 of the 5,000 rows" in many.basis


def test_an_unknown_price_stays_unknown() -> None:
    made = estimate_batch(rows(2), trio(), MODEL, book(price=None), None, concurrency=1)
    assert (made.low_usd, made.high_usd) == (None, None)
    assert "Cost: unknown" in estimate_lines(made)[1]


def test_rows_that_cant_be_run_do_not_keep_the_others_from_being_counted() -> None:
    data = {
        "kind": "judges", "title": "J", "prompt": "{content}{task}",
        "branches": [{"id": "a", "title": "A"}], "rubric": [{"id": "c", "title": "C"}],
    }  # fmt: skip
    bad = Row(number=9, topic="\n---\n".join("x" * 27))
    made = estimate_batch(
        [bad, *rows(2)], parse(data, name="j"), MODEL, book(), None, concurrency=1
    )
    assert made.calls == 3
    with pytest.raises(InputError, match="26 is the most"):
        estimate_batch([bad], parse(data, name="j"), MODEL, book(), None, concurrency=1)


def test_time_comes_from_earlier_runs_of_the_workflow_with_the_model() -> None:
    with Store.in_memory() as store, rig(script(QUICK), store=store) as here:
        unknown = estimate_batch(
            rows(9), trio(), MODEL, here.engine.endpoints, store, concurrency=2
        )
        for n in range(3):
            here.run(trio(), f"rain {n}")
        assert here.engine.scribe is not None
        assert here.engine.scribe.flush(10)
        known = estimate_batch(rows(9), trio(), MODEL, here.engine.endpoints, store, concurrency=2)
    assert (unknown.time.low_s, unknown.time.high_s) == (None, None)
    assert "a trial tells" in unknown.time.basis
    assert known.time.low_s is not None and known.time.high_s is not None
    assert 0 < known.time.low_s <= known.time.high_s
    assert known.time.basis.startswith("from the last 3 runs of this workflow with this model")


def test_runs_that_lay_with_a_provider_tell_nothing_of_single_calls() -> None:
    def keep(run: str, wall_s: float, batch: BatchId | None = None) -> None:
        first, *others, over = events(run, branches=1, tokens=3)
        assert isinstance(first, RunStarted)
        row = None if batch is None else RowPlace(batch=batch, number=1)
        made = replace(first, made_with=MadeWith(model=first.branches[0].model, row=row))
        store.write([update([made, *others, replace(over, at=wall_s)])])

    new = NewBatch(title="b", workflow="trio", definition={}, model=MODEL)
    with Store.in_memory() as store:
        called = store.batches.create(new, rows(1))
        parked = store.batches.create(replace(new, via=Via.PROVIDER), rows(1))
        keep("alone", 2.0)
        keep("called", 3.0, called)
        keep("parked", 40_000.0, parked)
        keep("gone", 50_000.0, BatchId("deleted"))
        assert sorted(walls(store.history, "trio", "small")) == [2.0, 3.0]


def test_more_rows_at_once_are_faster_only_as_far_as_the_endpoint_goes() -> None:
    def low(pace: Pace, endpoint: Endpoint = HERE_AT) -> float:
        found = time_span(pace, endpoint, [10.0] * 5, RUNS).low_s
        assert found is not None
        return found

    assert low(PACE) == 250
    assert low(replace(PACE, concurrency=2)) == 500
    assert low(replace(PACE, concurrency=50)) == 250, "8 calls at once, 2 of each row"
    assert low(replace(PACE, rows=2)) == 10
    shared = time_span(PACE, replace(HERE_AT, on_this_machine=True), [10.0] * 5, RUNS)
    assert (shared.low_s, shared.high_s) == (250, 1250)


@pytest.mark.parametrize(
    ("pace", "policy", "floor", "why"),
    [
        (replace(PACE, rows_per_minute=10), EndpointPolicy(), 600, "10 rows a minute begin"),
        (PACE, EndpointPolicy(requests_per_minute=20), 900, "20 requests a minute are allowed"),
        (PACE, EndpointPolicy(tokens_per_minute=6_000), 600, "6,000 tokens a minute are allowed"),
    ],
)
def test_no_batch_is_foreseen_faster_than_rates_allow(
    pace: Pace, policy: EndpointPolicy, floor: float, why: str
) -> None:
    endpoint = replace(HERE_AT, policy=policy)
    known = time_span(pace, endpoint, [1.0] * 5, RUNS)
    assert known.low_s == floor
    assert why in known.basis
    unknown = time_span(pace, endpoint, (), RUNS)
    assert (unknown.low_s, unknown.high_s) == (floor, None)
    assert time_words(unknown).startswith(f"Time: at least {long_text(floor)}")


def test_a_providers_batch_is_answered_within_a_day() -> None:
    made = foreseen(via=Via.PROVIDER)
    assert (made.time.low_s, made.time.high_s) == (None, PROVIDER_S)
    assert "at most this" in made.basis, "an own price is one of single calls"
    assert time_words(made.time).startswith("Time: at most 24 h (")


def test_a_trial_makes_the_estimate_anew() -> None:
    def tried(number: int, usd: str | None, output: int, wall_s: float) -> RowRecord:
        cost = None if usd is None else Cost(usd=Decimal(usd), price=PRICE)
        result = RowResult(
            state=RowState.SUCCEEDED,
            cost=cost,
            input_tokens=50,
            output_tokens=output,
            wall_s=wall_s,
        )
        return RowRecord(row=rows(number)[-1], state=RowState.SUCCEEDED, result=result)

    before = foreseen(100)
    records = [tried(1, "0.01", 10, 2.0), tried(2, "0.03", 30, 4.0), tried(3, "0.02", 20, 3.0)]
    after = after_trial(before, records)
    assert (after.low_usd, after.high_usd) == (Decimal("1.00"), Decimal("3.75"))
    assert (after.output_tokens_least, after.output_tokens_most) == (1_000, 3_750)
    assert after.basis == "from the 3 rows of the trial"
    assert after.time.low_s is not None and after.time.high_s is not None
    assert 2 * 100 / 4 < after.time.low_s < after.time.high_s
    assert after.rows == 100
    unpriced = after_trial(before, [tried(1, None, 10, 2.0)])
    assert (unpriced.low_usd, unpriced.high_usd) == (before.low_usd, before.high_usd)
    assert unpriced.basis.startswith("tokens from the 1 row of the trial; money: ")
    assert after_trial(before, []) == before


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0.2, "1 s"), (89, "89 s"), (100, "2 min"), (5_300, "88 min"), (12_000, "3 h 20 min"),
     (7_200, "2 h"), (190_000, "2 d 5 h"), (172_800, "2 d")],
)  # fmt: skip
def test_long_times_are_said_as_exactly_as_they_are_known(seconds: float, said: str) -> None:
    assert long_text(seconds) == said


def test_each_figure_is_said_with_its_basis() -> None:
    lines = estimate_lines(foreseen())
    assert lines[0].startswith("10 rows: 40 calls, about ")
    assert lines[1].startswith("Cost: $0.") and " to $0." in lines[1] and "a list" in lines[1]
    assert time_words(TimeSpan(low_s=60, high_s=60, basis="b")) == "Time: 60 s (b)."
