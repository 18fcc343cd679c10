"""What may be quoted of a server's own words: short, one line, without keys and without prompts."""

from __future__ import annotations

import re
from collections.abc import Iterable

QUOTE_CHARS = 200

_GONE = "***"
_SHINGLE = 24
"""A run of this many characters shared with a prompt is no coincidence."""

_SECRETS = re.compile(
    r"""
    (?P<label>
        \b(?:bearer|basic)\s+
        | \b(?:api[-_ ]?key|token|secret|password|authorization)["']?\s*[:=]\s*["']?
            (?:(?:bearer|basic)\s+)?
    )
    [^\s"',;]+
    | \b(?:sk|pk|rk|gsk|xai|hf|pplx|nvapi|key)[-_][\w*.-]{3,}
    | \bAIza[\w-]{10,}
    | \beyJ[\w-]{8,}\.[\w.-]+
    | \b(?=[\w-]*\d)[A-Za-z0-9_-]{32,}
    """,
    re.IGNORECASE | re.VERBOSE,
)
_URL_PRIVATE = re.compile(
    r"(https?://)(?:[^\s/@]+@)?([^\s?#\"']*)(?:[?#][^\s\"']*)?", re.IGNORECASE
)
_FILE_PATH = re.compile(r"(?<![\w:/.])(?:[A-Za-z]:\\|~?/)(?:[\w.@ -]+[/\\])+[\w.@-]+")


def quotable(text: str, hidden: Iterable[str] = ()) -> str:
    """At most QUOTE_CHARS of `text` on one line; empty where it repeats one of the `hidden` texts.

    Short hidden texts, such as a key, are struck out; of long ones, such as prompts, not even a
    passage may come back, so a message that echoes them is not quoted at all.
    """
    hidden = [secret for secret in hidden if secret.strip()]
    for secret in hidden:
        text = text.replace(secret, _GONE)
    line = " ".join("".join(c if c.isprintable() else " " for c in text[:4000]).split())
    line = _FILE_PATH.sub(_GONE, _URL_PRIVATE.sub(r"\1\2", line))
    line = _SECRETS.sub(lambda found: (found["label"] or "") + _GONE, line)
    if _echoes(line, hidden):
        return ""
    return line if len(line) <= QUOTE_CHARS else line[: QUOTE_CHARS - 1].rstrip() + "…"


def _echoes(line: str, hidden: Iterable[str]) -> bool:
    shown = line[:QUOTE_CHARS]
    passages = {shown[i : i + _SHINGLE] for i in range(len(shown) - _SHINGLE + 1)}
    flattened = (" ".join(secret.split()) for secret in hidden)
    return any(passage in text for text in flattened for passage in passages)
