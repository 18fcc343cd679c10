"""The live board: a column per branch that fills while the model writes, and the combined answer.

Streamlit mounts it once per run and then stays out of the way: the words come over the board's own
socket (see `routes`), so the script neither loops nor reruns while text arrives. Where no socket
opens, a polling fragment feeds the same component with the same frames.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from time import monotonic, sleep
from typing import Literal

import streamlit as st

from components import session
from components.board.feed import Handle, around, stop
from fanout.errors import InputError
from fanout.render.frames import Frame, FrameBuilder
from fanout.render.stage import PARTS, SHEETS, board_data
from fanout.render.tracing import trace_here
from fanout.types import BranchId

POLL_S = 0.5
RETRY_SEEN_S = 0.5
"""A page that polls must not find the old end of a run that is about to go on."""

_HERE = Path(__file__).parent
SCRIPT = "\n".join((_HERE / f"{name}.js").read_text("utf-8") for name in (*PARTS, "mount"))
STYLE = "\n".join((_HERE / f"{name}.css").read_text("utf-8") for name in SHEETS)
HTML = '<div class="board"\n role="group" aria-label="Branches"></div>'

board_component = st.components.v2.component("fanout_board", html=HTML, css=STYLE, js=SCRIPT)


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardResult:
    """What the board told the page; over, lost and resumed are each told once."""

    mode: Literal["push", "poll"]
    over: bool = False
    """The run has just finished: what is drawn after a run can be drawn."""
    lost: bool = False
    """The server doesn't know this run any more, as after a restart."""
    resumed: bool = False
    """A finished run goes on."""


def live_board(handle: Handle, *, key: str = "board") -> BoardResult:
    """Draw a run, live or finished. The script may end: the board goes on by itself."""
    if _mode(key) == "push":
        return _draw(handle, key, None)
    if handle.snapshot.status.finished:
        return polled_board(handle, key=key)
    poll = st.fragment(_poll, run_every=POLL_S)
    poll(handle, key, _around(handle))
    return BoardResult(mode="poll")


def polled_board(handle: Handle, *, key: str = "board") -> BoardResult:
    """The same board, fed by this very script run; to be called again and again by a fragment."""
    state = st.session_state.setdefault(f"{key}_polled", {})
    told = st.session_state.get(key) or {}
    if state.get("run") != handle.snapshot.run_id or told.get("resync"):
        state.update(run=handle.snapshot.run_id, builder=FrameBuilder(_epoch()), frames=[])
    builder: FrameBuilder = state["builder"]
    trace_here(builder.tracer, handle.snapshot)
    frames: list[Frame] = state["frames"]
    frame = builder.frame(handle.snapshot, handle.now_s())
    if not frames:
        frames = [builder.keyframe(handle.now_s())]
    elif frame is not None:
        # Streamlit may drop a delivery that a newer one overtakes, so each repeats the last.
        frames = [*frames[-1:], frame]
    state["frames"] = frames
    return _draw(handle, key, frames)


def _poll(handle: Handle, key: str, said: str) -> None:
    # Ends where the person has signed out meanwhile, in another tab as well.
    session.check_sign_in()
    polled_board(handle, key=key)
    if handle.snapshot.status.finished or _around(handle) != said:
        st.rerun()


def _draw(handle: Handle, key: str, frames: list[Frame] | None) -> BoardResult:
    snapshot = handle.snapshot
    data = board_data(snapshot) | {"path": f"/api/runs/{snapshot.run_id}/ws"}
    # Whose run another one is, or what can't go on here, has no Stop and no Retry.
    data["fixed"] = bool(getattr(handle, "fixed", ""))
    data["around"] = _around(handle)
    if frames is not None:
        data["frames"] = frames
    told = board_component(
        key=key,
        data=data,
        on_mode_change=_nothing,
        on_over_change=_nothing,
        on_lost_change=_nothing,
        on_resumed_change=_nothing,
        on_resync_change=_nothing,
        on_around_change=_nothing,
        on_stop_change=partial(_stop, handle, key),
        on_retry_change=partial(_retry, handle, key),
        on_fold_change=partial(_fold, handle, key),
    )
    return BoardResult(
        mode=_mode(key),
        over=bool(told.get("over")),
        lost=bool(told.get("lost")),
        resumed=bool(told.get("resumed")),
    )


def _around(handle: Handle) -> str:
    return around(handle, session.trouble())


def _mode(key: str) -> Literal["push", "poll"]:
    return "poll" if (st.session_state.get(key) or {}).get("mode") == "poll" else "push"


def _stop(handle: Handle, key: str) -> None:
    """Only where the socket is down; otherwise Stop goes over it, without any script run."""
    asked = (st.session_state.get(key) or {}).get("stop")
    if asked:
        stop(handle, _branch(asked))


def _retry(handle: Handle, key: str) -> None:
    asked = (st.session_state.get(key) or {}).get("retry")
    if not asked:
        return
    _go_on(handle, lambda: handle.retry(_branch(asked)))


def _fold(handle: Handle, key: str) -> None:
    if (st.session_state.get(key) or {}).get("fold"):
        _go_on(handle, handle.fold_in)


def _go_on(handle: Handle, act: Callable[[], None]) -> None:
    before = handle.snapshot.seq
    try:
        act()
    except InputError as error:
        st.session_state["notice"] = str(error)
        return
    until = monotonic() + RETRY_SEEN_S
    while handle.snapshot.seq == before and monotonic() < until:
        sleep(0.01)


def _branch(name: str) -> BranchId | None:
    return None if name == "*" else BranchId(name)


def _epoch() -> str:
    return f"{monotonic():.3f}"


def _nothing() -> None:
    """A component reports only what has a callback."""
