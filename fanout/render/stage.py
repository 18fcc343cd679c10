"""The board as one script and one JSON object, for pages that are not made by Streamlit.

A page needs three things, in this order; it asks nobody for anything else:

    <div data-board="replay-data"></div>
    <script type="application/json" id="replay-data">{inline_json(replay_data(...))}</script>
    <script>{board_script()}</script>

The script finds every `data-board` element and draws into a shadow root of its own, so that neither
the page's style nor the board's touches the other. Light and dark follow `prefers-color-scheme`,
or what `theme` says. Scripts of the page may also call `mountBoard(element, data)`.
"""

from __future__ import annotations

import base64
import gzip
import json
import re
from collections.abc import Sequence
from functools import cache

from fanout.render.frames import Frame
from fanout.render.palette import AGGREGATE_COLOUR, branch_colour, letter
from fanout.render.sanitise import clean_text
from fanout.shipped_files import shipped
from fanout.snapshot import Snapshot

_FILES = shipped("components/board")
"""The board's own files, which the app gives to Streamlit as they are."""

PARTS = (
    *("text", "find", "card", "countdown", "answer", "sources", "panel", "copy"),
    *("socket", "reel", "player", "board"),
)
"""What the app's board needs, too."""
SHEETS = ("board", "answer", "player")
_STAGE = ("spread", "present", "stage")

_UNSAFE = re.compile("[<>&\u2028\u2029\ud800-\udfff]")
PACKED_FROM = 200_000
"""Bytes of frames from which packing them is worth the moment that unpacking takes."""


def board_data(snapshot: Snapshot) -> dict[str, object]:
    """What a board must know before its first frame."""
    return {
        "run": snapshot.run_id,
        "title": clean_text(snapshot.title),
        "topic": clean_text(snapshot.topic),
        "columns": [
            {
                "id": branch.id,
                "title": clean_text(branch.title),
                "letter": letter(i),
                "light": branch_colour(i, dark=False),
                "dark": branch_colour(i, dark=True),
            }
            for i, branch in enumerate(snapshot.branches)
        ],
        "combined": snapshot.aggregate_kind is not None,
        "accent": {"light": AGGREGATE_COLOUR[False], "dark": AGGREGATE_COLOUR[True]},
        "finished": snapshot.status.finished,
    }


def replay_data(
    snapshot: Snapshot, frames: Sequence[Frame], *, theme: str = "auto"
) -> dict[str, object]:
    """A board that plays these frames, standing at their end until somebody presses Play.

    `theme`: "auto", "light" or "dark".
    """
    plain = json.dumps(frames, ensure_ascii=False, separators=(",", ":"))
    held: dict[str, object] = {"frames": frames}
    if len(plain) > PACKED_FROM:
        packed = gzip.compress(plain.encode("utf-8", "replace"), mtime=0)
        held = {"packed": base64.b64encode(packed).decode()}
    return board_data(snapshot) | {"theme": theme, "replay": {**held, "ended": True}}


@cache
def board_script() -> str:
    """Board, player and their style as one script. Holds neither "</script" nor "<!--"."""
    parts = [_read(f"{name}.js") for name in (*PARTS, *_STAGE)]
    style = f"const STYLE = {inline_json(board_style())};"
    return "\n".join(["(() => {", "'use strict';", style, *parts, "})();"])


@cache
def board_style() -> str:
    """The style that `board_script` puts into each board's shadow root; pages need not."""
    return "\n".join(_read(f"{name}.css") for name in ("stage", *SHEETS, "present"))


def inline_json(value: object) -> str:
    """JSON that can stand inside a <script> element, whatever its texts hold."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return _UNSAFE.sub(lambda sign: f"\\u{ord(sign[0]):04x}", text)


def _read(name: str) -> str:
    return (_FILES / name).read_text("utf-8")
