"""The voting section: for each vote of a run its verdict, how it came about, and every ballot."""

from __future__ import annotations

from typing import assert_never

import streamlit as st

from components.plain import label
from components.votes.ballots import ballots_table, raw_answers
from components.votes.cast import casts
from components.votes.poll import poll
from components.votes.ranking import ranking
from components.votes.rubric import rubric
from fanout.snapshot import Snapshot
from fanout.voting.plans import Comparison, Poll, Rubric
from fanout.voting.words import verdict


def votes(snapshot: Snapshot, *, dark: bool) -> None:
    """Draw them; nothing where nobody voted."""
    for cast, made in casts(snapshot, dark=dark):
        said = label(verdict(cast.outcome, cast.candidates), 200)
        st.header(said, anchor=False)
        if made is not None:
            st.caption(label(made.heading, 200))
        match cast.plan:
            case Poll():
                poll(cast, cast.plan, snapshot, dark=dark)
            case Rubric():
                rubric(cast, cast.plan, dark=dark)
            case Comparison():
                ranking(cast, cast.plan)
            case _:
                assert_never(cast.plan)
        st.subheader("Ballots", anchor=False)
        ballots_table(cast, snapshot)
        raw_answers(cast)
