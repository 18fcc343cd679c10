"""A blind vote: two texts as A and B, nothing about their makers until the vote is given.

Which text is A is drawn at random for each pair and session and kept here on the server; neither
the address nor the page tells. More than two runs are judged pair by pair, and revealed at the end.
"""

from __future__ import annotations

import random
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from time import time

import pandas as pd
import streamlit as st

from components.compare.marked import text_html
from components.compare.picks import VIEW, Pick
from components.compare.sides import COMBINED, Side, Subject, call_of, said
from components.compare.tally import tally
from components.compare.waiting import waiting
from components.compare.ways import how, models
from components.plain import cells, label
from fanout.engine.runtime import Runtime
from fanout.errors import FanoutError
from fanout.insight.speed import cost_usd, span_s, total_cost_usd
from fanout.render.words import money_text, seconds_text
from fanout.store.values import Choice, Verdict

CHOICES: dict[Choice, tuple[str, str]] = {
    "a": ("A is better", ":material/thumb_up:"),
    "b": ("B is better", ":material/thumb_up:"),
    "tie": ("Tie", ":material/balance:"),
    "both_bad": ("Both bad", ":material/thumb_down:"),
}
_DRAWS, _SEEN = "blind_draws", "named_sides"


@dataclass(frozen=True, slots=True, kw_only=True)
class Duel:
    """Two sides under their letters."""

    a: Side
    b: Side

    @property
    def key(self) -> frozenset[Pick]:
        return frozenset((_pick(self.a), _pick(self.b)))


def seen(sides: Sequence[Side]) -> None:
    """Remember that this session has been shown these texts with their names."""
    st.session_state.setdefault(_SEEN, set()).update(map(_pick, sides))


def blind(runtime: Runtime, sides: Sequence[Side]) -> None:
    """Draw the next pair to judge, or, once all are judged, whose texts they were."""
    if any(one.live for one in sides):
        st.markdown("Judge the texts without knowing whose they are, as soon as all are written.")
        waiting(sides, named=False)
        return
    texts = {_pick(one): _text(one, sides) for one in sides}
    duels = [duel for duel in _duels(sides) if texts[_pick(duel.a)] and texts[_pick(duel.b)]]
    if not duels:
        st.info(
            "It takes two texts to judge, and fewer came out of these runs. "
            "Look at them side by side.",
            icon=":material/info:",
        )
        return
    votes: dict[frozenset[Pick], Choice] = st.session_state.setdefault("blind_votes", {})
    open_duels = [duel for duel in duels if duel.key not in votes]
    if open_duels:
        _judge(runtime, open_duels[0], texts, left=len(open_duels), of=len(duels))
    else:
        _reveal(runtime, duels, votes)


def _judge(runtime: Runtime, duel: Duel, texts: dict[Pick, str], *, left: int, of: int) -> None:
    if duel.a.snapshot.topic == duel.b.snapshot.topic:
        st.markdown(f"**{label(duel.a.snapshot.topic, 200)}**")
    st.markdown(
        "Which text is better? Whose they are, how long they took and what they cost is told "
        "after your vote." + (f" Pair {of - left + 1} of {of}." if of > 1 else "")
    )
    shown: set[Pick] = st.session_state.get(_SEEN, set())
    if duel.key <= shown:
        st.caption(
            ":material/visibility: This session has seen these texts with their names. "
            "Vote only if you can't tell any more which is which."
        )
    with st.grid(2, min_column_width=330, key="blind_texts"):
        for letter, one in (("A", duel.a), ("B", duel.b)):
            with st.container(border=True, key=f"blind-{letter.lower()}"):
                st.subheader(letter, anchor=False)
                st.html(text_html(texts[_pick(one)], f"Text {letter}"))
    with st.container(horizontal=True, key="blind_choices"):
        for choice, (words, icon) in CHOICES.items():
            st.button(
                words,
                key=f"vote-{choice}",
                icon=icon,
                on_click=_vote,
                args=(runtime, duel, choice),
            )


