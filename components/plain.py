"""Text that people or models wrote, made safe for Streamlit labels and Plotly titles."""

from __future__ import annotations

import html
import re

_MARKS = re.compile(r"([\\`*_{}\[\]()<>#+\-.!|~$:@/])")


def label(text: str, limit: int = 80) -> str:
    """For a Streamlit label or Markdown line: marks are escaped, so nothing loads or links."""
    return _MARKS.sub(r"\\\1", shortened(text, limit))


def figure_text(text: str, limit: int = 40) -> str:
    """For a Plotly figure, which reads a little HTML."""
    return html.escape(shortened(text, limit))


def shortened(text: str, limit: int) -> str:
    """One line of at most `limit` characters."""
    line = " ".join(text.split())
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"
