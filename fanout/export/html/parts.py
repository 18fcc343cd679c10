"""The small parts that sections are built of: sections, chips, tables, folded details."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from fanout.export.html.markup import Child, Markup, el, join

CHIP_MARKS = {
    "done": "✓", "cached": "✓", "succeeded": "✓", "good": "✓",
    "failed": "!", "timed_out": "!", "bad": "!", "interrupted": "!",
    "stopped": "■", "skipped": "–", "unknown": "–",
    "partial": "◐", "watch": "◐", "retrying": "↻",
}  # fmt: skip
"""States differ by their sign and word, not by colour alone."""


def section(anchor: str, title: str, *children: Child, note: Child = None) -> Markup:
    """A part of the report under a heading of its own."""
    return el(
        "section",
        el("h2", title, id=f"{anchor}-title"),
        el("p", note, class_="note") if note else None,
        children,
        id=anchor,
        aria_labelledby=f"{anchor}-title",
    )


def chip(state: str, word: str) -> Markup:
    """A state in words."""
    mark = CHIP_MARKS.get(state)
    sign = el("span", mark, class_="sign", aria_hidden="true") if mark else None
    return el("span", sign, el("bdi", word), class_=f"chip s-{state}")


def table(
    headings: Sequence[str],
    rows: Iterable[Sequence[Child]],
    *,
    label: str,
    numbers: Sequence[int] = (),
) -> Markup:
    """A table whose first cell names the row; it scrolls by itself where it is too wide.

    `numbers` are the columns of figures, which stand to the right. A column without any content
    is left out.
    """
    cells = [[join([cell]) for cell in row] for row in rows]
    shown = [i for i in range(len(headings)) if i == 0 or any(row[i] for row in cells)]
    right = dict.fromkeys(numbers, "n")
    head = el("tr", (el("th", headings[i], scope="col", class_=right.get(i)) for i in shown))
    body = (el("tr", (_cell(i, row[i], right.get(i)) for i in shown)) for row in cells)
    return el(
        "div",
        el(
            "table",
            el("caption", label, class_="unseen"),
            el("thead", head),
            el("tbody", body),
        ),
        class_="scroll",
        role="group",
        tabindex=0,
        aria_label=label,
    )


def _cell(column: int, content: Markup, look: str | None) -> Markup:
    if column == 0:
        return el("th", content, scope="row", class_=look)
    return el("td", content, class_=look)


def folded(
    summary: Child, *children: Child, printed: bool = False, anchor: str | None = None
) -> Markup:
    """Details that open on demand; on paper either always, or as the reader has left them."""
    return el(
        "details",
        el("summary", summary),
        el("div", children, class_="folded"),
        class_="printed" if printed else None,
        id=anchor,
    )


def dotted(parts: Iterable[Child]) -> Markup:
    """ "2.8 s · 49 tokens · free", each of them unbroken."""
    shown = [part for part in (join([each]) for each in parts) if part]
    dot = el("span", " · ", class_="dot")
    return Markup(dot.join(el("span", part) for part in shown))
