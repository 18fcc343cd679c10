"""The replay inside a report: the app's own board and player, and the run's frames."""

from __future__ import annotations

from fanout.export.html.markup import Markup, el, trusted
from fanout.render.replay import replay_frames
from fanout.render.stage import inline_json, replay_data
from fanout.store.values import StoredRun

_PLAY = trusted(
    '<svg viewBox="0 0 24 24" fill="currentColor" aria-hidden="true">'
    '<path d="M7 4.5v15l12-7.5z"></path></svg>'
)
_SCREEN = trusted(
    '<svg viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="2" '
    'stroke-linejoin="round" aria-hidden="true">'
    '<path d="M3 5h18v11H3zM8 20h8M12 16v4"></path></svg>'
)


def replay_buttons() -> Markup:
    """Hidden until the script that they need is there."""
    return el(
        "div",
        el("button", _PLAY, "Replay", type="button", id="open-replay", hidden=True, class_="first"),
        el("button", _SCREEN, "Present", type="button", id="open-present", hidden=True),
        class_="controls",
    )


def replay_stage(run: StoredRun) -> Markup | None:
    """Where the run plays again, and its frames; None where nothing was recorded."""
    frames = replay_frames(run.events)
    if not frames:
        return None
    data = inline_json(replay_data(run.snapshot, frames))
    return el(
        "dialog",
        el(
            "div",
            el("h2", "Replay", id="replay-title"),
            el("button", "Close", type="button", id="close-replay"),
            class_="stage-head",
        ),
        el("div", id="stage"),
        # Data, not script: it is never run.
        trusted(f'<script type="application/json" id="replay-data">{data}</script>'),
        id="replay",
        aria_labelledby="replay-title",
    )
