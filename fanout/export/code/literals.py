"""Text as Python source: nothing in it can end its literal, and it stays readable.

Text of one line is a string, or several side by side where it is long. Text of several lines stands
between triple quotes as it is; a backslash at the end of a line means that the line goes on. What
can't be seen, marks that turn text round among it, is written as an escape.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from string import Formatter
from typing import TypeAlias
from unicodedata import east_asian_width

WIDTH = 100
TAB = "    "
LONGEST_WORD = 40
"""Characters; a longer one may be cut, as its escapes could take a line of their own."""
_SHORT = {"\n": "\\n", "\t": "\\t", "\r": "\\r"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """A place in a text that the program fills in when it runs."""

    code: str
    """An expression without quotes, backslashes and braces, as f-strings of Python 3.11 want it."""


Text: TypeAlias = tuple[str | Slot, ...]
"""What is known, and where something is filled in."""


def filled(template: str, values: Mapping[str, Text]) -> Text:
    """A prompt template with its variables filled in, each with a text that may hold slots."""
    found: list[str | Slot] = []
    for literal, name, _, _ in Formatter().parse(template):
        found += [literal, *(() if name is None else values[name])]
    return joined(found)


def names_in(template: str) -> tuple[str, ...]:
    """The variables of a prompt template, each once, as they come."""
    names = (name for _, name, _, _ in Formatter().parse(template))
    return tuple(dict.fromkeys(name for name in names if name is not None))


def joined(pieces: Sequence[str | Slot]) -> Text:
    """The same text with neighbouring strings as one, and without empty ones."""
    found: list[str | Slot] = []
    for piece in pieces:
        last = found[-1] if found else None
        if isinstance(piece, str) and isinstance(last, str):
            found[-1] = last + piece
        elif piece != "":
            found.append(piece)
    return tuple(found)


def stripped(text: Text) -> Text:
    """Without blanks at its ends, as far as they are known."""
    pieces = list(text)
    if pieces and isinstance(pieces[0], str):
        pieces[0] = pieces[0].lstrip()
    if pieces and isinstance(pieces[-1], str):
        pieces[-1] = pieces[-1].rstrip()
    return joined(pieces)


def needs(text: Text) -> frozenset[str]:
    """The code of its slots."""
    return frozenset(piece.code for piece in text if isinstance(piece, Slot))


def in_line(text: str | Text) -> str:
    """The text as one literal on one line, however long."""
    return _row(list(_atoms(text)))


def literal(text: str | Text, *, indent: int = 0, before: int = 0, after: int = 0) -> str:
    """The text as an expression. `before` and `after`: columns taken on its first and last line.

    Where it takes several lines it stands in parentheses, whose inner lines are indented by one
    step more than `indent` columns, or between triple quotes.
    """
    one = in_line(text)
    breaks = sum(piece.count("\n") for piece in _pieces(text) if isinstance(piece, str))
    if width(one) + before + after <= WIDTH and (breaks < 2 or width(one) < WIDTH // 2):
        return one
    return _between_triple_quotes(_pieces(text), after) if breaks else _side_by_side(text, indent)


def width(text: str) -> int:
    """Columns, as ruff counts them."""
    return sum(2 if east_asian_width(character) in "WF" else 1 for character in text)


def _pieces(text: str | Text) -> Text:
    return (text,) if isinstance(text, str) else text


def _atoms(text: str | Text) -> Iterator[str | Slot]:
    """Characters and slots, which nothing may tear apart."""
    for piece in _pieces(text):
        yield from (piece,) if isinstance(piece, Slot) else piece


def _row(atoms: Sequence[str | Slot]) -> str:
    """A string on one line, an f-string where something is filled in."""
    doubles, singles = atoms.count('"'), atoms.count("'")
    quote = "'" if doubles > singles else '"'
    f = "f" if any(isinstance(atom, Slot) for atom in atoms) else ""
    return f"{f}{quote}{''.join(_encoded(atom, f=bool(f), quote=quote) for atom in atoms)}{quote}"


def _encoded(atom: str | Slot, *, f: bool, quote: str) -> str:
    if isinstance(atom, Slot):
        return f"{{{atom.code}}}"
    if atom in ("\\", quote):
        return f"\\{atom}"
    if f and atom in "{}":
        return atom * 2
    if atom.isprintable():
        return atom
    if atom in _SHORT:
        return _SHORT[atom]
    code = ord(atom)
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _side_by_side(text: str | Text, indent: int) -> str:
    """Strings one below the other, each breaking after a word."""
    inside = " " * indent + TAB
    f = any(isinstance(piece, Slot) for piece in _pieces(text))
    room = WIDTH - len(inside) - len('f""')
    rows: list[list[str | Slot]] = [[]]
    taken = 0
    for word in _words(_atoms(text)):
        # With the other quotes it would take no more.
        columns = width("".join(_encoded(atom, f=f, quote='"') for atom in word))
        if rows[-1] and taken + columns > room:
            rows.append([])
            taken = 0
        rows[-1] += word
        taken += columns
    return "\n".join(["(", *(f"{inside}{_row(row)}" for row in rows), f"{' ' * indent})"])


def _words(atoms: Iterable[str | Slot]) -> Iterator[list[str | Slot]]:
    """Words with the blank behind them; what has none for long is cut."""
    word: list[str | Slot] = []
    for atom in atoms:
        word.append(atom)
        if atom == " " or len(word) >= LONGEST_WORD:
            yield word
            word = []
    if word:
        yield word


def _between_triple_quotes(pieces: Text, after: int) -> str:
    f = any(isinstance(piece, Slot) for piece in pieces)
    rows: list[str] = []
    for line in _lines(pieces, f=f):
        if line[-1:] == [" "]:
            line[-1] = "\\x20"
        rows += _wrapped(line)
    if width(rows[-1]) + 3 + after > WIDTH:
        rows[-1] += "\\"
        rows.append("")
    return "\n".join([f'{"f" if f else ""}"""\\', *rows]) + '"""'


def _lines(pieces: Text, *, f: bool) -> Iterator[list[str]]:
    """The encoded atoms of each line."""
    line: list[str] = []
    for place, piece in enumerate(pieces):
        ends = place == len(pieces) - 1
        for i, atom in enumerate(_atoms((piece,))):
            if atom == "\n":
                yield line
                line = []
            elif atom == '"' and isinstance(piece, str) and _would_end(piece, i, last=ends):
                line.append('\\"')
            else:
                line.append(_encoded(atom, f=f, quote=""))
    yield line


def _would_end(text: str, place: int, *, last: bool) -> bool:
    """Whether this quotation mark is one of three, or stands before the closing ones."""
    around = text[max(0, place - 2) : place + 3]
    return '"""' in around or (last and place == len(text) - 1)


def _wrapped(units: Sequence[str]) -> list[str]:
    """A line over as many rows as it needs; a backslash ends each but the last."""
    rows, taken = [""], 0
    for word in _words(units):
        said = "".join(str(unit) for unit in word)
        columns = width(said)
        if taken and taken + columns > WIDTH - 4:
            rows[-1] += "\\"
            rows.append("")
            taken = 0
        rows[-1] += said
        taken += columns
    return rows
