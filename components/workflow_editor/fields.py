"""The fields of a draft: each bound to one value, and what is wrong with it said right below.

A shipped workflow is read through the same fields, drawn as text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

import streamlit as st

from components.plain import label
from components.workflow_editor.draft import Bound, Draft, Path
from fanout.workflows.parsing import Complaint

LINE_END = " ⏎ "
"""Stands for a line end inside an entry of a list, where each entry is one line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """Draws fields of one draft."""

    draft: Draft
    complaints: tuple[Complaint, ...] = ()
    read_only: bool = False

    def text(self, name: str, *path: str, hint: str = "", about: str = "") -> None:
        """One line."""
        if self._told(name, path):
            return
        key = self._bind(path, _text, _text)
        st.text_input(name, key=key, placeholder=hint, help=about or None)
        self.problem(path)

    def area(
        self, name: str, *path: str, height: int = 120, hint: str = "", about: str = "",
        nothing: object = "",
    ) -> None:  # fmt: skip
        """Several lines; emptied, its value is `nothing`."""
        if self._told(name, path, long=True):
            if nothing is None and not self.draft.get(path):
                st.markdown(f":gray[{hint}]")
            return
        key = self._bind(path, lambda typed: _text(typed) or nothing, _text)
        st.text_area(name, key=key, height=height, placeholder=hint, help=about or None)
        self.problem(path)

    def lines(
        self, name: str, *path: str, height: int = 100, hint: str = "", about: str = ""
    ) -> None:
        """A list of texts, one a line."""
        if self._told(name, path, long=True):
            return
        key = self._bind(path, _from_lines, _to_lines)
        st.text_area(name, key=key, height=height, placeholder=hint, help=about or None)
        self.problem(path)

    def numbers(self, name: str, *path: str, about: str = "") -> None:
        """A list of numbers in one line."""
        if self._told(name, path):
            return
        key = self._bind(path, _from_numbers, _to_numbers)
        st.text_input(name, key=key, help=about or None)
        self.problem(path)

    def number(
        self, name: str, *path: str, low: float, high: float, step: int | float, hint: str = "",
        about: str = "",
    ) -> None:  # fmt: skip
        """A number, or none where the field is empty."""
        if self._told(name, path):
            return
        kind = type(step)
        key = self._bind(
            path, _same, lambda now: kind(now) if isinstance(now, int | float) else None
        )
        st.number_input(
            name, kind(low), kind(high), None, step, key=key, placeholder=hint, help=about or None,
            format="%d" if isinstance(step, int) else "%g",
        )  # fmt: skip
        self.problem(path)

    def choose(
        self, name: str, *path: str, options: Mapping[str, str], about: str = "", new: bool = False
    ) -> None:
        """One of several; `new` lets others be typed."""
        now = _text(self.draft.get(path))
        options = {**options, **({} if now in options else {now: now})}
        if self._told(name, path, options):
            return
        key = self._bind(path, _text, _text)
        st.selectbox(
            name, list(options), key=key, format_func=lambda value: options.get(value, value),
            help=about or None, accept_new_options=new,
        )  # fmt: skip
        self.problem(path)

    def several(
        self, name: str, *path: str, options: Mapping[str, str], most: int,
        nothing: list[str] | None, hint: str = "", about: str = "",
    ) -> None:  # fmt: skip
        """Several of many, in the order of choosing; others may be typed. Emptied: `nothing`."""
        now = [_text(entry) for entry in _entries(self.draft.get(path))]
        words = {**{name: name for name in now}, **options}
        if self._told(name, path, words):
            return
        key = self._bind(
            path,
            lambda typed: [_text(entry) for entry in _entries(typed)] or nothing,
            lambda value: [_text(entry) for entry in _entries(value)],
        )
        st.multiselect(
            name, list(words), key=key, format_func=lambda value: words.get(value) or value,
            placeholder=hint, help=about or None, max_selections=most, accept_new_options=True,
        )  # fmt: skip
        self.problem(path)

    def money(
        self, name: str, *path: str, low: float, high: float, hint: str = "", about: str = ""
    ) -> None:  # fmt: skip
        """Dollars, kept as exact text; none where the field is empty."""
        if self._told(name, path):
            return
        key = self._bind(path, _from_dollars, _to_dollars)
        st.number_input(
            name, low, high, None, 0.05, key=key, placeholder=hint, help=about or None, format="%g"
        )
        self.problem(path)

    def switch(self, name: str, *path: str, about: str = "") -> None:
        if self.read_only:
            if not self.draft.get(path):
                st.markdown(f":gray[{name}: no]")
            return
        st.toggle(name, key=self._bind(path, bool, bool), help=about or None)

    def problem(self, path: Path) -> None:
        """What is wrong with the value there."""
        for complaint in self.complaints:
            place = self.draft.place(complaint.where)
            if place[: len(path)] == path:
                st.markdown(f":red[:material/error: {label(sentence(complaint), 400)}]")

    def problem_at(self, path: Path) -> None:
        """What is wrong with the thing there as a whole."""
        for complaint in self.complaints:
            if self.draft.place(complaint.where) == path:
                st.markdown(f":red[:material/error: {label(sentence(complaint), 400)}]")

    def problem_of_branch(self, branch_id: str) -> None:
        """A branch without a prompt of its own may be what is wrong with the shared one."""
        for complaint in self.complaints:
            if complaint.where == ("prompt",) and f'"{branch_id}"' in complaint.message:
                st.markdown(f":red[:material/error: {label(sentence(complaint), 400)}]")

    def _told(
        self, name: str, path: Path, words: Mapping[str, str] | None = None, *, long: bool = False
    ) -> bool:
        """Draw the value as text where nothing may be changed; empty ones are left out."""
        if not self.read_only:
            return False
        value = self.draft.get(path)
        if isinstance(value, list):
            text = _to_lines([(words or {}).get(_text(entry), entry) for entry in value])
        else:
            text = (words or {}).get(_text(value), _text(value))
        if text and long:
            st.caption(name)
            st.code(text, language=None, wrap_lines=True)
        elif text:
            st.markdown(f":gray[{label(name)}]  \n{label(text, 400)}")
        return True

    def _bind(
        self, path: Path, read: Callable[[object], object], show: Callable[[object], object]
    ) -> str:
        """The key of the field, and in the session what it is to show."""
        key = "-".join(("wf", self.draft.name, *path))
        now = self.draft.get(path)
        self.draft.bound[key] = Bound(path=path, read=read, show=show)
        if key not in st.session_state or read(st.session_state[key]) != read(show(now)):
            st.session_state[key] = show(now)
        return key


