"""The charts of a batch as inline SVG that keep their letters' size on any screen and on paper."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from fanout.export.html.markup import Child, Markup, bdi, el
from fanout.export.html.parts import folded, table

HEIGHT = 120
"""Of upright bars, in pixels."""
_LEAST = 2.0
"""So high is the bar of a single row among thousands."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """A row with a bar that lies: how much of the whole."""

    name: str
    share: float
    """0 to 1, of the chart's width."""
    value: str
    look: str = "writing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Upright:
    """A bar that stands: how many rows, and how many of these failed."""

    name: str
    """What it counts, as "2.0 s to 2.5 s"."""
    count: int
    lost: int = 0


def lying(bars: Sequence[Bar], *, title: str) -> Markup:
    return el("div", (_lying(bar) for bar in bars), class_="chart", role="group", aria_label=title)


def standing(
    bars: Sequence[Upright], *, title: str, axis: Sequence[str], heads: Sequence[str]
) -> Markup:
    """Upright bars with words below, and the same as a folded table."""
    most = max((bar.count for bar in bars), default=0) or 1
    drawn = [piece for at, bar in enumerate(bars) for piece in _standing(bar, at, len(bars), most)]
    rows = ([bar.name, f"{bar.count:,}", f"{bar.lost:,}"] for bar in bars if bar.count)
    return el(
        "div",
        el("p", f"{most:,}", class_="most", aria_hidden="true"),
        el(
            "svg",
            el("title", title),
            el("desc", f"{len(bars)} bars; the highest stands for {most:,}. The numbers follow."),
            el("line", x1="0", x2="100%", y1=HEIGHT, y2=HEIGHT, class_="rule"),
            drawn,
            class_="standing",
            role="img",
            width="100%",
            height=HEIGHT + 1,
        ),
        el("div", (el("span", word) for word in axis), class_="below", aria_hidden="true"),
        folded("The numbers", table(heads, rows, label=title, numbers=(1, 2))),
        class_="upright",
    )


def named(low: float, high: float, said: Callable[[float], str]) -> str:
    return f"{said(low)} to {said(high)}"


def figure_card(title: str, *children: Child) -> Markup:
    return el("div", el("h3", title), children, class_="card figure kx")


def _lying(bar: Bar) -> Markup:
    return el(
        "div",
        el("span", bdi(bar.name), class_="who"),
        el(
            "svg",
            el("title", bar.name),
            el("desc", bar.value),
            el("rect", x="0", width="100%", y="3", height="14", rx="3", class_="groove"),
            el("rect", x="0", width=_percent(bar.share), y="3", height="14", rx="3",
               class_=bar.look),
            class_="track",
            role="img",
            height="20",
        ),
        el("span", bar.value, class_="value"),
        class_="row",
    )  # fmt: skip


def _standing(bar: Upright, at: int, number: int, most: int) -> list[Markup]:
    if not bar.count:
        return []
    height = max(_LEAST, HEIGHT * bar.count / most)
    lost = height * bar.lost / bar.count
    said = f"{bar.name}: {bar.count:,}" + (f", {bar.lost:,} failed" if bar.lost else "")
    # Below, the rows that were answered; above, those that failed.
    top = HEIGHT - height
    pieces = ((height - lost, top + lost, "writing"), (lost, top, "lost"))
    return [
        el(
            "rect",
            el("title", said),
            x=_percent((at + 0.08) / number),
            width=_percent(0.84 / number),
            y=f"{top:.2f}",
            height=f"{tall:.2f}",
            class_=look,
        )
        for tall, top, look in pieces
        if tall > 0
    ]


def _percent(share: float) -> str:
    return f"{100 * max(0.0, min(share, 1.0)):.3f}%"
