"""The blind votes of everybody so far, by what the two texts differed in: small, honest numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import pandas as pd
import streamlit as st

from components.compare.ways import how, models
from components.plain import label
from fanout.engine.runtime import Runtime
from fanout.errors import FanoutError
from fanout.snapshot import Snapshot
from fanout.store.values import Verdict

NEWEST = 200
"""Older votes are left out: each has two runs to be looked up."""
_ORDER = ("All at once", "One after another", "One prompt", "One search", "One call")


@dataclass(frozen=True, slots=True, kw_only=True)
class Maker:
    """What a judged text was made with."""

    how: str
    models: str
    workflow: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """All votes between two ways of making a text."""

    differ_in: str
    one: str
    other: str
    one_better: int = 0
    other_better: int = 0
    ties: int = 0
    both_bad: int = 0

    @property
    def votes(self) -> int:
        return self.one_better + self.other_better + self.ties + self.both_bad


def tally(runtime: Runtime) -> None:
    """Draw the table; nothing where nobody has voted."""
    try:
        verdicts = runtime.store.verdicts.all()
        newest = sorted(verdicts, key=lambda verdict: -verdict.given_at)[:NEWEST]
        found = scores(newest, lambda run_id: maker(runtime, run_id))
    except FanoutError as error:
        st.error(label(str(error), 400), icon=":material/error:")
        return
    if not found:
        return
    st.subheader("Blind votes so far", anchor=False)
    st.dataframe(
        _frame(found),
        key="blind_tally",
        hide_index=True,
        alt="How earlier blind votes went, by what the texts differed in",
    )
    votes = sum(one.votes for one in found)
    older = len(verdicts) - len(newest)
    st.caption(
        f"{votes} vote{'' if votes == 1 else 's'} in all"
        + (f", the newest of {len(verdicts)}" if older else "")
        + ". A difference of a few votes may be chance."
    )


def scores(verdicts: Iterable[Verdict], maker: Callable[[str], Maker | None]) -> tuple[Score, ...]:
    """Votes counted by the two ways that were compared, most votes first."""
    counts: dict[tuple[str, str, str], list[int]] = {}
    for verdict in verdicts:
        a, b = maker(verdict.run_a), maker(verdict.run_b)
        if a is None or b is None:
            continue
        differ_in, one, other = _contrast(a, b)
        better = {"a": 0, "b": 1, "tie": 2, "both_bad": 3}[verdict.choice]
        if _place(other) < _place(one):
            one, other = other, one
            better = {0: 1, 1: 0}.get(better, better)
        counts.setdefault((differ_in, one, other), [0, 0, 0, 0])[better] += 1
    made = [
        Score(
            differ_in=differ_in, one=one, other=other,
            one_better=n[0], other_better=n[1], ties=n[2], both_bad=n[3],
        )
        for (differ_in, one, other), n in counts.items()
    ]  # fmt: skip
    return tuple(sorted(made, key=lambda score: -score.votes))


def maker_of(snapshot: Snapshot) -> Maker:
    asked = models(snapshot.calls, snapshot)
    return Maker(how=how(snapshot), models=asked, workflow=snapshot.title)


def _contrast(a: Maker, b: Maker) -> tuple[str, str, str]:
    """What sets two texts apart first of all."""
    if a.how != b.how:
        return "How it was asked", a.how, b.how
    if a.models != b.models:
        return "Model", a.models, b.models
    if a.workflow != b.workflow:
        return "Workflow", a.workflow, b.workflow
    return "Nothing", "The same", "The same again"


def _place(way: str) -> tuple[int, str]:
    return (_ORDER.index(way) if way in _ORDER else len(_ORDER), way)


def maker(runtime: Runtime, run_id: str) -> Maker | None:
    """None for a run that is gone, or isn't this person's to see."""
    # What one person may not see, another may: their folders tell them apart.
    return _maker(run_id, str(runtime.settings.home), runtime)


@st.cache_data(max_entries=2_000, show_spinner=False)
def _maker(run_id: str, whose: str, _runtime: Runtime) -> Maker | None:
    stored = _runtime.store.load(run_id)
    return maker_of(stored.snapshot) if stored is not None else None


def _frame(found: Iterable[Score]) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {
                "Differ in": score.differ_in,
                "One": score.one,
                "Other": score.other,
                "One better": score.one_better,
                "Other better": score.other_better,
                "Tie": score.ties,
                "Both bad": score.both_bad,
            }
            for score in found
        ]
    )
