"""Where the files are that come with Fanout but aren't code.

They lie beside the package where Fanout runs from its own folder, and inside it where it was
installed as a library (setup.py puts them there).
"""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def shipped(folder: str) -> Path:
    """A folder as it is called in Fanout's own one: "workflows", "library", "components/board"."""
    beside = _PACKAGE.parent / folder
    return beside if beside.is_dir() else _PACKAGE / "shipped" / Path(folder).name
