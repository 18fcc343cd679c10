"""The word-level diff: nothing is lost, nothing is invented, and it ends in time."""

from __future__ import annotations

import random
from difflib import SequenceMatcher
from itertools import pairwise
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fanout.insight.difference import Difference, difference
from fanout.insight.subsequence import longest_common

WORDS = st.sampled_from(
    ["the", "cat", "sat.", "on", "a", "mat,", "\n\n", "  ", "don't", "猫", "が"]
)
SENTENCES = st.lists(WORDS, max_size=40).map(" ".join)
ANYTHING = st.text(max_size=60)
PAIRS = st.tuples(SENTENCES, SENTENCES) | st.tuples(ANYTHING, ANYTHING)


def joined(found: Difference, kind: str) -> str:
    return "".join(run.text for run in found.runs if run.kind in ("same", kind))


def texts(found: Difference, kind: str) -> list[str]:
    return [run.text for run in found.runs if run.kind == kind]


@given(PAIRS)
def test_same_and_removed_are_the_first_text_same_and_added_the_second(
    pair: tuple[str, str],
) -> None:
    found = difference(*pair)
    assert joined(found, "removed") == pair[0]
    assert joined(found, "added") == pair[1]


@given(PAIRS)
def test_the_figures_stay_in_their_bounds(pair: tuple[str, str]) -> None:
    found = difference(*pair)
    assert 0 <= found.similarity <= 1
    assert min(found.added, found.removed, found.moved) >= 0
    assert (found.runs == ()) == (pair == ("", ""))


@given(SENTENCES)
def test_a_text_is_the_same_as_itself(text: str) -> None:
    found = difference(text, text)
    assert [run.kind for run in found.runs] == (["same"] if text else [])
    assert (found.similarity, found.added, found.removed, found.moved) == (1.0, 0, 0, 0)


@given(PAIRS)
def test_neighbouring_runs_have_different_fates_and_none_is_empty(pair: tuple[str, str]) -> None:
    runs = difference(*pair).runs
    assert all(run.text for run in runs)
    fates = [(run.kind, run.moved) for run in runs]
    assert all(one != other for one, other in pairwise(fates))


@given(PAIRS)
def test_every_move_has_one_end_in_each_text_with_the_same_words(pair: tuple[str, str]) -> None:
    runs = difference(*pair).runs
    for number in {run.moved for run in runs} - {None}:
        ends = {run.kind: run.text.split() for run in runs if run.moved == number}
        assert sorted(ends) == ["added", "removed"]
        assert ends["added"] == ends["removed"]


@given(
    st.lists(st.sampled_from("abcd"), max_size=30), st.lists(st.sampled_from("abcd"), max_size=30)
)
def test_the_common_subsequence_is_the_longest_there_is(one: list[str], other: list[str]) -> None:
    pairs = longest_common(one, other)
    assert all(one[i] == other[j] for i, j in pairs)
    assert pairs == sorted(set(pairs))
    assert len({i for i, _ in pairs}) == len({j for _, j in pairs}) == len(pairs)
    assert len(pairs) == by_table(one, other)


def by_table(one: list[str], other: list[str]) -> int:
    row = [0] * (len(other) + 1)
    for x in one:
        before = row
        row = [0]
        for j, y in enumerate(other):
            row.append(before[j] + 1 if x == y else max(before[j + 1], row[j]))
    return row[-1]


def test_a_common_subsequence_over_many_blocks_is_no_shorter_than_the_standard_library_finds() -> (
    None
):
    rng = random.Random(7)
    one, other = ([rng.choice("abcdefgh") for _ in range(900)] for _ in range(2))
    found = SequenceMatcher(None, one, other, autojunk=False).get_matching_blocks()
    pairs = longest_common(one, other)
    assert all(one[i] == other[j] for i, j in pairs)
    assert len(pairs) >= sum(block.size for block in found)


def test_one_word_in_place_of_another_is_all_that_is_marked() -> None:
    found = difference("The red fox sleeps.", "The brown fox sleeps.")
    assert texts(found, "removed") == ["red "]
    assert texts(found, "added") == ["brown "]
    assert (found.added, found.removed) == (1, 1)
    assert found.similarity == pytest.approx(0.8)


def test_a_passage_that_changed_its_place_is_moved_and_not_rewritten() -> None:
    a = "First we measure the wall twice. Then somebody has to go and buy the paint for it."
    b = "Then somebody has to go and buy the paint for it. First we measure the wall twice."
    found = difference(a, b)
    moved = [run.text.strip() for run in found.runs if run.moved is not None]
    assert moved == ["First we measure the wall twice."] * 2
    assert (found.added, found.removed, found.moved) == (0, 0, 7)


def test_rewritten_passages_are_marked_as_passages_and_not_word_by_word() -> None:
    a = "Nobody knows the reason why the harbour was closed for such a long time."
    b = "Officials explained the flooding and promised the ferries a better timetable."
    found = difference(a, b)
    assert [run.kind for run in found.runs] == ["removed", "added", "same"]
    assert found.runs[-1].text == "."


def test_an_inserted_sentence_is_marked_from_its_own_beginning_to_its_own_end() -> None:
    a = "It rained. It stopped."
    b = "It rained. It poured. It stopped."
    assert texts(difference(a, b), "added") == ["It poured. "]


def test_scripts_without_spaces_are_compared_by_character() -> None:
    found = difference("我喜欢红色的猫。", "我喜欢黑色的猫。")
    assert texts(found, "removed") == ["红"]
    assert texts(found, "added") == ["黑"]


def test_a_vowel_sign_stays_with_its_letter() -> None:
    found = difference("यह किताब है", "यह कीताब है")
    assert texts(found, "removed") == ["किताब "]
    assert texts(found, "added") == ["कीताब "]


def test_another_blank_is_a_difference_of_its_own() -> None:
    found = difference("one two", "one\ntwo")
    assert [(run.kind, run.text) for run in found.runs] == [
        ("same", "one"),
        ("removed", " "),
        ("added", "\n"),
        ("same", "two"),
    ]
    assert found.similarity == 1.0


def test_texts_that_share_nothing_have_nothing_in_common() -> None:
    assert difference("one two three", "four five").similarity == 0.0
    assert difference("", "four five").similarity == 0.0
    assert difference(" ", "\n").similarity == 0.0


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("a b " * 10_000, "b a a " * 7_000),
        ("same " * 20_000, "other " * 20_000),
        (" ".join(map(str, range(20_000))), " ".join(map(str, range(20_000, 0, -1)))),
        ("x y z w v. " * 4_000, "v w z y x. " * 4_000),
    ],
    ids=["repetitive", "unrelated", "reversed", "shuffled"],
)
def test_twenty_thousand_words_against_as_many_end_in_time(before: str, after: str) -> None:
    begun = process_time()
    found = difference(before, after)
    assert process_time() - begun < 10
    assert joined(found, "removed") == before
    assert joined(found, "added") == after
