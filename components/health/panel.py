"""The health panel: a card per endpoint and a table of first words, alive while it is open.

It draws itself again every two seconds as long as something is going on, and not at all otherwise:
a page that polls costs the server about as much as a run.
"""

from __future__ import annotations

import pandas as pd
import streamlit as st

from components.health.words import (
    LOOKS,
    busy,
    calls_words,
    can_be_tried,
    limit_words,
    look,
    state_words,
    trouble,
)
from components.plain import label
from fanout.engine.own import OwnRuntime
from fanout.engine.runtime import Runtime
from fanout.render.words import seconds_text
from fanout.traffic.health import EndpointHealth

EVERY_S = 2.0
KEY = "health"


def health_panel(runtime: Runtime) -> None:
    """One line while it is closed; unfolded, how each endpoint is."""
    found = _healths(runtime)
    names = {e.id: e.name for e in runtime.engine.endpoints.all()}
    told = trouble(found, names)
    if told and not st.session_state.get(KEY):
        # Unfolded, the cards say it, and keep saying it while this line would grow old.
        st.markdown(f":orange[:material/warning:] {label(told, 200)}")
    with st.expander(
        "Health",
        icon=":material/monitor_heart:",
        key=KEY,
        on_change="rerun",
    ) as area:
        if area.open:
            _live(runtime, alive=any(map(busy, found)))


def _live(runtime: Runtime, *, alive: bool) -> None:
    @st.fragment(run_every=EVERY_S if alive else None)
    def look_again() -> None:
        found = _healths(runtime)
        _cards(runtime, found)
        _first_words(runtime, found)
        if alive and not any(map(busy, found)):
            st.rerun()

    look_again()
    st.button(
        "Refresh",
        key="health_again",
        icon=":material/refresh:",
        type="tertiary",
        help="While something is going on it refreshes by itself.",
    )


def _healths(runtime: Runtime) -> tuple[EndpointHealth, ...]:
    """Of the endpoints that are still known, those at work first."""
    book = runtime.engine.endpoints
    known = [health for health in book.health() if health.endpoint in book]
    return tuple(sorted(known, key=lambda one: (not busy(one), not one.calls)))


def _cards(runtime: Runtime, found: tuple[EndpointHealth, ...]) -> None:
    with st.grid(min_column_width=320, key="health_cards"):
        for health in found:
            with st.container(border=True, key=f"health-{health.endpoint}"):
                _card(_name(runtime, health), health)
                if can_be_tried(health):
                    _try_now(runtime, health)


def _card(name: str, health: EndpointHealth) -> None:
    st.markdown(f"**{label(name)}**")
    st.markdown(f"{LOOKS[look(health)]} {label(state_words(health), 300)}")
    facts = [calls_words(health), limit_words(health)]
    if health.shared_problem:
        facts.append(f"Its limits hold for this process alone: {health.shared_problem}")
    elif health.shared:
        facts.append(f"Its limits hold over all processes, by {health.shared}")
    for fact in filter(None, facts):
        st.caption(label(fact, 400))


def _try_now(runtime: Runtime, health: EndpointHealth) -> None:
    """A wait that nobody believes in must not hold people up; what serves all is for admins."""
    if isinstance(runtime, OwnRuntime) and not runtime.may_change(health.endpoint):
        return
    st.button(
        "Try now",
        key=f"try-{health.endpoint}",
        icon=":material/play_arrow:",
        help="Waits no longer: the next call finds out whether it answers.",
        on_click=runtime.engine.endpoints.gate(health.endpoint).try_now,
    )


def _first_words(runtime: Runtime, found: tuple[EndpointHealth, ...]) -> None:
    rows = [
        {
            "Model": label(f"{times.model} at {_name(runtime, health)}"),
            "Half": seconds_text(times.p50_s),
            "95 %": seconds_text(times.p95_s),
            "99 %": seconds_text(times.p99_s),
            "Calls": f"{times.count:,}",
        }
        for health in found
        for times in health.first_tokens
    ]
    if not rows:
        return
    st.markdown("**How soon the first word came: half, 95 % and 99 % within**")
    # A table and no data frame: that one draws itself anew each time, and scrolls on a telephone.
    st.table(pd.DataFrame(rows).set_index("Model"), border="horizontal")
    st.caption("Of each model's last 200 calls.")


def _name(runtime: Runtime, health: EndpointHealth) -> str:
    book = runtime.engine.endpoints
    return book.get(health.endpoint).name if health.endpoint in book else health.endpoint
