"""A run on the board once more: the same columns, fed by its recorded frames instead of its socket.

The frames come over a route of their own, compressed and kept by the browser. Where that route
can't be reached, the board says so and the next script run hands them over.
"""

from __future__ import annotations

import streamlit as st

from components.board import board_component
from components.board.entrance import Recorded
from fanout.render.replay import replay_frames
from fanout.render.stage import board_data


def replay_board(handle: Recorded, *, key: str = "replay_board") -> None:
    """Draw the run's replay; it begins to play by itself. Instead of the live board, not beside."""
    snapshot = handle.snapshot
    told = st.session_state.get(key) or {}
    source: dict[str, object] = {"path": f"/api/runs/{snapshot.run_id}/replay", "autoplay": True}
    if told.get("mode") == "poll":
        kept = st.session_state.setdefault(f"{key}_frames", {})
        state = (snapshot.run_id, snapshot.seq)
        if kept.get("of") != state:
            kept.update(of=state, frames=list(replay_frames(handle.events)))
        source["frames"] = kept["frames"]
    data = board_data(snapshot) | {"run": f"{snapshot.run_id}@{snapshot.seq}", "replay": source}
    board_component(key=key, data=data, on_mode_change=lambda: None)
