"""The report's colours: the app's, light and dark, as one style text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from fanout.render.palette import AGGREGATE_COLOUR, DARK, LIGHT

_LIGHT: Final = {
    "bg": "#fbfaf8", "card": "#ffffff", "soft": "#f4f2ee", "ink": "#16181d", "mute": "#5c6370",
    "line": "#e5e2dc", "ok": "#0a7a4b", "warn": "#8a5000", "bad": "#b3261e",
    "on": "#ffffff", "button": "#3b4cca",
}  # fmt: skip
_DARK: Final = {
    "bg": "#14161b", "card": "#1c1f26", "soft": "#242832", "ink": "#eceef2", "mute": "#a3aab8",
    "line": "#2d323c", "ok": "#4cc38a", "warn": "#f0b35a", "bad": "#ff8a80",
    "on": "#16181d", "button": "#5666e0",
}  # fmt: skip

WHOLE: Final = "kx"
"""The class of what belongs to no single branch: the accent."""


def shade(column: int) -> str:
    """The class that gives a branch its colour; the thirteenth begins again."""
    return f"k{column % len(LIGHT)}"


def colour_style() -> str:
    """Both themes. Paper is always light, so the dark one is for screens."""
    dark = _theme(_DARK, DARK, AGGREGATE_COLOUR[True], "dark")
    return (
        f"{_theme(_LIGHT, LIGHT, AGGREGATE_COLOUR[False], 'light')}"
        f"@media screen and (prefers-color-scheme:dark){{{dark}}}"
    )


def _theme(named: Mapping[str, str], shades: tuple[str, ...], accent: str, scheme: str) -> str:
    words = ";".join(f"--{name}:{value}" for name, value in named.items())
    own = "".join(f".k{i}{{--k:{value}}}" for i, value in enumerate(shades))
    root = f":root{{color-scheme:{scheme};{words};--accent:{accent};--k:{accent}}}"
    return f"{root}{own}.{WHOLE}{{--k:{accent}}}"
