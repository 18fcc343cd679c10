"""Timeline, tokens and cost: bars as inline SVG that keep their letters' size on any screen.

Each row is a line of HTML with a drawing in its middle, measured in percent, so that a phone and a
sheet of paper show the same chart and its words stay words.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import floor, log10

from fanout.export.html.calls import Call
from fanout.export.html.markup import Child, Markup, el, trusted

BAR = "14"
_NICE = (1.0, 2.0, 5.0, 10.0)

HATCHING = trusted(
    '<svg width="0" height="0" class="defs" aria-hidden="true" focusable="false"><defs>'
    '<pattern id="hatch" width="6" height="6" patternUnits="userSpaceOnUse" '
    'patternTransform="rotate(45)"><rect width="2" height="6" class="hatch"></rect></pattern>'
    '<pattern id="cross" width="6" height="6" patternUnits="userSpaceOnUse" '
    'patternTransform="rotate(45)"><rect width="1.5" height="6" class="hatch"></rect>'
    '<rect width="6" height="1.5" class="hatch"></rect></pattern>'
    '<pattern id="against" width="6" height="6" patternUnits="userSpaceOnUse" '
    'patternTransform="rotate(-45)"><rect width="2" height="6" class="hatch"></rect></pattern>'
    '<pattern id="dots" width="6" height="6" patternUnits="userSpaceOnUse">'
    '<rect x="2" y="2" width="2" height="2" class="hatch"></rect></pattern>'
    "</defs></svg>"
)
"""The patterns of waiting; once in the file, before the first chart."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A stretch of a bar, in the units of its axis."""

    start: float
    length: float
    look: str
    """Its class: "writing", "waiting", "idle"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    call: Call
    pieces: tuple[Piece, ...]
    value: str
    """What stands at its right."""
    said: str
    """The same in a sentence, for who can't see it."""
    signs: tuple[float, ...] = ()
    """Moments on its axis that a small mark stands at."""


def bars(rows: Sequence[Bar], *, title: str, unit: str = "", most: float | None = None) -> Markup:
    """A chart with a row per call and an axis below; `most` is where the axis ends."""
    reach = most or max((p.start + p.length for r in rows for p in r.pieces), default=0.0) or 1.0
    ticks = list(_ticks(reach))
    return el(
        "div",
        (_row(row, reach, ticks) for row in rows),
        el("div", _axis(ticks, reach, unit), class_="axis", aria_hidden="true"),
        class_="chart",
        role="group",
        aria_label=title,
    )


def legend(*entries: tuple[str, str]) -> Markup:
    """Looks and their words."""
    return el(
        "ul",
        (
            el("li", el("svg", el("rect", width="100%", height="100%", rx="2", class_=look),
                        class_="swatch", aria_hidden="true"), words)
            for look, words in entries
        ),
        class_="legend",
    )  # fmt: skip


def _row(row: Bar, reach: float, ticks: Sequence[float]) -> Markup:
    drawn: list[Child] = [
        el("line", x1=_percent(at, reach), x2=_percent(at, reach), y1="0", y2="100%", class_="rule")
        for at in ticks
    ]
    drawn += [
        el(
            "rect",
            x=_percent(piece.start, reach),
            width=_percent(piece.length, reach),
            y="3",
            height=BAR,
            rx="3",
            class_=piece.look,
        )
        for piece in row.pieces
    ]
    drawn += [
        el("circle", cx=_percent(at, reach), cy="10", r="4", class_="sign") for at in row.signs
    ]
    return el(
        "div",
        el("span", row.call.label, class_="who"),
        el(
            "svg",
            el("title", row.call.name),
            el("desc", row.said),
            drawn,
            class_="track",
            role="img",
            height="20",
        ),
        el("span", row.value, class_="value"),
        class_=f"row {row.call.shade}",
    )


def _axis(ticks: Sequence[float], reach: float, unit: str) -> Markup:
    words = []
    for i, at in enumerate(ticks):
        anchor = "start" if i == 0 else "end" if at > 0.97 * reach else "middle"
        shown = f"{at:g} {unit}".strip() if i == 0 else _plain(at)
        words.append(el("text", shown, x=_percent(at, reach), y="13", text_anchor=anchor))
    return el("svg", words, height="18", class_="ticks")


def _plain(value: float) -> str:
    """Never "2e-05": who reads a report is no computer."""
    return f"{value:.12f}".rstrip("0").rstrip(".")


def _ticks(reach: float) -> Iterator[float]:
    """Three to six round numbers from 0 on."""
    rough = reach / 4
    size = 10.0 ** floor(log10(rough))
    step = next(size * nice for nice in _NICE if size * nice >= rough * 0.999)
    at, number = 0.0, 0
    while at <= reach * 1.0001:
        yield float(f"{at:.6g}")
        number += 1
        at = number * step


def _percent(value: float, reach: float) -> str:
    return f"{100 * value / reach:.3f}".rstrip("0").rstrip(".") + "%"
