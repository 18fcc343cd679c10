"""The colour and letter of a branch: the same in columns, charts, tables and reports.

Every shade reaches a contrast of 4.5:1 as text, on a card and on its own 12 % tint of that card,
so that no place needs a second shade. Neighbours differ in hue, not only in lightness.
"""

from __future__ import annotations

LIGHT = (
    "#2f62c9", "#b0451b", "#13755d", "#8347b8", "#8a5d00", "#b8356f",
    "#1f6f8f", "#4d6b1f", "#a33a3a", "#5a55c9", "#00736b", "#6b5b4f",
)  # fmt: skip
DARK = (
    "#7aa2ff", "#f0936b", "#52c7a8", "#c299f0", "#e0b04c", "#f08bb8",
    "#6cc3e0", "#a3c96b", "#ff9090", "#a5a3ff", "#4fd0c8", "#c9b3a0",
)  # fmt: skip

AGGREGATE_COLOUR = {False: "#3b4cca", True: "#8b9bff"}
"""The combined answer wears the accent; look it up by whether the theme is dark."""


def branch_colour(i: int, *, dark: bool) -> str:
    """Colour of the branch at column `i`, counted from 0; the thirteenth begins again."""
    shades = DARK if dark else LIGHT
    return shades[i % len(shades)]


def letter(i: int) -> str:
    """A to Z, then AA, AB and so on, as spreadsheets count."""
    name = ""
    i += 1
    while i:
        i, rest = divmod(i - 1, 26)
        name = chr(ord("A") + rest) + name
    return name
