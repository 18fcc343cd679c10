"""Branches added, copied, moved and taken out of a draft, each as one click."""

from __future__ import annotations

from components.workflow_editor.draft import UID, Draft, Row, new_uid
from fanout.workflows.specs import MAX_BRANCHES


def add(draft: Draft, like: Row | None = None) -> None:
    """A new branch at the end, or a copy right behind the one it is like."""
    draft.collect()
    rows = draft.rows("branches")
    if len(rows) >= MAX_BRANCHES:
        return
    row = _new_row(draft, rows) if like is None else _copied(rows, like)
    at = rows.index(like) + 1 if like is not None and like in rows else len(rows)
    rows.insert(at, row)
    draft.branch = str(row[UID])


def _new_row(draft: Draft, rows: list[Row]) -> Row:
    number = _free(rows, "branch-{}", "Branch {}", len(rows) + 1)
    last = rows[-1] if rows else {}
    held = last.get("variables")
    own = not str(draft.data.get("prompt") or "").strip()
    return {
        "id": f"branch-{number}",
        "title": f"Branch {number}",
        "prompt": "Write about {topic}." if own else None,
        "variables": dict.fromkeys(held, "") if isinstance(held, dict) else {},
        "model": "",
        "temperature": None,
        "max_tokens": None,
        "fallback": None,
        "enabled": True,
        "times": 1,
        "weight": 1.0,
        "queries": "whole",
        UID: new_uid(),
    }


def _copied(rows: list[Row], like: Row) -> Row:
    base, title = str(like.get("id"))[:36], str(like.get("title"))[:70]
    number = _free(rows, base.rstrip("-") + "-{}", title + " {}", 2)
    held = like.get("variables")
    return {
        **like,
        "id": f"{base.rstrip('-')}-{number}",
        "title": f"{title} {number}",
        "variables": {**held} if isinstance(held, dict) else {},
        UID: new_uid(),
    }


def _free(rows: list[Row], an_id: str, title: str, start: int) -> int:
    """The first number that neither an id nor a title has."""
    taken = {str(row.get(field)) for row in rows for field in ("id", "title")}
    number = start
    while an_id.format(number) in taken or title.format(number) in taken:
        number += 1
    return number


def move(draft: Draft, row: Row, by: int) -> None:
    """So many places later, or earlier where it is less than nothing."""
    draft.collect()
    rows = draft.rows("branches")
    at = rows.index(row)
    rows.insert(max(0, at + by), rows.pop(at))


def remove(draft: Draft, row: Row) -> None:
    """Take it out, and show the one that has its place now."""
    draft.collect()
    rows = draft.rows("branches")
    at = rows.index(row)
    rows.pop(at)
    draft.branch = str(rows[min(at, len(rows) - 1)][UID]) if rows else ""
