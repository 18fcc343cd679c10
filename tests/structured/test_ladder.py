"""The ladder: refusals count at once, a single bad answer doesn't, and siblings do no harm."""

from __future__ import annotations

from threading import Thread

from hypothesis import given
from hypothesis import strategies as st

from fanout.structured.asking import Rung
from fanout.structured.ladder import Ladder
from fanout.types import EndpointId, ModelRef

BIG = ModelRef(endpoint=EndpointId("acme"), model="big")
SMALL = ModelRef(endpoint=EndpointId("acme"), model="small")


def test_a_refusal_leads_down_until_there_is_no_lower_rung() -> None:
    ladder = Ladder()
    assert ladder.rung(BIG) is Rung.JSON_SCHEMA
    assert ladder.refused(BIG, Rung.JSON_SCHEMA)
    assert ladder.rung(BIG) is Rung.JSON_OBJECT
    assert ladder.refused(BIG, Rung.JSON_OBJECT)
    assert ladder.rung(BIG) is Rung.LINES
    assert not ladder.refused(BIG, Rung.LINES)
    assert ladder.rung(SMALL) is Rung.JSON_SCHEMA


def test_siblings_that_are_refused_together_go_down_together_and_once() -> None:
    ladder = Ladder()
    for _ in range(12):
        assert ladder.refused(BIG, Rung.JSON_SCHEMA)
    assert ladder.rung(BIG) is Rung.JSON_OBJECT


def test_one_bad_answer_does_not_demote_and_two_in_a_row_do() -> None:
    ladder = Ladder()
    ladder.worked(BIG, Rung.JSON_SCHEMA)
    assert not ladder.ignored(BIG, Rung.JSON_SCHEMA)
    ladder.worked(BIG, Rung.JSON_SCHEMA)
    assert not ladder.ignored(BIG, Rung.JSON_SCHEMA)
    assert ladder.rung(BIG) is Rung.JSON_SCHEMA
    assert ladder.ignored(BIG, Rung.JSON_SCHEMA)
    assert ladder.rung(BIG) is Rung.JSON_OBJECT
    assert ladder.ignored(BIG, Rung.JSON_SCHEMA), "a sibling that asked before says nothing new"
    assert ladder.rung(BIG) is Rung.JSON_OBJECT


def test_a_success_on_the_way_takes_back_what_was_ignored_but_not_what_was_refused() -> None:
    ladder = Ladder()
    for model in (BIG, SMALL):
        ladder.ignored(model, Rung.JSON_SCHEMA)
        ladder.ignored(model, Rung.JSON_SCHEMA)
    ladder.worked(BIG, Rung.JSON_SCHEMA)
    assert ladder.rung(BIG) is Rung.JSON_SCHEMA
    ladder.refused(SMALL, Rung.JSON_SCHEMA)
    ladder.worked(SMALL, Rung.JSON_SCHEMA)
    assert ladder.rung(SMALL) is Rung.JSON_OBJECT


def test_a_success_further_down_does_not_lead_down() -> None:
    ladder = Ladder()
    ladder.worked(BIG, Rung.LINES)
    assert ladder.rung(BIG) is Rung.JSON_SCHEMA


def test_the_lowest_rung_is_never_left() -> None:
    ladder = Ladder()
    ladder.refused(BIG, Rung.JSON_OBJECT)
    for _ in range(5):
        assert not ladder.ignored(BIG, Rung.LINES)
    assert ladder.rung(BIG) is Rung.LINES


_REPORTS = st.lists(
    st.tuples(st.sampled_from(["refused", "ignored", "worked"]), st.sampled_from(list(Rung)))
)


@given(_REPORTS)
def test_after_a_refusal_the_rung_is_lower_whatever_happened_before(
    reports: list[tuple[str, Rung]],
) -> None:
    ladder = Ladder()
    for name, rung in reports:
        getattr(ladder, name)(BIG, rung)
    order = list(Rung)
    asked = ladder.rung(BIG)
    if ladder.refused(BIG, asked):
        assert order.index(ladder.rung(BIG)) > order.index(asked)
    else:
        assert asked is Rung.LINES


def test_threads_may_report_at_the_same_time() -> None:
    ladder = Ladder()

    def report() -> None:
        for _ in range(200):
            ladder.refused(BIG, ladder.rung(BIG))
            ladder.worked(BIG, ladder.rung(BIG))

    threads = [Thread(target=report) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert ladder.rung(BIG) is Rung.LINES
