"""Outcomes as a person reads them: each kind of end, in full."""

from __future__ import annotations

import pytest

from fanout.types import BranchId
from fanout.voting.ballot import Ballot
from fanout.voting.ranking import borda
from fanout.voting.rules import Rule, RuleKind
from fanout.voting.scores import Criterion, Scale, rubric_scores
from fanout.voting.tally import Tally, tally
from fanout.voting.words import alpha_words, outcome_text, verdict

VERDICTS = ("allow", "flag", "block")
TITLES = {letter: f"Judge {letter.upper()}" for letter in "abcde"}


def ballot(voter: str, choice: str | None, reason: str = "", **fields: object) -> Ballot:
    problem = "" if choice else "The answer holds no verdict."
    named = {"problem": problem, "reason": reason, **fields}
    return Ballot(voter=BranchId(voter), choice=choice, **named)  # type: ignore[arg-type]


def counted(*choices: str | None, kind: RuleKind = "majority", not_needed: int = 0) -> Tally:
    cast = [ballot(letter, choice) for letter, choice in zip("abcde", choices, strict=False)]
    options = VERDICTS if {*choices} & {*VERDICTS} else ()
    asked = len(choices) + not_needed
    return tally(cast, Rule(kind=kind, options=options), asked=asked, not_needed=not_needed)


@pytest.mark.parametrize(
    ("result", "line"),
    [
        (counted("block", "block", "allow", "block", "allow"), "Block: majority 3 of 5"),
        (counted("block", "block"), "Block: all 2 agree"),
        (counted("36", "36", "36", kind="plurality"), "36: all 3 agree"),
        (counted("36", "36", None, kind="plurality"), "36: all 2 valid votes agree"),
        (counted("block", "block", "block", not_needed=2), "Block: all 3 valid votes agree"),
        (counted("allow"), "Allow: the only valid vote"),
        (counted("12", "36", "12", "36", kind="plurality"), "Tie between 12 and 36, 2 each"),
        (counted("1", "2", "3", kind="plurality"), "Tie between 1, 2 and 3, 1 each"),
        (counted("allow", "flag", "block"), "No decision: no majority"),
        (counted(None, None), "No decision: no valid vote"),
        (
            counted("allow", None, kind="unanimity"),
            "No decision: not unanimous, 1 of 2 cast no valid vote",
        ),
        (counted("allow", "block", kind="any_block"), "Block: any block"),
    ],
)
def test_a_verdict_is_one_line(result: Tally, line: str) -> None:
    assert verdict(result) == line


def test_all_agree_is_not_said_where_a_vote_without_weight_went_against_it() -> None:
    cast = [ballot("a", "block"), ballot("b", "allow", weight=0.0)]
    assert verdict(tally(cast, Rule(kind="weighted"), asked=2)) == "Block: most weight 1 of 1"


def test_the_verdict_stands_first_then_the_count_then_the_minority_with_its_reasons() -> None:
    cast = [
        ballot("a", "block", "It\nthreatens.", category="violence", severity=3),
        ballot("b", "allow", "Only blunt.", category="none", severity=0),
        ballot("c", "block"),
        ballot("d", None),
    ]
    result = tally(cast, Rule(kind="majority", options=VERDICTS), asked=5, not_needed=1)
    assert outcome_text(result, TITLES, cast) == (
        "**Block: majority 2 of 3**\n\n"
        "1 for allow · 0 for flag · 2 for block · 3 valid of 5 asked · 1 abstained · 1 not needed"
        " · agreement 67%\n\n"
        "Minority:\n\n- **Judge B** (allow): Only blunt.\n\n"
        "For block:\n\n- **Judge A** (violence, severity 3 of 4): It threatens.\n\n"
        "Abstained:\n\n- **Judge D**: The answer holds no verdict."
    )


def test_without_a_winner_every_vote_is_shown() -> None:
    cast = [ballot("a", "12"), ballot("b", "36")]
    assert outcome_text(tally(cast, Rule(kind="plurality"), asked=2), TITLES, cast) == (
        "**Tie between 12 and 36, 1 each**\n\n"
        "1 for 12 · 1 for 36 · 2 valid of 2 asked · agreement 50%\n\n"
        "Votes:\n\n- **Judge A** (12)\n- **Judge B** (36)"
    )


def test_one_vote_has_no_agreement_figure() -> None:
    text = outcome_text(counted("allow", None), TITLES)
    assert "1 valid of 2 asked · 1 abstained · one vote, nothing to agree with" in text
    assert "%" not in text


