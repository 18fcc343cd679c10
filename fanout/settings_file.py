"""The settings file: TOML in, a text for each variable out, and where in the file each one stands.

A key that nobody knows is refused, so that a misspelt bound never means "no bound". A value of the
wrong kind is told with its key, its file and its line.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

from fanout.errors import SettingsError
from fanout.settings_names import unknown_key
from fanout.settings_table import BY_KEY, Kind, Setting

NAME = "fanout.toml"
MOST_BYTES = 1_000_000
MOST_CHARS = 80
"""Of a key that nobody knows, as it is told."""
_SECTION = re.compile(r"\s*\[([^\[\]]+)\]\s*(?:#.*)?$")
_NO_TEXT = (Kind.FLAG, Kind.WHOLE, Kind.PORT, Kind.MONEY, Kind.HOSTS, Kind.NAMES)
_FLAG_TEXT = {True: "1", False: "0"}


@dataclass(frozen=True, slots=True, kw_only=True)
class FromFile:
    """What a file says; empty where there is none."""

    path: Path | None = None
    values: Mapping[str, str] = field(default_factory=dict)
    """By the name of the variable."""
    places: Mapping[str, str] = field(default_factory=dict)
    """How to name each: "limits.max_runs (/etc/fanout.toml, line 12)"."""
    wrong: Mapping[str, str] = field(default_factory=dict)
    """By the name of the variable, why its value can't be used."""


def read(path: Path) -> FromFile:
    """SettingsError where the file can't be read, is no TOML, or has a key that nobody knows."""
    text = _text(path)
    try:
        document = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        # A number of thousands of digits, or brackets in brackets, is no TOMLDecodeError.
        raise SettingsError(
            f"{path} can't be read as TOML: {_without_quotes(str(error))}. Mend that line."
        ) from None
    lines = _lines(text)
    values, places, wrong, unknown = {}, {}, {}, []
    for key, value in _flat(document):
        place = f"{path}{_line(lines, key)}"
        setting = BY_KEY.get(key)
        if setting is None:
            unknown.append(f"{place}: {unknown_key(key[:MOST_CHARS])}")
            continue
        places[setting.name] = f"{key} ({place})"
        try:
            values[setting.name] = _as_text(setting, value)
        except ValueError as error:
            wrong[setting.name] = f"{setting.name} is {error}."
    if unknown:
        raise SettingsError(" ".join(unknown))
    return FromFile(path=path, values=values, places=places, wrong=wrong)


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            raw = file.read(MOST_BYTES + 1)
        if len(raw) > MOST_BYTES:
            raise SettingsError(f"{path} is too long for a settings file. Give the right one.")
        return raw.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError:
        raise SettingsError(f"{path} is no UTF-8 text. Save it as UTF-8.") from None
    except OSError as error:
        raise SettingsError(
            f"The settings file {path} can't be read: {error.strerror}. Mend that, or change "
            "FANOUT_CONFIG."
        ) from None


def _flat(table: Mapping[str, object], before: str = "") -> Iterator[tuple[str, object]]:
    sections = {key.rpartition(".")[0] for key in BY_KEY}
    for name, value in table.items():
        key = f"{before}{name}"
        if isinstance(value, dict) and (value or key in sections):
            yield from _flat(value, f"{key}.")
        else:
            yield key, value


def _as_text(setting: Setting, value: object) -> str:
    """As an environment would say it; ValueError, in words, where it is of another kind."""
    match setting.kind:
        case Kind.FLAG if isinstance(value, bool):
            return _FLAG_TEXT[value]
        case Kind.WHOLE | Kind.PORT if isinstance(value, int) and not isinstance(value, bool):
            return str(value)
        case Kind.MONEY if isinstance(value, int | float) and not isinstance(value, bool):
            return str(Decimal(repr(value)))
        case Kind.HOSTS | Kind.NAMES if isinstance(value, list):
            if all(isinstance(each, str) and not {",", " "} & set(each) for each in value):
                return ", ".join(value)
        case _ if isinstance(value, str) and setting.kind not in _NO_TEXT:
            return value
        case _:
            pass
    raise ValueError(f"{_wanted(setting)}; {_found(value)} stands there now")


def _wanted(setting: Setting) -> str:
    if setting.kind in (Kind.HOSTS, Kind.NAMES):
        return f'{setting.kind}, each in quotation marks: ["one", "two"]'
    return str(setting.kind)


def _found(value: object) -> str:
    match value:
        case bool():
            return str(value).lower()
        case int():
            return "a number"
        case float():
            return "a decimal number"
        case str():
            return "a text in quotation marks"
        case list():
            return "a list"
        case dict():
            return "a section"
        case _:
            return "a date or time"


def _lines(text: str) -> dict[str, int]:
    """The line, from 1, of each key and section, as far as can be told without parsing."""
    found: dict[str, int] = {}
    section = ""
    for number, line in enumerate(text.split("\n"), 1):
        if head := _SECTION.match(line):
            section = _plain(head[1]) + "."
            found.setdefault(section[:-1], number)
            continue
        key, equals, _ = line.partition("=")
        if equals:
            found.setdefault(section + _plain(key), number)
    return found


def _line(lines: Mapping[str, int], key: str) -> str:
    while key and key not in lines:
        key = key.rpartition(".")[0]
    return f", line {lines[key]}" if key else ""


def _plain(key: str) -> str:
    return ".".join(part.strip().strip("\"'") for part in key.split("."))


def _without_quotes(said: str) -> str:
    """The parser quotes what stands there, which may be a part of a key."""
    return re.sub(r"(['\"]).*\1", "something", said)
