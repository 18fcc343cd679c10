"""What branches share at the beginning is found exactly, and opened only where that can pay."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fanout.kernel.prefix import Opening, PrefixMemory, openings
from fanout.policies import EndpointPolicy, PrefixMode
from fanout.types import BranchId, BranchPlan, EndpointId, Form, Message, ModelRef, Usage

FAR = ModelRef(endpoint=EndpointId("far"), model="large")
HERE = ModelRef(endpoint=EndpointId("here"), model="small")
LONG = "What everybody reads first. " * 200
"""1,400 tokens as estimated."""


def plan(name: str, *contents: str, model: ModelRef = FAR) -> BranchPlan:
    messages = tuple(Message(role="user", content=content) for content in contents)
    return BranchPlan(id=BranchId(name), title=name, model=model, messages=messages)


def opened(
    *plans: BranchPlan,
    mode: PrefixMode = "auto",
    here: EndpointPolicy | None = None,
    memory: PrefixMemory | None = None,
) -> tuple[Opening, ...]:
    policies = {} if here is None else {FAR.endpoint: here}
    return openings(plans, mode, policies, {HERE.endpoint}, memory or PrefixMemory())


def ids(*names: str) -> tuple[BranchId, ...]:
    return tuple(BranchId(name) for name in names)


def test_branches_with_a_long_common_beginning_are_opened_by_the_first_of_them() -> None:
    (opening,) = opened(plan("b", LONG + "One?"), plan("a", LONG + "Two?"), plan("c", LONG))
    assert opening.branches == ids("b", "a", "c")
    assert opening.opener == "b"
    assert opening.followers == ids("a", "c")
    assert 1390 <= opening.tokens <= 1410


def test_a_server_that_copies_its_state_needs_no_branch_to_go_ahead() -> None:
    (opening,) = opened(plan("a", LONG, model=HERE), plan("b", LONG, model=HERE))
    assert (opening.how, opening.opener, opening.followers) == ("prime", None, ids("a", "b"))


def test_plans_are_grouped_by_what_they_share_whatever_stands_between_them() -> None:
    other = "Another text altogether. " * 300
    found = opened(
        plan("a", LONG + "1"),
        plan("x", other + "1"),
        plan("alone", "Something short."),
        plan("b", LONG + "2"),
        plan("y", other + "2"),
    )
    assert [opening.branches for opening in found] == [ids("a", "b"), ids("x", "y")]


def test_two_models_share_nothing() -> None:
    assert opened(plan("a", LONG), plan("b", LONG, model=replace(FAR, model="medium"))) == ()


def test_what_differs_before_the_long_text_keeps_it_from_being_shared() -> None:
    assert opened(plan("a", "You are one. " + LONG), plan("b", "You are two. " + LONG)) == ()


def test_a_message_does_not_share_its_end_with_a_longer_one() -> None:
    (opening,) = opened(plan("a", LONG, "x"), plan("b", LONG + LONG, "x"))
    assert opening.tokens <= 1410


def test_answers_of_different_form_share_nothing_at_an_endpoint_but_do_on_this_machine() -> None:
    form = Form(name="verdict", schema={"type": "object", "properties": {}})

    def pair(model: ModelRef) -> tuple[BranchPlan, BranchPlan]:
        return plan("a", LONG, model=model), replace(plan("b", LONG, model=model), form=form)

    assert opened(*pair(FAR)) == ()
    assert len(opened(*pair(HERE))) == 1


@pytest.mark.parametrize(
    ("model", "tokens", "opens"),
    [(FAR, 1010, False), (FAR, 1040, True), (HERE, 120, False), (HERE, 140, True)],
)
def test_auto_opens_from_a_size_that_fits_the_endpoint(
    model: ModelRef, tokens: int, opens: bool
) -> None:
    beginning = "word" * tokens
    assert (
        bool(opened(plan("a", beginning + "1", model=model), plan("b", beginning, model=model)))
        is opens
    )


def test_wide_characters_count_for_more() -> None:
    text = "共通の文章です。" * 200
    (opening,) = opened(plan("a", text + "一"), plan("b", text + "二"))
    assert opening.tokens > 1024


def test_it_can_be_forced_on_and_off_and_the_endpoint_has_the_last_word() -> None:
    short = [
        plan("a", "You are a careful reader of long and tiresome texts. " * 2 + c) for c in "12"
    ]
    long = [plan(name, LONG) for name in "ab"]
    assert opened(*short) == ()
    assert len(opened(*short, mode="on")) == 1
    assert opened(*long, mode="off") == ()
    assert opened(*long, here=EndpointPolicy(prefix="off")) == ()
    assert len(opened(*short, mode="off", here=EndpointPolicy(prefix="on"))) == 1


def test_plans_that_ask_nobody_are_left_out() -> None:
    assert opened(plan("a"), plan("b"), mode="on") == ()


def test_auto_gives_up_where_nothing_ever_comes_from_the_cache() -> None:
    memory = PrefixMemory()
    plans = plan("a", LONG), plan("b", LONG)
    for _ in range(2):
        (opening,) = opened(*plans, memory=memory)
        memory.learn(opening, [Usage(input=1500, output=10), None])
    assert opened(*plans, memory=memory) == ()
    assert len(opened(*plans, mode="on", memory=memory)) == 1
    other = replace(FAR, model="medium")
    assert len(opened(*(replace(p, model=other) for p in plans), memory=memory)) == 1


def test_one_success_clears_earlier_failures_and_no_answer_teaches_nothing() -> None:
    memory = PrefixMemory()
    (opening,) = opened(plan("a", LONG), plan("b", LONG))
    memory.learn(opening, [None])
    memory.learn(opening, [Usage(input=1500, cached=1408)])
    memory.learn(opening, [None])
    for _ in range(5):
        memory.learn(opening, [])
    assert memory.worthwhile(FAR)
    memory.learn(opening, [None])
    assert not memory.worthwhile(FAR)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text("ab", max_size=12), max_size=8))
def test_an_opening_is_what_its_branches_share_and_no_branch_is_in_two(ends: list[str]) -> None:
    plans = [plan(str(n), "word" * 15 + end * 8) for n, end in enumerate(ends)]
    found = opened(*plans, mode="on")
    members = [member for opening in found for member in opening.branches]
    assert len(members) == len(set(members))
    texts = {p.id: p.messages[0].content for p in plans}
    for opening in found:
        shared = texts[opening.branches[0]][: (opening.tokens - 2) * 4]
        assert len(opening.branches) > 1
        assert all(texts[member].startswith(shared) for member in opening.branches)
