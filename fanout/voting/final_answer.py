"""The final answer in a free text, by the marks that models put before it; never a guess."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from fanout.voting.dates import iso_date
from fanout.voting.quantities import quantity

MOST_OBJECTS = 50
"""JSON objects looked at, from the end of the text."""

_KEYS = ("final_answer", "answer")
_EDGES = " \t\r\n*_`"
_JUDGED = (
    r"(?![*_` ]*(?:indeed |also )?(?:correct|right|wrong|incorrect|consistent|valid|reasonable)\b)"
)
"""Behind "the answer is": words about the answer, which don't name it."""
_ANSWER = re.compile(
    rf"(?<![^\W_])answer[*_`]{{0,4}} ?(?:(?P<is>is|would be)\b{_JUDGED} ?:?|[:=])[*_`]{{0,4}}", re.I
)
_HEADING = re.compile(r"^ {0,3}(?:#{1,6}|\*\*) ?(?:final )?answer ?(?:\*\*)? *$", re.I | re.M)
_HASHES = re.compile(r"^ {0,3}#### ?(?=\S)", re.M)
_BOXED = re.compile(r"\\(?:boxed|fbox)\s?\{")
_SENTENCE_END = re.compile(
    r"(?<!\b[DMS][rst])(?<!\bMrs)[.!](?=\s+\S)(?!\s[A-Z]\.)|[,;]?\s(?=(?:because|since|which)\b)"
)
_LETTER = re.compile(r"\(?[A-Za-z][).]?")
_WORDS = frozenset({"yes", "no", "true", "false"})


def final_answer(text: str) -> str | None:
    """The answer as it was written, or None.

    Marks are "Answer:", "The answer is", "#### 42", a LaTeX box, a heading "Answer" and a JSON
    object with a field "answer". The last one wins, and an empty last one gives None, as the text
    broke off. Without a mark the last line counts, but only if it is wholly a number, perhaps with
    a unit, a date, yes, no, true, false or the letter of an option.
    """
    marked = max(_marks(text), key=lambda mark: mark[0], default=None)
    if marked is not None:
        return _clean(marked[1] or "") or None
    lines = [line for line in text.splitlines() if line.strip(_EDGES)]
    last = _clean(lines[-1]) if lines else ""
    return last if _bare(last) else None


def _marks(text: str) -> Iterator[tuple[int, str | None]]:
    """Where each mark stands and what it says."""
    for match in _last(_ANSWER, text):
        yield match.start(), _said(text, match.end(), sentence=match["is"] is not None)
    for match in _last(_HEADING, text):
        yield match.start(), _said(text, match.end(), sentence=False)
    for match in _HASHES.finditer(text):
        # Other text behind four hashes is a heading.
        if _bare(_clean(_line(text, match.end()))):
            yield match.start(), _line(text, match.end())
    for match in _last(_BOXED, text):
        yield match.start(), _braced(text, match.end())
    yield from _in_json(text)


def _last(pattern: re.Pattern[str], text: str) -> list[re.Match[str]]:
    return list(pattern.finditer(text))[-1:]


def _said(text: str, start: int, *, sentence: bool) -> str:
    """The rest of the line, or the next line that holds something; after "is", of the sentence."""
    said = _line(text, start).strip(_EDGES)
    if not said:
        rest = text[start:].strip(_EDGES)
        said = _line(rest, 0)
    if sentence and (end := _SENTENCE_END.search(said)):
        said = said[: end.start()]
    return said


def _line(text: str, start: int) -> str:
    end = text.find("\n", start)
    return text[start:] if end < 0 else text[start:end]


def _braced(text: str, start: int) -> str | None:
    """What stands up to the brace that closes the one before `start`; None if none does."""
    depth = 1
    for i in range(start, len(text)):
        if text[i] in "{}" and (i == 0 or text[i - 1] != "\\"):
            depth += 1 if text[i] == "{" else -1
            if not depth:
                return text[start:i]
    return None


def _in_json(text: str) -> Iterator[tuple[int, str | None]]:
    """Objects count from their end, so that words inside them are not taken for a later mark."""
    decoder = json.JSONDecoder(parse_int=str, parse_float=str, parse_constant=str)
    for match in list(re.finditer(r"\{", text))[-MOST_OBJECTS:]:
        try:
            value, end = decoder.raw_decode(text, match.start())
        except (ValueError, RecursionError):
            continue
        for key in _KEYS:
            if key in value:
                yield end, _field(value[key])
                break


def _field(value: object) -> str | None:
    if isinstance(value, bool):
        return str(value).lower()
    if not isinstance(value, str):
        return None
    boxed = _BOXED.search(value)
    return _braced(value, boxed.end()) if boxed else value


def _clean(said: str) -> str:
    """Without Markdown and the full stop around it."""
    said = said.strip(_EDGES)
    if said.startswith("$") and said.endswith("$") and len(said) > 2:
        said = said[1:-1]
    if said.endswith(".") and not said.endswith(".."):
        said = said[:-1]
    return said.strip(_EDGES)


def _bare(line: str) -> bool:
    known = line.casefold() in _WORDS or quantity(line) is not None or iso_date(line) is not None
    return known or _LETTER.fullmatch(line) is not None
