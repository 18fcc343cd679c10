"""Combining a run's branches again, in another way: beside the answers that are there.

It works on a finished run, and on a live one with what is ready by now: the board goes on by
itself, whatever the page around it does.
"""

from __future__ import annotations

from time import monotonic, sleep

import streamlit as st

from components.combining.fields import draft
from components.combining.kinds import offered
from components.combining.points import proposal
from components.palette import letter
from components.plain import label
from fanout.engine.execution import MOST_AGGREGATES
from fanout.engine.handle import RunHandle
from fanout.engine.runtime import Offer
from fanout.errors import InputError
from fanout.snapshot import Branch, Snapshot
from fanout.types import BranchId
from fanout.workflows.specs import AggregateSpec

LOOK_S = 1.0
SEEN_S = 1.0
"""How long the page waits to see that the run goes on."""


def combining(handle: RunHandle, offers: tuple[Offer, ...]) -> None:
    """Draw the panel; nothing for a run that ended with nothing to combine, or can't go on here."""
    if handle.fixed:
        return
    snapshot = handle.snapshot
    live = not snapshot.status.finished
    if not live and not _ready(snapshot):
        return
    title = "Combine what is ready" if live else "Combine again"
    with st.expander(
        title,
        expanded=_was_open(title),
        icon=":material/merge:",
        key="combining",
        on_change="rerun",
    ) as expander:
        st.session_state["combining_open"] = expander.open
        if expander.open:
            _panel(handle, offers)


def _was_open(title: str) -> bool:
    """Under another title Streamlit takes it for another one: that begins as this one was."""
    begun: tuple[str, bool] = st.session_state.get("combining_begun", ("", False))
    if begun[0] != title:
        begun = (title, bool(st.session_state.get("combining_open")))
        st.session_state["combining_begun"] = begun
    return begun[1]


def _panel(handle: RunHandle, offers: tuple[Offer, ...]) -> None:
    snapshot = handle.snapshot
    made = len(snapshot.aggregates)
    if made >= MOST_AGGREGATES:
        st.info(
            f"This run has {made} combined answers, which is as many as it keeps. "
            "Start a new run to combine in yet another way.",
            icon=":material/info:",
        )
        return
    if snapshot.status.finished:
        _standing(snapshot)
    else:
        st.fragment(_watching, run_every=LOOK_S)(handle, _outline(snapshot))
    ways = {way.kind: way for way in offered(handle)}
    kind = st.radio(
        "How to combine",
        list(ways),
        key=_key(handle, "kind"),
        format_func=lambda kind: ways[kind].title,
        horizontal=True,
        persist_state="session",
    )
    way = ways[kind]
    st.caption(way.promise)
    written = draft(handle, way.kind, offers)
    left_out = _left_out(handle)
    with st.container(horizontal=True):
        _button(handle, written.button, "combine", written.spec, left_out, primary=True)
        if written.other is not None:
            _button(handle, "Propose other points", "propose", written.other, left_out)


def _button(
    handle: RunHandle,
    title: str,
    name: str,
    spec: AggregateSpec | None,
    left_out: frozenset[BranchId],
    *,
    primary: bool = False,
) -> None:
    pressed = st.button(
        title,
        key=name,
        type="primary" if primary else "secondary",
        icon=":material/merge:" if primary else None,
        disabled=spec is None,
    )
    if pressed and spec is not None:
        _combine(handle, spec, left_out)


def _combine(handle: RunHandle, spec: AggregateSpec, left_out: frozenset[BranchId]) -> None:
    snapshot = handle.snapshot
    ready = _ready(snapshot)
    if all(branch.id in left_out for branch in ready):
        why = "Every branch that is done is left out" if ready else "No branch is done"
        st.warning(f"{why}, so there is nothing to combine yet.", icon=":material/info:")
        return
    made = len(snapshot.aggregates)
    try:
        handle.combine(spec, left_out)
    except InputError as error:
        st.warning(label(str(error), 400), icon=":material/info:")
        return
    until = monotonic() + SEEN_S
    while len(handle.snapshot.aggregates) == made and monotonic() < until:
        sleep(0.01)
    st.rerun()


def _left_out(handle: RunHandle) -> frozenset[BranchId]:
    snapshot = handle.snapshot
    names = {branch.id: _name(i, branch) for i, branch in enumerate(snapshot.branches)}
    chosen = st.multiselect(
        "Leave out",
        list(names),
        key=_key(handle, "left_out"),
        format_func=lambda branch: names[branch],
        placeholder="No branch",
        persist_state="session",
    )
    return frozenset(chosen)


def _watching(handle: RunHandle, drawn: tuple[bool, bool]) -> None:
    """Follows a live run by itself; what is typed beside it is left alone."""
    snapshot = handle.snapshot
    _standing(snapshot)
    if _outline(snapshot) != drawn:
        st.rerun()


def _outline(snapshot: Snapshot) -> tuple[bool, bool]:
    """What the fields depend on: whether there is room, and whether points were proposed."""
    return len(snapshot.aggregates) >= MOST_AGGREGATES, proposal(snapshot) is not None


def _standing(snapshot: Snapshot) -> None:
    ready = _ready(snapshot)
    told = list(enumerate(snapshot.branches))
    names = [_name(i, branch) for i, branch in told if branch in ready]
    going = [_name(i, branch) for i, branch in told if not branch.state.finished]
    parts = [f"Ready: {', '.join(names)}." if names else "No branch is done yet."]
    if going:
        parts.append(f"Still at work: {', '.join(going)}.")
    st.caption(" ".join(parts))


def _ready(snapshot: Snapshot) -> list[Branch]:
    return [branch for branch in snapshot.branches if branch.state.succeeded]


def _name(i: int, branch: Branch) -> str:
    return f"{letter(i)} {label(branch.title, 40)}"


def _key(handle: RunHandle, field: str) -> str:
    return f"combine-{handle.id}-{field}"
