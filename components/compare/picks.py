"""What is compared, as the address says it: two to four runs, or calls of runs, in their order.

`?runs=ID,ID` names whole runs, `?with=RUN:BRANCH,RUN:BRANCH` single calls; both may stand together.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import streamlit as st

RUNS, CALLS, VIEW = "runs", "with", "view"
BLIND = "blind"
MOST = 4
_PAGE = Path(__file__).resolve().parents[2] / "pages" / "compare.py"
_REMEMBERED = "compared"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pick:
    """One column."""

    run: str
    call: str = ""
    """The id of one of its calls; "" is the whole run."""


def picks_in(address: Mapping[str, str]) -> tuple[Pick, ...]:
    """Every column that an address names, none twice."""
    runs = [Pick(run=run) for run in _listed(address.get(RUNS, ""))]
    calls = []
    for named in _listed(address.get(CALLS, "")):
        run, _, call = named.partition(":")
        calls.append(Pick(run=run, call=call))
    return tuple(dict.fromkeys(pick for pick in (*runs, *calls) if pick.run))


def address_of(picks: Sequence[Pick], *, blind: bool = False) -> dict[str, str]:
    """The query that names them, in their order."""
    address: dict[str, str] = {}
    if any(pick.call for pick in picks):
        named = (f"{pick.run}:{pick.call}" if pick.call else pick.run for pick in picks)
        address[CALLS] = ",".join(named)
    elif picks:
        address[RUNS] = ",".join(pick.run for pick in picks)
    return {**address, VIEW: BLIND} if blind else address


def picked() -> tuple[Pick, ...]:
    """What the page's address names; coming back from another page, what it named before."""
    named = picks_in(st.query_params.to_dict())
    if not named and st.session_state.get(_REMEMBERED):
        named = st.session_state[_REMEMBERED]
        st.query_params.update(address_of(named))
    st.session_state[_REMEMBERED] = named
    return named


def pick(picks: Sequence[Pick]) -> None:
    """Make the page compare these from the next script run on."""
    st.session_state[_REMEMBERED] = tuple(picks)
    view = st.query_params.get(VIEW) == BLIND
    st.query_params.from_dict(address_of(picks, blind=view))


def show_comparison(run_ids: Iterable[str], *, blind: bool = False) -> NoReturn:
    """Leave for the Compare page with these runs; not to be called from a callback."""
    picks = [Pick(run=run_id) for run_id in run_ids]
    st.switch_page(_PAGE, query_params=address_of(picks, blind=blind))


def _listed(text: str) -> Iterable[str]:
    return (part.strip() for part in text.split(",") if part.strip())
