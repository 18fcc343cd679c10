"""Names of workflows: what a person types, made fit to be a file's name and a word in a shell."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection

from fanout.errors import InputError

LONGEST = 40


def slug(text: str) -> str:
    """Small letters, digits and single hyphens; "" if nothing of the text can stay."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain)[:LONGEST].strip("-")


def name_of(text: str) -> str:
    """The name that a typed text becomes; InputError if it holds no letter or digit."""
    name = slug(text)
    if not name:
        raise InputError("A name needs at least one letter from a to z, or a digit.")
    return name


def free_name(wanted: str, taken: Collection[str]) -> str:
    """That name, or the first of name-2, name-3, ... that nobody has."""
    name, number = wanted, 1
    while name in taken:
        number += 1
        ending = f"-{number}"
        name = wanted[: LONGEST - len(ending)].strip("-") + ending
    return name
