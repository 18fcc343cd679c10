"""Every ballot as a table, and below it the raw text that each of them was read from."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from components.plain import cells, label
from components.votes.cast import Cast, Voter
from fanout.insight.speed import span_s, usage
from fanout.render.sanitise import clean_text
from fanout.render.vote_words import fate
from fanout.render.words import cost_text, seconds_text
from fanout.snapshot import Snapshot
from fanout.voting.plans import Comparison, Poll, Rubric
from fanout.voting.scores import Scores
from fanout.voting.words import score_text


def ballots_table(cast: Cast, snapshot: Snapshot) -> None:
    """A row for each voter, in column order."""
    st.dataframe(
        cells(ballots_frame(cast, snapshot)),
        key=f"{cast.key}_ballots",
        hide_index=True,
        alt="Every ballot: who voted what and why, with its time, tokens and cost",
        column_config={"Reason": st.column_config.TextColumn(width="large")},
    )


def raw_answers(cast: Cast) -> None:
    """Each voter's text as it came: never as Markdown, since it may be made to mislead."""
    # Opened by the browser alone: a click that asks the server is lost while a run's end is drawn.
    with st.expander("Raw answers", icon=":material/data_object:", key=f"{cast.key}_raw"):
        for voter in cast.voters:
            told = fate(voter.branch, voter.ballot, cast.outcome)
            st.markdown(f"**{label(voter.name)}** · {label(told, 300)}")
            if voter.branch.text:
                st.code(clean_text(voter.branch.text), language=None, wrap_lines=True)


def ballots_frame(cast: Cast, snapshot: Snapshot) -> pd.DataFrame:
    """What was voted stands first, for a narrow screen; columns that say nothing are left out."""
    voters, cells = cast.voters, _cells(cast)
    main = next(iter(cells))
    frame = pd.DataFrame(
        {
            "Voter": [voter.name for voter in voters],
            main: cells.pop(main),
            "State": [fate(voter.branch, voter.ballot, cast.outcome) for voter in voters],
            **cells,
            "Reason": [_reason(voter) for voter in voters],
            "Time": [_time(voter, snapshot) for voter in voters],
            "Tokens": [f"{usage(v.branch).output:,}" if v.branch.phases else "" for v in voters],
            "Cost": [
                cost_text(v.branch.cost) if v.branch.started_s is not None else "" for v in voters
            ],
        }
    )
    empty = [name for name in frame if name not in ("Voter", "State") and not any(frame[name])]
    return frame.drop(columns=empty)


def _cells(cast: Cast) -> dict[str, list[str]]:
    """What the ballots of this kind hold."""
    voters = cast.voters
    match cast.plan:
        case Poll():
            columns = {
                "Vote": [v.ballot.choice or "" if v.ballot and v.valid else "" for v in voters],
                "Category": [v.ballot.category if v.ballot and v.valid else "" for v in voters],
                "Severity": [_severity(v) for v in voters],
            }
            if cast.plan.rule.kind == "weighted":
                columns["Weight"] = [f"{v.ballot.weight:g}" if v.ballot else "" for v in voters]
            return columns
        case Rubric():
            result = cast.outcome
            assert isinstance(result, Scores)
            totals = {judge.voter: score_text(judge.total) for judge in result.judges}
            columns = {"Total": [totals.get(v.branch.id, "") for v in voters]}
            for one in cast.plan.criteria:
                columns[one.title] = [_score(v, one.id) for v in voters]
            return columns
        case Comparison():
            return {"Ranking": [_ranking(v, cast) for v in voters]}


def _severity(voter: Voter) -> str:
    known = voter.valid and voter.ballot is not None and voter.ballot.severity is not None
    return f"{voter.ballot.severity} of 4" if known and voter.ballot else ""


def _score(voter: Voter, criterion: str) -> str:
    score = voter.ballot.scores.get(criterion) if voter.ballot and voter.valid else None
    return "" if score is None else f"{score:g}"


def _ranking(voter: Voter, cast: Cast) -> str:
    if voter.ballot is None or not voter.valid:
        return ""
    return " > ".join(cast.candidates.get(one, one) for one in voter.ballot.ranking)


def _reason(voter: Voter) -> str:
    return " ".join(voter.ballot.reason.split()) if voter.ballot else ""


def _time(voter: Voter, snapshot: Snapshot) -> str:
    if voter.branch.started_s is None:
        return ""
    return seconds_text(span_s(voter.branch, snapshot.at))
