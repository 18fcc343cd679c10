"""The budget of the day: what may be spent, what is, and fields to change it."""

from __future__ import annotations

from decimal import Decimal

import streamlit as st

from components.budget.words import day_gauges, spent_today
from components.plain import label
from fanout.budget.budgets import Budgets
from fanout.budget.caps import DayCaps
from fanout.engine.own import OwnRuntime
from fanout.engine.runtime import Runtime
from fanout.errors import FanoutError, SettingsError
from fanout.policies import Budget

MOST_USD = 100_000.0
MOST_TOKENS = 10**12
ABOUT = (
    "For all runs of this Fanout together, from midnight to midnight UTC. The worst case of each "
    "call is set aside before it is made; what doesn't fit is skipped, and says so."
)
ABOUT_PERSON = "The same for the runs of each person."
FIXED = "Set by {} in the environment, so it can't be changed here."


def day_budget(runtime: Runtime) -> None:
    """Where people are told apart each may have a budget too, and admins alone change it."""
    budgets = runtime.engine.budgets
    people = isinstance(runtime, OwnRuntime)
    may_change = not isinstance(runtime, OwnRuntime) or runtime.person.admin
    st.subheader("Budget of the day", anchor=False)
    try:
        today = budgets.today()
    except FanoutError as error:
        st.warning(label(str(error), 400), icon=":material/warning:")
        caps = None
    else:
        caps = today.caps
        for gauge in day_gauges(today):
            st.progress(gauge.share, text=label(gauge.text, 200))
        if not caps.capped:
            taken = today.taken.everyone if may_change else today.taken.person
            st.caption(label(spent_today(taken.all), 200))
    if may_change:
        _form(budgets, caps, people=people)


def _form(budgets: Budgets, known: DayCaps | None, *, people: bool) -> None:
    fixed = budgets.caps.fixed
    caps = known or DayCaps()
    _fill("day", known.everyone if known else None)
    _fill("person", known.person if known else None)
    with st.form("day_budget", border=True):
        everyone = _fields("day", ABOUT, fixed.everyone, "FANOUT_DAY")
        person = caps.person
        if people:
            person = _fields("person", ABOUT_PERSON, fixed.person, "FANOUT_PERSON_DAY")
        kept = st.form_submit_button("Keep", key="keep_day_budget", icon=":material/check:")
    if kept:
        try:
            budgets.caps.change(DayCaps(everyone=everyone, person=person))
        except SettingsError as error:
            st.error(label(str(error), 400), icon=":material/error:")
        else:
            st.rerun()


def _fill(name: str, now: Budget | None) -> None:
    """Put a budget into its fields, where it is known and they don't hold it yet.

    As their state, not as their default: a field with a default can't be emptied again, and a cap
    would stay for good.
    """
    state = st.session_state
    drawn = f"{name}_usd" in state and state.get(f"{name}_filled") == now
    if now is None or drawn:
        return
    state[f"{name}_usd"] = None if now.usd is None else float(now.usd)
    state[f"{name}_tokens"] = now.tokens
    state[f"{name}_filled"] = now


def _fields(name: str, about: str, fixed: Budget, variable: str) -> Budget:
    st.caption(about)
    money, tokens = st.columns(2)
    each = " each" if name == "person" else ""
    usd = money.number_input(
        f"Dollars a day{each}",
        0.0,
        MOST_USD,
        None,
        1.0,
        key=f"{name}_usd",
        format="%g",
        placeholder="no cap",
        disabled=fixed.usd is not None,
        help=FIXED.format(f"{variable}_USD") if fixed.usd is not None else None,
    )
    most = tokens.number_input(
        f"Tokens a day{each}",
        0,
        MOST_TOKENS,
        None,
        10_000,
        key=f"{name}_tokens",
        placeholder="no cap",
        disabled=fixed.tokens is not None,
        help=FIXED.format(f"{variable}_TOKENS") if fixed.tokens is not None else None,
    )
    return Budget(usd=None if usd is None else Decimal(str(usd)), tokens=most)