def _vote(runtime: Runtime, duel: Duel, choice: Choice) -> None:
    votes = st.session_state.setdefault("blind_votes", {})
    if duel.key in votes:
        return
    votes[duel.key] = choice
    try:
        runtime.store.verdicts.give(
            Verdict(
                run_a=duel.a.snapshot.run_id,
                call_a=duel.a.call,
                run_b=duel.b.snapshot.run_id,
                call_b=duel.b.call,
                choice=choice,
                given_at=time(),
            )
        )
    except FanoutError as error:
        st.session_state["blind_notice"] = f"Your vote could not be kept. {error}"


def _reveal(runtime: Runtime, duels: Sequence[Duel], votes: dict[frozenset[Pick], Choice]) -> None:
    seen([one for duel in duels for one in (duel.a, duel.b)])
    notice = st.session_state.pop("blind_notice", None)
    if notice:
        st.error(label(notice, 400), icon=":material/error:")
    for n, duel in enumerate(duels, 1):
        st.header(label(_outcome(duel, votes[duel.key]), 200), anchor=False)
        st.dataframe(
            cells(_revealed(duel, votes[duel.key])),
            key=f"blind-revealed-{n}",
            hide_index=True,
            alt="Whose texts they were, with times and costs",
        )
    st.button(
        "See everything side by side",
        key="blind_all",
        icon=":material/view_column:",
        on_click=_leave,
    )
    tally(runtime)


def _outcome(duel: Duel, choice: Choice) -> str:
    match choice:
        case "a":
            return f"You found A better: {duel.a.title}"
        case "b":
            return f"You found B better: {duel.b.title}"
        case "tie":
            return f"A tie: {duel.a.title} and {duel.b.title}"
        case "both_bad":
            return f"Both bad: {duel.a.title} and {duel.b.title}"


def _revealed(duel: Duel, choice: Choice) -> pd.DataFrame:
    pair = {"A": duel.a, "B": duel.b}
    return pd.DataFrame(
        {
            "Text": list(pair),
            "Your vote": [_voted(letter, choice) for letter in pair],
            "Whose": [one.name for one in pair.values()],
            "How it was asked": [how(one.snapshot) for one in pair.values()],
            "Model": [models(one.calls, one.snapshot) for one in pair.values()],
            "Time": [seconds_text(_time_s(one)) for one in pair.values()],
            "Cost": [_cost(one) for one in pair.values()],
        }
    )


def _voted(letter: str, choice: Choice) -> str:
    if choice in ("tie", "both_bad"):
        return CHOICES[choice][0].lower()
    return "better" if choice == letter.lower() else ""


def _time_s(one: Side) -> float:
    found = call_of(one.snapshot, one.call) if one.call else None
    return span_s(found, one.now_s) if found else one.snapshot.wall_s(one.now_s)


def _cost(one: Side) -> str:
    found = call_of(one.snapshot, one.call) if one.call else None
    return money_text(cost_usd(found.goes) if found else total_cost_usd(one.snapshot))


def _text(one: Side, sides: Sequence[Side]) -> str:
    text = said(one, Subject(id=COMBINED, title="Combined answer"), sides) or ""
    return text.strip()


def _duels(sides: Sequence[Side]) -> list[Duel]:
    """Every pair, in an order and with letters that were drawn when this session first saw them."""
    draws: dict[tuple[Pick, ...], int] = st.session_state.setdefault(_DRAWS, {})
    key = tuple(sorted(map(_pick, sides), key=lambda pick: (pick.run, pick.call)))
    drawn = random.Random(draws.setdefault(key, secrets.randbits(64)))
    ordered = sorted(sides, key=lambda one: key.index(_pick(one)))
    duels = []
    for pair in combinations(ordered, 2):
        a, b = drawn.sample(pair, 2)
        duels.append(Duel(a=a, b=b))
    drawn.shuffle(duels)
    return duels


def _pick(one: Side) -> Pick:
    return Pick(run=one.snapshot.run_id, call=one.call)


def _leave() -> None:
    st.query_params.pop(VIEW, None)
