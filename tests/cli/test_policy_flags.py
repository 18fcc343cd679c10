"""Policies on the command line: each flag does what it says, and wrong use ends with 2."""

from __future__ import annotations

from decimal import Decimal

import pytest

from fanout.cli.edits import edited
from fanout.cli.main import _parser, main
from fanout.errors import InputError
from fanout.policies import Budget, FanIn, Policies
from fanout.workflows.definition import Workflow
from fanout.workflows.library import shipped
from fanout.workflows.parsing import parse

ASKED = ["run", "creative-trio", "--topic", "remote work"]


def workflow(*flags: str, base: Workflow | None = None) -> Workflow:
    return edited(base or shipped().get("creative-trio"), _parser().parse_args([*ASKED, *flags]))


def policies(*flags: str, base: Workflow | None = None) -> Policies:
    return workflow(*flags, base=base).policies.value()


def test_without_flags_the_workflow_stays_as_its_file_says() -> None:
    assert workflow() == shipped().get("creative-trio")


def test_the_answer_can_be_made_of_some_or_after_a_time() -> None:
    assert policies("--wait-for", "2").fan_in == FanIn(k=2)
    assert policies("--answer-after", "2.5").fan_in == FanIn(deadline_s=2.5)
    both = workflow("--wait-for", "2", "--answer-after", "30")
    assert both.policies.value().fan_in == FanIn(k=2, deadline_s=30)
    assert policies("--wait-for", "all", base=both).fan_in == FanIn()


def test_more_branches_than_the_file_has_may_be_waited_for_where_they_are_repeated() -> None:
    assert policies("--wait-for", "6", "--times", "3").fan_in == FanIn(k=6)


def test_deadlines_attempts_hedging_prefix_and_budget_are_set() -> None:
    set_ = workflow(
        *("--run-deadline", "300", "--first-token", "0", "--attempts", "2", "--hedge"),
        *("--prefix", "off", "--budget", "$0.05", "--budget-tokens", "20000"),
    )
    found = set_.policies.value()
    assert (found.run_s, found.retries.attempts, found.prefix) == (300, 2, "off")
    assert found.hedging.enabled
    assert found.budget == Budget(usd=Decimal("0.05"), tokens=20_000)
    assert set_.deadlines.first_token_s is None
    assert set_.deadlines.idle_s == 60
    assert workflow("--first-token", "150").deadlines.first_token_s == 150
    assert not policies("--no-hedge", base=set_).hedging.enabled


def test_fallback_models_are_for_all_that_name_none_of_their_own() -> None:
    found = workflow("--fallback", "gpt-5-mini, other/b ,")
    assert found.defaults.fallback == ("gpt-5-mini", "other/b")
    assert found.aggregate is not None
    assert found.fallback_of(found.aggregate.fallback) == ("gpt-5-mini", "other/b")


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (("--wait-for", "4"), "--wait-for 4 is more than the 3 branches of creative-trio"),
        (("--answer-after", "60", "--run-deadline", "30"), "later than --run-deadline 30"),
        (("--fallback", ","), "--fallback names no model"),
        (("--fallback", "a,b,c,d,e,f"), "6 models; 5 is the most"),
    ],
)
def test_what_cannot_be_so_ends_with_2_and_says_why(
    flags: tuple[str, ...], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*ASKED, *flags]) == 2
    assert message in capsys.readouterr().err


def test_a_workflow_that_combines_nothing_has_nothing_to_wait_with() -> None:
    data = {"title": "T", "branches": [{"id": "a", "title": "A", "prompt": "{topic}"}]}
    with pytest.raises(InputError, match="combines nothing, so nothing waits"):
        workflow("--wait-for", "1", base=parse(data, name="plain"))


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (("--wait-for", "0"), '0 is neither a number of branches nor "all"'),
        (("--wait-for", "most"), "neither a number of branches"),
        (("--answer-after", "0"), "write seconds above 0"),
        (("--answer-after", "nan"), "no time from 0"),
        (("--run-deadline", "soon"), "soon is no number of seconds"),
        (("--first-token", "-1"), "no time from 0"),
        (("--attempts", "11"), "no number of attempts from 1 to 10"),
        (("--prefix", "maybe"), "invalid choice"),
        (("--budget", "much"), "no sum of dollars; write 0.05"),
        (("--budget", "-1"), "no sum from 0"),
        (("--budget", "nan"), "no sum from 0"),
        (("--budget-tokens", "1.5"), "no number of tokens"),
    ],
)
def test_a_value_that_is_none_ends_with_2_and_says_what_is_meant(
    flags: tuple[str, ...], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main([*ASKED, *flags])
    assert ended.value.code == 2
    assert message in capsys.readouterr().err
