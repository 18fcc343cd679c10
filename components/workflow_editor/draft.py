"""A workflow that is being edited: plain data that may be wrong, kept in the session until saved.

Fields are read from the session at the start of a script run, and of every click's handler, and not
where they are drawn: a click can arrive together with the last typed text, and what is not drawn
any more, such as the branch shown before, has to be kept too.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field

import streamlit as st

from fanout.workflows.definition import Workflow
from fanout.workflows.parsing import Complaint, complaints, parse

Row = dict[str, object]
Path = tuple[str, ...]
"""Where a value is: ("aggregate", "prompt"), or ("branches", the row's uid, "title")."""

UID = "_uid"
ROWS = ("branches", "rubric")
_uids = itertools.count(1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    """A drawn field: where its value belongs, and how text and value become each other."""

    path: Path
    read: Callable[[object], object]
    show: Callable[[object], object]


@dataclass(slots=True, kw_only=True)
class Draft:
    name: str
    data: Row
    opened: Workflow
    """As it was in its file when it was opened."""
    seen: str
    """The version of the file then."""
    bound: dict[str, Bound] = field(default_factory=dict)
    branch: str = ""
    """The uid of the branch that is shown."""
    aggregates: dict[str, Row] = field(default_factory=dict)
    """By kind, what was typed for ways of combining that are not chosen now."""

    @property
    def kind(self) -> str:
        return str(self.data["kind"])

    @property
    def title(self) -> str:
        return str(self.data.get("title") or self.name)

    def plain(self) -> Row:
        """The data as a file would hold it."""
        rows = {key: [_without_uid(row) for row in self.rows(key)] for key in self.data_rows()}
        return {**self.data, **rows}

    def complaints(self) -> tuple[Complaint, ...]:
        return complaints(self.plain(), name=self.name)

    def workflow(self) -> Workflow:
        """DefinitionError if it can't be one."""
        return parse(self.plain(), name=self.name)

    @property
    def changed(self) -> bool:
        """True where saving would change something."""
        return self.plain() != _data(self.opened)

    def data_rows(self) -> tuple[str, ...]:
        return tuple(key for key in ROWS if key in self.data)

    def rows(self, key: str) -> list[Row]:
        rows = self.data.get(key) if key in ROWS else None
        return rows if isinstance(rows, list) else []

    def row(self, key: str, uid: str) -> Row | None:
        return next((row for row in self.rows(key) if row[UID] == uid), None)

    def get(self, path: Path) -> object:
        holder = self._holder(path)
        return None if holder is None else holder.get(path[-1])

    def put(self, path: Path, value: object) -> None:
        """Set a value; nothing where its row or table is gone."""
        holder = self._holder(path)
        if holder is not None:
            holder[path[-1]] = value

    def place(self, where: tuple[str | int, ...]) -> Path:
        """A complaint's place with rows by their uid."""
        path: list[str] = []
        for part in where:
            rows = self.rows(path[-1]) if path and path[-1] in ROWS else []
            known = isinstance(part, int) and part < len(rows)
            path.append(str(rows[int(part)][UID]) if known else str(part))
        return tuple(path)

    def collect(self) -> None:
        """Take over what the fields say."""
        for key, bound in self.bound.items():
            if key in st.session_state:
                typed, now = st.session_state[key], self.get(bound.path)
                # What can't be shown as it is, such as a line end in a list, is left alone.
                if typed != bound.show(now) and bound.read(typed) != now:
                    self.put(bound.path, bound.read(typed))

    def replace(self, path: Path, value: object) -> None:
        """Set a value for the person, so that the fields of it show the new one."""
        self.put(path, value)
        self.forget_fields(path)

    def forget_fields(self, path: Path = ()) -> None:
        """Let the fields there begin from the data again."""
        for key, bound in list(self.bound.items()):
            if bound.path[: len(path)] == path:
                st.session_state.pop(key, None)
                del self.bound[key]

    def begin_from(self, workflow: Workflow, seen: str) -> None:
        """Drop the edits and show this."""
        self.forget_fields()
        self.name, self.opened, self.seen = workflow.name, workflow, seen
        self.data = with_uids(_data(workflow))
        self.aggregates.clear()

    def saved(self, workflow: Workflow, seen: str) -> None:
        """Go on from what was saved; each row stays the one it is."""
        uids = {key: [str(row[UID]) for row in self.rows(key)] for key in ROWS}
        self.opened, self.seen = workflow, seen
        self.data = _data(workflow)
        for key in self.data_rows():
            self.data[key] = [
                {**row, UID: uid} for row, uid in zip(self.rows(key), uids[key], strict=True)
            ]

    def _holder(self, path: Path) -> Row | None:
        """The table that a value lies in."""
        here: object = self.data
        for i, part in enumerate(path[:-1]):
            if i == 1 and path[0] in ROWS:
                here = self.row(path[0], part)
            elif isinstance(here, dict):
                here = here.get(part)
        return here if isinstance(here, dict) else None


def draft_of(workflow: Workflow, seen: str) -> Draft:
    """A draft that begins from a workflow."""
    data = with_uids(_data(workflow))
    return Draft(name=workflow.name, data=data, opened=workflow, seen=seen)


def with_uids(data: Row) -> Row:
    """Each row gets a name of its own, so that its fields stay its own wherever it moves."""
    changes: Row = {}
    for key in ROWS:
        rows = data.get(key)
        if isinstance(rows, list):
            changes[key] = [{**row, UID: new_uid()} for row in rows]
    return {**data, **changes}


def new_uid() -> str:
    return f"row{next(_uids)}"


def _data(workflow: Workflow) -> Row:
    return workflow.model_dump(mode="json", exclude={"name"})


def _without_uid(row: Row) -> Row:
    return {key: value for key, value in row.items() if key != UID}
