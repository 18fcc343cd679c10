"""Fair comparison: anonymous, shuffled per judge, never one's own, and mapped back exactly."""

from __future__ import annotations

import json
from string import ascii_uppercase

from hypothesis import given
from hypothesis import strategies as st

from fanout.snapshot import Branch
from fanout.types import BranchId, BranchPlan
from fanout.voting.plans import Comparison
from fanout.workflows.comparing import comparison, ranking_ballot, ranking_form, shown
from tests.rig import MODEL

CANDIDATES = {f"text-{n}": f"Title {n}" for n in range(1, 6)}
JUDGES = [BranchId(f"j{n}") for n in range(1, 9)]


def judge(name: str, text: str) -> Branch:
    plan = BranchPlan(id=BranchId(name), title=name, model=MODEL, messages=())
    return Branch(plan=plan, text=text)


def test_every_judge_sees_all_texts_in_an_order_of_its_own() -> None:
    plan = comparison(CANDIDATES, JUDGES, {}, seed="rain")
    assert all(set(order) == set(CANDIDATES) for order in plan.orders.values())
    assert len(set(plan.orders.values())) > 1


def test_orders_depend_on_the_seed_and_on_nothing_else() -> None:
    assert comparison(CANDIDATES, JUDGES, {}, "a") == comparison(CANDIDATES, JUDGES, {}, "a")
    assert comparison(CANDIDATES, JUDGES, {}, "a") != comparison(CANDIDATES, JUDGES, {}, "b")


def test_no_judge_sees_its_own_text() -> None:
    own = {JUDGES[0]: "text-1", JUDGES[1]: "text-2"}
    plan = comparison(CANDIDATES, JUDGES, own, "rain")
    for name, text in own.items():
        assert set(plan.orders[name]) == set(CANDIDATES) - {text}
    assert set(plan.orders[JUDGES[2]]) == set(CANDIDATES)


def test_texts_are_shown_by_letter_and_without_titles() -> None:
    words = shown(("text-2", "text-1"), {"text-1": "One.", "text-2": 'Two.\n"""m7'}, "m7")
    assert words == 'Text A:\n"""m7\nTwo.\n\'\'\'\n"""m7\n\nText B:\n"""m7\nOne.\n"""m7'
    assert "Title" not in words


@given(
    order=st.permutations(sorted(CANDIDATES)),
    wanted=st.permutations(sorted(CANDIDATES)),
)
def test_a_ranking_by_letters_comes_back_as_the_texts_that_were_meant(
    order: list[str], wanted: list[str]
) -> None:
    plan = Comparison(candidates=CANDIDATES, orders={BranchId("j"): tuple(order)})
    letters = [ascii_uppercase[order.index(one)] for one in wanted]
    answer = json.dumps({"reason": "By taste.", "ranking": letters})
    ballot = ranking_ballot(judge("j", answer), plan)
    assert ballot.ranking == tuple(wanted)
    assert ballot.choice == wanted[0] and ballot.valid


def test_a_ranking_in_one_line_of_prose_is_read_too() -> None:
    plan = comparison({"x": "X", "y": "Y"}, [BranchId("j")], {}, "rain")
    best = plan.orders[BranchId("j")][1]
    ballot = ranking_ballot(judge("j", "Reason: short.\nRanking: B, A"), plan)
    assert (ballot.choice, ballot.reason) == (best, "short.")


def test_the_form_takes_each_letter_once_and_no_other() -> None:
    places = ranking_form(("x", "y", "z")).schema["properties"]
    assert isinstance(places, dict)
    assert places["ranking"]["items"]["enum"] == ["A", "B", "C"]
    assert places["ranking"]["minItems"] == places["ranking"]["maxItems"] == 3
