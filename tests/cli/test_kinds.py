"""Every kind of workflow by command line: its exit status, its JSON, its words."""

from __future__ import annotations

import json
from subprocess import CompletedProcess

import pytest

from fanout.providers.script import Reply, Rule, Script
from fanout.providers.scripted_server import serving
from tests import command_line


def fanout(*arguments: str) -> CompletedProcess[str]:
    return command_line.fanout(*arguments, environment={"OPENAI_API_KEY": "sk-test"})


def run(script: Script, workflow: str, topic: str, *more: str) -> CompletedProcess[str]:
    with serving(script) as server:
        at = ("--base-url", server.base_url, "--model", "scripted")
        return fanout("run", workflow, "--topic", topic, *at, *more)


def verdict(word: str, reason: str = "It is so.") -> Reply:
    said = {"reason": reason, "category": "spam", "severity": 2, "verdict": word}
    return Reply(text=json.dumps(said))


def answered(value: str) -> Reply:
    return Reply(text=json.dumps({"reasoning": "Counted.", "answer": value}))


MODERATORS = Script(
    rules=(
        Rule(prompt="No spam", replies=(verdict("block", "It asks for bank details."),)),
        Rule(prompt="No insults", replies=(Reply(text="I would rather not say."),)),
    ),
    otherwise=verdict("allow"),
)


def test_moderators_vote_and_the_rule_decides() -> None:
    done = run(MODERATORS, "moderation", "Earn 900 a day", "--early-stop", "never", "--json")
    record = json.loads(done.stdout)
    made = record["aggregate"]
    assert made["votes"] == {"allow": 3, "flag": 0, "block": 1}
    assert len(made["ballots"]) == 5
    assert made["agreement"] is not None
    assert made["text"].strip()
    assert done.returncode == 3, "an abstention makes the run partial"
    refused = [one for one in made["ballots"] if one["choice"] is None]
    assert [one["voter"] for one in refused] == ["respect"]


@pytest.mark.parametrize(
    ("options", "word"),
    [(("--rule", "any_block"), "block"), (("--rule", "k_of_n", "--votes-needed", "1"), "block")],
)
def test_another_rule_makes_another_verdict(options: tuple[str, ...], word: str) -> None:
    asked = (*options, "--early-stop", "never", "--json")
    strict = json.loads(run(MODERATORS, "moderation", "Earn 900 a day", *asked).stdout)
    mild = json.loads(
        run(MODERATORS, "moderation", "Earn", "--early-stop", "never", "--json").stdout
    )
    assert strict["aggregate"]["text"] != mild["aggregate"]["text"]
    assert word in strict["aggregate"]["text"].lower()


def test_votes_are_shown_to_people_as_words_and_not_as_json() -> None:
    done = run(MODERATORS, "moderation", "Earn 900 a day", "--early-stop", "never")
    assert "It asks for bank details." in done.stdout
    assert '{"reason"' not in done.stdout
    assert "## Verdict" in done.stdout


def test_a_decided_vote_calls_off_the_rest() -> None:
    first = answered("7")
    slow = Reply(text=first.text, first_token_s=20.0)
    script = Script(
        rules=(Rule(prompt="roughly", replies=(slow,)),),
        otherwise=first,
    )
    asked = ("Tom has 5 apples, gives 2, buys 4.", "--early-stop", "decided", "--json")
    record = json.loads(run(script, "reasoning", *asked).stdout)
    states = {branch["id"]: branch["status"] for branch in record["branches"]}
    assert states["estimate"] == "skipped"
    assert record["status"] == "succeeded"
    assert record["aggregate"]["votes"]["7"] >= 3, "called off before it was decided"


def test_one_approach_can_be_taken_several_times() -> None:
    record = json.loads(
        run(
            Script(otherwise=answered("85 minutes")),
            "reasoning",
            "A train leaves at 9:40 and arrives at 11:05.",
            *("--times", "2", "--early-stop", "never", "--json"),
        ).stdout
    )
    ids = [branch["id"] for branch in record["branches"]]
    assert len(ids) == 10 and ids[:2] == ["steps-1", "steps-2"]
    assert sum(record["aggregate"]["votes"].values()) == 10
    assert record["aggregate"]["agreement"] == 1.0


