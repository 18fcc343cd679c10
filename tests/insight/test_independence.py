"""Independence: the limits of the Vendi score, examples by hand, and texts that repeat."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fanout.insight.independence import independence
from fanout.insight.similarity import (
    common_length,
    compression_ratio,
    distinct_2,
    longest_shared_phrase,
    vendi,
    wording,
)

STORY = "Anna cycled home through the rain and found the small bakery still open at midnight."
POEM = "Silent rivers carry stars below a sleeping bridge of iron, slow and blue."
RECIPE = "Beat four eggs with sugar, fold in flour, then bake until golden brown."


@pytest.mark.parametrize("n", [1, 2, 3, 12])
def test_equal_items_are_one_and_unrelated_items_are_all_different(n: int) -> None:
    assert vendi(np.ones((n, n))) == pytest.approx(1.0)
    assert vendi(np.eye(n)) == pytest.approx(n)


def test_two_groups_of_equal_items_are_two() -> None:
    groups = np.repeat(np.repeat(np.eye(2), 3, axis=0), 3, axis=1)
    assert vendi(groups) == pytest.approx(2.0)


def test_the_score_of_a_half_similar_pair_worked_by_hand() -> None:
    # K/2 = [[.5, .25], [.25, .5]] has the eigenvalues 3/4 and 1/4.
    entropy = -(0.75 * math.log(0.75) + 0.25 * math.log(0.25))
    assert vendi(np.array([[1.0, 0.5], [0.5, 1.0]])) == pytest.approx(math.exp(entropy))
    assert math.exp(entropy) == pytest.approx(1.7548, abs=1e-4)


def test_nothing_amounts_to_nothing() -> None:
    assert vendi(np.empty((0, 0))) == 0.0
    assert wording([]).shape == (0, 0)
    assert (compression_ratio([]), distinct_2([]), distinct_2(["one"])) == (None, None, None)


def test_wording_is_one_for_copies_and_near_nothing_for_strangers() -> None:
    matrix = wording(common_length([STORY, f"**{STORY}**", POEM]))
    assert matrix[0, 1] == pytest.approx(1.0)
    assert matrix[0, 2] < 0.1
    # Two thirds of one text and one third of another: the eigenvalues are 2/3 and 1/3.
    assert vendi(matrix) == pytest.approx(1.89, abs=0.01)


def test_a_long_text_is_compared_at_the_length_of_the_short_one() -> None:
    long, longer = (f"{STORY} " * 20, f"{POEM} " * 40)
    assert {*map(len, common_length([long, longer]))} == {len(" ".join(long.split()))}
    assert [len(text) for text in common_length(["short", long])] == [5, 600]


def test_repetition_shows_in_compression_and_in_pairs_of_words() -> None:
    apart, alike = [STORY, POEM, RECIPE], [STORY] * 3
    assert (compression_ratio(alike) or 0) > 1.5 * (compression_ratio(apart) or 0)
    assert distinct_2(alike) == pytest.approx(1 / 3)
    assert distinct_2(apart) == 1.0


def test_the_longest_shared_phrase_is_found() -> None:
    other = "He also found the small bakery still closed."
    assert longest_shared_phrase(STORY, other) == "found the small bakery still"
    assert longest_shared_phrase(STORY, "") == ""


@given(st.lists(st.sampled_from("abcd"), max_size=8), st.lists(st.sampled_from("abcd"), max_size=8))
def test_no_longer_phrase_is_shared(left: list[str], right: list[str]) -> None:
    found = longest_shared_phrase(" ".join(left), " ".join(right)).split()
    runs = {tuple(left[i:j]) for i in range(len(left)) for j in range(i + 1, len(left) + 1)}
    shared = [r for r in runs if any(tuple(right[i : i + len(r)]) == r for i in range(len(right)))]
    assert len(found) == max(map(len, shared), default=0)
    assert not found or tuple(found) in shared


@given(st.lists(st.text(max_size=60), min_size=1, max_size=5))
def test_any_texts_amount_to_between_one_and_their_number(texts: list[str]) -> None:
    matrix = wording(texts)
    assert np.array_equal(matrix, matrix.T)
    assert np.allclose(np.diag(matrix), 1.0)
    assert 1.0 <= vendi(matrix) <= len(texts)


@given(st.permutations([STORY, POEM, RECIPE, STORY]))
def test_the_order_of_texts_changes_no_score(texts: list[str]) -> None:
    assert vendi(wording(texts)) == pytest.approx(vendi(wording([STORY, POEM, RECIPE, STORY])))


def test_the_closest_pair_is_named_with_its_phrase_and_advice() -> None:
    found = independence(["A", "B", "C", "D"], [STORY, POEM, STORY, " "])
    assert found is not None
    assert found.titles == ("A", "B", "C")
    assert (found.closest.one, found.closest.other, found.closest.closeness) == ("A", "C", 1.0)
    assert found.closest.phrase.startswith("anna cycled home")
    assert found.effective == pytest.approx(1.9, abs=0.1)
    assert "A and C" in found.advice


def test_meaning_is_believed_over_wording_where_it_is_known() -> None:
    texts = [STORY, POEM, "  ", RECIPE]
    same = independence("ABCD", texts, meaning=np.ones((4, 4)))
    assert same is not None
    assert same.meaning_effective == pytest.approx(1.0)
    assert same.share == pytest.approx(0.0, abs=1e-6)
    assert same.advice


def test_one_text_has_nothing_to_be_compared_with() -> None:
    assert independence([], []) is None
    assert independence(["A", "B"], [STORY, ""]) is None