def test_a_choice_with_a_problem_abstains_and_is_counted_nowhere() -> None:
    cast = [ballot("a", "block"), ballot("b", "allow", problem="It came too late.")]
    text = outcome_text(tally(cast, Rule(kind="majority"), asked=2), TITLES, cast)
    assert "Minority" not in text
    assert "Abstained:\n\n- **Judge B**: It came too late." in text


CRITERIA = (Criterion(id="clarity", title="Clarity"), Criterion(id="depth", title="Depth"))


def scored(*judges: tuple[float, float]) -> list[Ballot]:
    return [
        ballot(letter, "scored", "Plain.", scores={"clarity": one, "depth": two})
        for letter, (one, two) in zip("abcde", judges, strict=False)
    ]


def test_scores_are_a_table_with_what_the_agreement_means() -> None:
    cast = [*scored((4, 2), (5, 2)), ballot("c", None)]
    result = rubric_scores(cast, CRITERIA, Scale(low=1, high=5))
    text = outcome_text(result, TITLES, cast)
    assert text.startswith("**Overall 3.2** · 2 of 3 judges\n\n| Criterion |")
    assert "| Clarity | 4.5 | 4.5 | 4.0 | 5.0 |  |" in text
    assert "Krippendorff's alpha 0.89: the judges score alike" in text
    assert "- **Judge A**: Plain." in text
    assert text.endswith("Abstained:\n\n- **Judge C**: The answer holds no verdict.")


def test_judges_who_disagree_come_before_their_number() -> None:
    result = rubric_scores(scored((1, 3), (5, 3)), CRITERIA, Scale(low=1, high=5))
    assert verdict(result) == "The judges disagree on Clarity; overall 3.0"
    assert "disputed" in outcome_text(result, TITLES)


@pytest.mark.parametrize(
    ("judges", "words"),
    [
        ([], "No agreement figure: no judge."),
        ([(4, 2)], "No agreement figure: one judge."),
        ([(3, 3), (3, 3)], "No agreement figure: it needs scores that differ."),
        ([(1, 5), (5, 1)], "agree no more than by chance."),
    ],
)
def test_agreement_is_said_only_where_there_is_one(
    judges: list[tuple[float, float]], words: str
) -> None:
    result = rubric_scores(scored(*judges), CRITERIA, Scale(low=1, high=5))
    assert alpha_words(result).endswith(words)


def test_without_a_score_there_is_no_table() -> None:
    result = rubric_scores([ballot("a", None)], CRITERIA, Scale(low=1, high=5))
    text = outcome_text(result, TITLES, [ballot("a", None)])
    assert text.startswith("**No score could be read** · 0 of 1 judge\n\nAbstained:")


def ranked(*orders: str) -> list[Ballot]:
    texts = [tuple(f"text-{number}" for number in order) for order in orders]
    return [
        ballot(letter, order[0], ranking=order)
        for letter, order in zip("abcde", texts, strict=False)
    ]


NAMES = ("text-1", "text-2", "text-3")


def test_a_ranking_names_texts_and_never_their_ids() -> None:
    cast = ranked("213", "213", "123")
    text = outcome_text(borda(cast, NAMES), {**TITLES, "text-2": "Draft"}, cast)
    assert text == (
        "**Draft is ranked first**\n\n"
        "- Place 1: Draft (2 of 3 ranked it first; 1.67 points)\n"
        "- Place 2: Text 1 (1 of 3 ranked it first; 1.33 points)\n"
        "- Place 3: Text 3 (0 of 3 ranked it first; 0 points)\n\n"
        "Ballots, best first:\n\n"
        "- **Judge A** (Draft > Text 1 > Text 3)\n"
        "- **Judge B** (Draft > Text 1 > Text 3)\n"
        "- **Judge C** (Text 1 > Draft > Text 3)"
    )


def test_a_tie_in_a_ranking_shares_the_place() -> None:
    result = borda(ranked("123", "213"), NAMES)
    assert verdict(result) == "Tie between Text 1 and Text 2"
    text = outcome_text(result, {})
    assert "- Place 1: Text 2 (1 of 2 ranked it first, tied; 1.5 points)\n- Place 3:" in text


def test_judges_who_rank_in_opposite_ways_make_no_winner() -> None:
    assert verdict(borda(ranked("123", "321"), NAMES)) == "The judges disagree: no winner"
    assert verdict(borda([], NAMES)) == "No ranking could be read"
