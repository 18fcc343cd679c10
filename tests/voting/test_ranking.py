"""Rankings combined by Borda: examples by hand, ties, own candidates and disagreement."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fanout.types import BranchId
from fanout.voting.ballot import Ballot
from fanout.voting.ranking import Ranking, borda


def ranked(*rankings: str, names: str = "") -> list[Ballot]:
    voters = names or "123456789"
    return [
        Ballot(voter=BranchId(voter), choice=None, ranking=tuple(ranking))
        for voter, ranking in zip(voters, rankings, strict=False)
    ]


def placed(ranking: Ranking) -> dict[str, tuple[int, float]]:
    return {p.candidate: (p.place, round(p.points, 9)) for p in ranking.places}


def test_three_ballots_add_up_as_by_hand() -> None:
    # A: 3 + 3 + 2 = 8, B: 2 + 1 + 3 = 6, C: 1 + 2 + 0 = 3, D: 0 + 0 + 1 = 1, over three ballots.
    result = borda(ranked("ABCD", "ACBD", "BADC"), "ABCD")
    assert placed(result) == {
        "A": (1, round(8 / 3, 9)),
        "B": (2, 2),
        "C": (3, 1),
        "D": (4, round(1 / 3, 9)),
    }
    assert result.winner == "A"
    assert result.places[0].words == "2 of 3 ranked it first"
    assert not result.disagree


def test_tied_candidates_share_a_place_and_the_next_one_is_left_out() -> None:
    result = borda(ranked("ABC", "BAC"), "ABC")
    assert [(p.candidate, p.place, p.tied) for p in result.places] == [
        ("A", 1, True),
        ("B", 1, True),
        ("C", 3, False),
    ]
    assert result.winner is None
    assert result.places[0].words == "1 of 2 ranked it first, tied"


def test_candidates_left_out_share_the_points_that_are_left() -> None:
    # A gets 3; B, C and D share 2 + 1 + 0.
    assert placed(borda(ranked("A"), "ABCD")) == {
        "A": (1, 3),
        "B": (2, 1),
        "C": (2, 1),
        "D": (2, 1),
    }


def test_nobody_votes_for_its_own_candidate() -> None:
    own = {BranchId("a"): "A", BranchId("b"): "B", BranchId("c"): "C"}
    # a may rank B and C, b ranks A and C, c ranks A and B: A is first on both that could rank it.
    result = borda(ranked("ABC", "ABC", "ABC", names="abc"), "ABC", own)
    assert placed(result) == {"A": (1, 2), "B": (2, 1), "C": (3, 0)}
    assert result.places[0].words == "2 of 2 ranked it first"


def test_voting_for_itself_changes_nothing() -> None:
    own = {BranchId("a"): "A"}
    humble = borda(ranked("BCA", "BAC", names="ab"), "ABC", own)
    proud = borda(ranked("ABC", "BAC", names="ab"), "ABC", own)
    assert humble == proud


def test_a_candidate_that_nobody_could_rank_comes_last_and_says_so() -> None:
    result = borda(ranked("BC", names="a"), "ABC", {BranchId("a"): "A"})
    last = result.places[-1]
    assert (last.candidate, last.place, last.of) == ("A", 3, 0)
    assert last.words == "no ballot could rank it"


def test_judges_who_contradict_each_other_make_no_winner() -> None:
    result = borda(ranked("ABCD", "DBCA", "CBDA", "AB"), "ABCD")
    assert result.disagree
    assert result.winner is None
    assert result.tau is not None
    assert result.tau < 0.2


def test_a_majority_of_first_places_is_no_disagreement() -> None:
    assert not borda(ranked("ABC", "ACB", "CBA"), "ABC").disagree


@pytest.mark.parametrize(
    "ballots",
    [
        [],
        ranked(""),
        ranked("XYZ"),
        [Ballot(voter=BranchId("a"), choice=None, ranking=("A",), problem="Cut off.")],
    ],
)
def test_without_a_ballot_that_ranks_there_is_no_ranking(ballots: list[Ballot]) -> None:
    assert borda(ballots, "ABC") == Ranking()


def test_a_single_candidate_has_nothing_to_be_compared_with() -> None:
    assert borda(ranked("A", "A"), "A") == Ranking()
    assert borda(ranked("A", "B"), "") == Ranking()


def test_one_ballot_is_its_own_order_and_no_disagreement() -> None:
    result = borda(ranked("BAC"), "ABC")
    assert (result.winner, result.disagree, result.tau) == ("B", False, None)


def test_a_candidate_named_twice_or_unknown_counts_once_or_not() -> None:
    assert borda(ranked("AXABC"), "ABC") == borda(ranked("ABC"), "ABC")


@given(
    rankings=st.lists(st.permutations("ABCD"), min_size=1, max_size=5),
    swaps=st.permutations("ABCD"),
)
def test_candidates_are_treated_alike(rankings: list[list[str]], swaps: list[str]) -> None:
    renamed = dict(zip("ABCD", swaps, strict=True))
    one = borda(ranked(*("".join(r) for r in rankings)), "ABCD")
    other = borda(ranked(*("".join(renamed[c] for c in r) for r in rankings)), "ABCD")
    assert {renamed[p.candidate]: (p.place, p.points) for p in one.places} == {
        p.candidate: (p.place, p.points) for p in other.places
    }


@given(rankings=st.lists(st.text("ABCD", max_size=4), min_size=1, max_size=5))
def test_every_ballot_hands_out_all_its_points(rankings: list[str]) -> None:
    result = borda(ranked(*rankings), "ABCD")
    assert sum(p.points for p in result.places) == pytest.approx(6 if result.ballots else 0)
    for place in result.places:
        better = [p for p in result.places if p.points > place.points + 1e-9]
        assert place.place == 1 + len(better)
