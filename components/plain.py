"""Text that people or models wrote, made safe for Streamlit labels and Plotly titles."""

from __future__ import annotations

import html
import re

import pandas as pd

from fanout.render.sanitise import clean_text

_MARKS = re.compile(r"([\\`*_{}\[\]()<>&#+\-.!|~$:@/])")
_CODES = re.compile(r":(?=[\w+/-]{1,60}:)")
"""Streamlit draws `:material/lock:` and `:smile:` even where their marks are escaped."""
_FORMULA = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")
_JOINER = "\u2060"
"""Parts what would be read as one; nobody sees it."""


def label(text: str, limit: int = 80) -> str:
    """For a Streamlit label or Markdown line: marks are escaped, so nothing is loaded or drawn.

    A whole address is still made a link by the browser, to where it says.
    """
    return _MARKS.sub(r"\\\1", _CODES.sub(f":{_JOINER}", shortened(text, limit)))


def figure_text(text: str, limit: int = 40) -> str:
    """For a Plotly figure, which reads a little HTML."""
    return html.escape(shortened(text, limit))


def cells(frame: pd.DataFrame) -> pd.DataFrame:
    """For a Streamlit table: no text breaks the page, or is a formula once it is downloaded."""
    return frame.map(_cell).rename(columns=_cell)


def _cell(value: object) -> object:
    if not isinstance(value, str):
        return value
    text = clean_text(value)
    return f"{_JOINER}{text}" if text.lstrip().startswith(_FORMULA) else text


def shortened(text: str, limit: int) -> str:
    """One line of at most `limit` characters, without those that nobody sees."""
    line = " ".join(clean_text(text).split())
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"