def sentence(complaint: Complaint) -> str:
    """A complaint as a sentence: "Title is empty"."""
    # Which branch it is stands beside it already.
    message = re.sub(
        r'^(branch "[^"]*":? |aggregate\.|vote\.|policies\.\w+\.)', "", complaint.message
    )
    message = re.sub(r"^(\w+)_s\b", r"\1", message)
    names = [part for part in complaint.where if isinstance(part, str)]
    message = message.removeprefix("input ")
    if message.startswith(("is ", "has ", "may ", "needs ", "should ")) and names:
        message = f"{names[-1].removesuffix('_s').replace('_', ' ')} {message}"
    return message[:1].upper() + message[1:]


def _to_dollars(value: object) -> float | None:
    return float(_text(value)) if value is not None else None


def _from_dollars(typed: object) -> str | None:
    """Exact: 0.1 is ten cents, and not the binary number nearest to it."""
    return f"{Decimal(str(typed)):f}" if isinstance(typed, int | float) else None


def _same(value: object) -> object:
    return value


def _text(value: object) -> str:
    if isinstance(value, float):
        return f"{value:g}"
    return "" if value is None else str(value)


def _entries(value: object) -> Sequence[object]:
    return value if isinstance(value, list | tuple) else ()


def _to_lines(value: object) -> str:
    return "\n".join(_text(entry).replace("\n", LINE_END) for entry in _entries(value))


def _from_lines(typed: object) -> list[str]:
    lines = (line.strip() for line in _text(typed).splitlines())
    return [line.replace(LINE_END, "\n") for line in lines if line]


def _to_numbers(value: object) -> str:
    return ", ".join(map(_text, _entries(value)))


def _from_numbers(typed: object) -> list[object]:
    """What is no number stays as it was typed, to be complained about."""
    return [_number(part) for part in _text(typed).replace(";", ",").split(",") if part.strip()]


def _number(text: str) -> object:
    try:
        return float(text)
    except ValueError:
        return text.strip()
