"""A poll: who voted for what, under which rule, how sure that is and what was saved."""

from __future__ import annotations

from decimal import Decimal

import streamlit as st

from components.figure_row import figure_row
from components.plain import label
from components.votes.cast import Cast
from components.votes.tally_chart import tally_chart, tally_frame
from fanout.insight.votes import saved
from fanout.render.vote_words import rule_words
from fanout.render.words import usd_text
from fanout.snapshot import Snapshot
from fanout.types import BranchState
from fanout.voting.plans import Poll
from fanout.voting.tally import Tally
from fanout.voting.words import turnout


def poll(cast: Cast, plan: Poll, snapshot: Snapshot, *, dark: bool) -> None:
    """Draw the count; the verdict stands above it."""
    result = cast.outcome
    assert isinstance(result, Tally)
    st.caption(" · ".join(map(label, count_words(result, plan))))
    figure_row(
        tally_chart(cast, result, dark=dark),
        tally_frame(cast, result),
        key=f"{cast.key}_tally",
        alt="Votes for each answer, one block for each voter",
        note="One block for each voter, with its letter · hatched: did not count",
    )
    st.caption(label(rule_words(plan), 300))
    for line in notes(result, plan, snapshot):
        st.caption(line)


def count_words(result: Tally, plan: Poll) -> list[str]:
    """ "4 valid of 5 asked", "agreement 75%", "margin 50 points"."""
    words = turnout(result)
    points = round(100 * (result.margin or 0))
    if points and result.agreement != 1:
        words.append(f"margin {points} percentage point{'' if abs(points) == 1 else 's'}")
    if not plan.rule.options and len(result.counts) > 1:
        words.append(f"{len(result.counts)} different answers")
    return words


def notes(result: Tally, plan: Poll, snapshot: Snapshot) -> list[str]:
    """What ending early saved, and what would keep the next run from a tie."""
    lines = []
    # Votes are also called off when the budget is used up; that is no saving.
    early = not any(
        branch.failure for branch in snapshot.branches if branch.state is BranchState.SKIPPED
    )
    savings = saved(snapshot)
    if early and savings is not None:
        calls = "1 vote was" if savings.calls == 1 else f"{savings.calls} votes were"
        lines.append(f":material/savings: {calls} not needed{_about(savings.tokens, savings.usd)}")
    if len(result.tied) == 2 and plan.rule.kind == "plurality" and result.valid % 2 == 0:
        lines.append(
            ":material/lightbulb: An even number of votes can split in half. With an odd number "
            "of voters two answers can't tie."
        )
    return lines


def _about(tokens: int, usd: Decimal | None) -> str:
    amounts = [f"{tokens:,} tokens"] if tokens else []
    amounts += [label(usd_text(usd))] if usd else []
    return f": about {' and '.join(amounts)} saved" if amounts else ""