def test_judges_score_one_text_by_the_rubric() -> None:
    scores = {"reason": "Fair.", "clarity": 4, "evidence": 2, "usefulness": 5}
    done = run(Script(otherwise=Reply(text=json.dumps(scores))), "judges", "One text.", "--json")
    record = json.loads(done.stdout)
    assert done.returncode == 0, done.stderr
    assert record["aggregate"]["kind"] == "scores"
    assert len(record["aggregate"]["ballots"]) == 3
    assert "Clarity" in record["aggregate"]["text"]


def test_judges_rank_several_texts() -> None:
    done = run(Script(), "judges", "First text.\n---\nSecond text.\n---\nThird text.", "--json")
    record = json.loads(done.stdout)
    assert done.returncode == 0, done.stderr
    ballots = record["aggregate"]["ballots"]
    assert [sorted(one["ranking"]) for one in ballots] == [["text-1", "text-2", "text-3"]] * 3
    assert record["aggregate"]["text"].strip()


def test_research_answers_with_citations() -> None:
    script = Script(
        rules=(
            Rule(prompt="Passages to read.", replies=(Reply(text="They pay 21 hellers [1]."),)),
        ),
        otherwise=Reply(text="member pay shared power kilowatt-hour"),
    )
    done = run(script, "research", "What does a member have to pay?", "--json")
    record = json.loads(done.stdout)
    assert done.returncode == 0, done.stderr
    assert all(branch["queries"] and branch["found"] for branch in record["branches"])
    assert record["aggregate"]["text"] == "They pay 21 hellers [1]."
    assert record["aggregate"]["passages"][0]["found_by"]


def test_models_are_compared_side_by_side() -> None:
    script = Script(models=("scripted", "other"))
    with serving(script) as server:
        at = ("--base-url", server.base_url, "--model", "scripted")
        named = ("--models", "scripted, other", "--json")
        done = fanout("run", "models", "--topic", "rain", *at, *named)
        asked = {request.model for request in server.requests}
    record = json.loads(done.stdout)
    assert [branch["model"] for branch in record["branches"]] == ["scripted", "other"]
    assert asked == {"scripted", "other"}
    assert done.returncode in (0, 3)


def test_without_named_models_one_is_asked_at_three_temperatures() -> None:
    record = json.loads(run(Script(), "models", "rain", "--json").stdout)
    assert {branch["model"] for branch in record["branches"]} == {"scripted"}
    assert len(record["branches"]) == 3


@pytest.mark.parametrize(
    ("workflow", "options", "words"),
    [
        ("research", ("--rule", "majority"), "--rule does not apply to research"),
        ("judges", ("--early-stop", "never"), "--early-stop does not apply to judges"),
        ("creative-trio", ("--models", "a,b"), "--models does not apply"),
        ("moderation", ("--documents", "x.md"), "--documents does not apply"),
        ("moderation", ("--rule", "k_of_n"), "needs --votes-needed"),
        ("moderation", ("--votes-needed", "2"), "belongs to --rule k_of_n"),
        ("moderation", ("--rule", "k_of_n", "--votes-needed", "9"), "only 5 will vote"),
        ("moderation", ("--rule", "coin"), "invalid choice"),
        ("moderation", ("--early-stop", "soon"), "invalid choice"),
        ("moderation", ("--times", "201"), "1000 is the most"),
        ("reasoning", ("--rule", "unanimity"), "needs a verdict that is safe"),
        ("models", ("--models", " , "), "names no model"),
        ("models", ("--times", "2"), "no branch to repeat"),
    ],
)
def test_an_option_that_does_not_fit_exits_two_before_any_call(
    workflow: str, options: tuple[str, ...], words: str
) -> None:
    with serving(Script()) as server:
        at = ("--base-url", server.base_url, "--model", "scripted")
        done = fanout("run", workflow, "--topic", "x", *at, *options)
        assert not server.requests
    assert done.returncode == 2, done.stdout
    assert words in done.stderr
    assert "Traceback" not in done.stderr
