"""The topic as it was typed, made fit to be sent, stored and shown."""

from __future__ import annotations

import unicodedata

from fanout.errors import InputError

MAX_TOPIC_CHARS = 200_000

_BLANK = frozenset("\n\t")
_BIDI_OVERRIDES = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""They would turn round the text that follows them on the page."""


def clean_topic(text: str) -> str:
    """The topic without control characters and outer blanks.

    Markdown, HTML and orders to the model stay: they are a topic like any other, and are quoted as
    data in the prompt. Raises InputError if nothing is left, or more than MAX_TOPIC_CHARS is.
    """
    cleaned = clean_words(text)
    if not any(_visible(character) for character in cleaned):
        raise InputError("There is no topic yet. Type what the branches should write about.")
    if len(cleaned) > MAX_TOPIC_CHARS:
        raise InputError(
            f"The topic has {len(cleaned):,} characters; at most {MAX_TOPIC_CHARS:,} can be sent. "
            "Shorten it; what you typed is still in the field."
        )
    return cleaned


def clean_words(text: str) -> str:
    """A person's words without control characters and outer blanks; nothing may be left."""
    if text.isprintable():
        return text.strip()
    kept = text.replace("\r\n", "\n").replace("\r", "\n")
    return "".join(character for character in kept if _fit(character)).strip()


def _fit(character: str) -> bool:
    if character in _BLANK:
        return True
    # Control characters, lone surrogates and what is no character at all. Joiners and other format
    # characters stay: they shape words in many scripts, and emoji.
    category = unicodedata.category(character)
    return category not in ("Cc", "Cs", "Cn") and character not in _BIDI_OVERRIDES


def _visible(character: str) -> bool:
    return unicodedata.category(character)[0] not in "CZ"
