"""Reciprocal-rank fusion: an example by hand, and what holds for any rankings."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fanout.retrieval.fusion import fuse
from fanout.retrieval.passages import Hit, Passage


def passage(id: str) -> Passage:
    return Passage(
        id=id, document="d", title="t", text=id, ordinal=1, start=0, end=len(id), place=""
    )


def ranking(*ids: str) -> list[Hit]:
    return [
        Hit(passage=passage(id), rank=rank, score=1 / rank, source="bm25")
        for rank, id in enumerate(ids, start=1)
    ]


rankings = st.dictionaries(
    st.sampled_from(["question", "keywords", "step back", "sub-questions"]),
    st.lists(st.sampled_from("abcdefgh"), max_size=8, unique=True).map(lambda ids: ranking(*ids)),
)


def test_three_rankings_worked_by_hand() -> None:
    found = fuse(
        {
            "question": ranking("a", "b", "c"),
            "keywords": ranking("b", "d"),
            "step back": ranking("c", "b"),
        }
    )
    # By hand, b has 1/62 + 1/61 + 1/62 = 0.0161290 + 0.0163934 + 0.0161290 = 0.0486515
    # c has 1/63 + 1/61 = 0.0158730 + 0.0163934             = 0.0322665
    # a has 1/61 = 0.0163934 and d has 1/62 = 0.0161290
    assert [(hit.passage.id, hit.rank) for hit in found] == [("b", 1), ("c", 2), ("a", 3), ("d", 4)]
    assert [hit.score for hit in found] == pytest.approx(
        [0.0486515, 0.0322665, 0.0163934, 0.0161290], abs=1e-7
    )
    assert found[0].found_by == {"question": 2, "keywords": 1, "step back": 2}


def test_equal_scores_go_by_the_better_rank_and_then_by_id() -> None:
    # With k = 0: c has 1/2 + 1/2 = 1, a and b have 1/1 = 1 each.
    found = fuse({"one": ranking("b", "c"), "two": ranking("a", "c")}, k=0)
    assert [hit.passage.id for hit in found] == ["a", "b", "c"]


def test_a_passage_counts_once_in_a_ranking_that_holds_it_twice() -> None:
    twice = fuse({"one": ranking("a", "b", "a")})
    assert [(hit.passage.id, hit.score) for hit in twice] == [("a", 1 / 61), ("b", 1 / 62)]


def test_nothing_found_fuses_to_nothing() -> None:
    assert fuse({}) == ()
    assert fuse({"one": [], "two": []}) == ()


def test_a_rank_below_one_is_refused() -> None:
    hit = Hit(passage=passage("a"), rank=0, score=1.0, source="vectors")
    with pytest.raises(ValueError, match="ranks begin at 1"):
        fuse({"one": [hit]})


@given(rankings)
def test_scores_are_the_sum_of_the_shares_in_exact_arithmetic(given: dict[str, list[Hit]]) -> None:
    for hit in fuse(given):
        shares = [
            Fraction(1, 60 + other.rank)
            for hits in given.values()
            for other in hits
            if other.passage.id == hit.passage.id
        ]
        assert hit.score == pytest.approx(float(sum(shares)), abs=1e-15)
        assert len(hit.found_by) == len(shares)


@given(rankings)
def test_every_passage_comes_once_and_better_ones_first(given: dict[str, list[Hit]]) -> None:
    found = fuse(given)
    ids = {hit.passage.id for hits in given.values() for hit in hits}
    assert sorted(hit.passage.id for hit in found) == sorted(ids)
    assert [hit.rank for hit in found] == list(range(1, len(found) + 1))
    assert [hit.score for hit in found] == sorted((hit.score for hit in found), reverse=True)


@given(rankings, st.randoms())
def test_the_order_of_the_rankings_changes_nothing(given: dict[str, list[Hit]], chance) -> None:
    names = list(given)
    chance.shuffle(names)
    assert fuse({name: given[name] for name in names}) == fuse(given)


@given(st.lists(st.sampled_from("abcdefgh"), unique=True))
def test_one_ranking_alone_keeps_its_order(ids: list[str]) -> None:
    assert [hit.passage.id for hit in fuse({"only": ranking(*ids)})] == ids


@given(rankings, st.sampled_from("abcdefgh"))
def test_one_more_first_place_never_lowers_a_passage(given: dict[str, list[Hit]], id: str) -> None:
    def rank(found: dict[str, list[Hit]]) -> float:
        return next((hit.rank for hit in fuse(found) if hit.passage.id == id), float("inf"))

    assert rank({**given, "another": ranking(id)}) <= rank(given)
