"""Characters that an endpoint cut in two: emoji are two halves in JSON's \\u escapes."""

from __future__ import annotations

_FIRST_HALVES = ("\ud800", "\udbff")


class Halves:
    """Joins what was cut between two pieces of a stream; a half that stays alone becomes U+FFFD."""

    def __init__(self) -> None:
        self._held = ""

    def joined(self, text: str) -> str:
        """The piece without half characters; a first half at its end waits for the next piece."""
        text = self._held + text
        self._held = ""
        if text and _FIRST_HALVES[0] <= text[-1] <= _FIRST_HALVES[1]:
            text, self._held = text[:-1], text[-1]
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
