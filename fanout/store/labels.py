"""What a person writes on a run: a name, notes, tags and a star, cleaned before they are kept."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from sqlalchemy import ColumnElement, Connection, delete, func, insert, select, update

from fanout.errors import InputError
from fanout.people import PersonId
from fanout.store import searching
from fanout.store.rows import cleaned, short
from fanout.store.schema import runs, tags
from fanout.store.values import Label

NAME = 200
"""Characters that a name may have."""
NOTES = 20_000
TAGS, TAG = 20, 60
"""How many tags a run may have, and how many characters each."""


def tidied(label: Label) -> Label:
    """Trimmed, with every tag once whatever its case; InputError where something is too long."""
    name = " ".join(cleaned(label.name).split())
    notes = cleaned(label.notes).strip()
    kept: dict[str, str] = {}
    for tag in label.tags:
        written = " ".join(cleaned(tag).split())
        if written:
            kept.setdefault(written.casefold(), written)
    if len(name) > NAME:
        raise InputError(f"The name has {len(name)} characters; {NAME} is the most.")
    if len(notes) > NOTES:
        raise InputError(f"The notes have {len(notes):,} characters; {NOTES:,} is the most.")
    if len(kept) > TAGS:
        raise InputError(f"These are {len(kept)} tags; a run can have {TAGS}.")
    for written in kept.values():
        if len(written) > TAG:
            raise InputError(
                f'The tag "{written[:20]}…" has {len(written)} characters; {TAG} is the most.'
            )
    return replace(label, name=name, notes=notes, tags=tuple(kept.values()))


def put(connection: Connection, run_id: str, label: Label, person: PersonId | None = None) -> None:
    """Replace what is written on the run; `label` is tidied. InputError if there is no such run."""
    own = (runs.c.id == short(run_id, 64), *owned(person))
    number = connection.execute(select(runs.c.number).where(*own).with_for_update()).scalar()
    if number is None:
        raise InputError("This run is not there any more, so nothing can be written on it.")
    connection.execute(
        update(runs)
        .where(runs.c.number == number)
        .values(name=label.name, notes=label.notes, favourite=label.favourite)
    )
    spelled = _spelled(connection, label.tags, person)
    connection.execute(delete(tags).where(tags.c.run == number))
    if spelled:
        connection.execute(insert(tags), [{"run": number, "tag": tag} for tag in spelled])
    searching.relabel(connection, number, f"{label.name}\n{label.notes}")


def owned(person: PersonId | None) -> list[ColumnElement[bool]]:
    """The condition on `runs` that they are this person's; none for None."""
    return [] if person is None else [runs.c.person == person]


def of(connection: Connection, run_id: str, person: PersonId | None = None) -> Label:
    """An empty one where there is no such run."""
    row = connection.execute(
        select(runs.c.number, runs.c.name, runs.c.notes, runs.c.favourite).where(
            runs.c.id == short(run_id, 64), *owned(person)
        )
    ).first()
    if row is None:
        return Label()
    return Label(
        name=row.name,
        notes=row.notes,
        favourite=row.favourite,
        tags=tags_of(connection, [row.number]).get(row.number, ()),
    )


def tags_of(connection: Connection, numbers: Iterable[int]) -> dict[int, tuple[str, ...]]:
    """By the run's number, in alphabetical order; runs without tags are left out."""
    found: dict[int, list[str]] = {}
    asked = select(tags).where(tags.c.run.in_(list(numbers)))
    for row in connection.execute(asked):
        found.setdefault(row.run, []).append(row.tag)
    return {run: tuple(sorted(own, key=str.casefold)) for run, own in found.items()}


def used(connection: Connection, person: PersonId | None = None) -> tuple[str, ...]:
    """Every tag on a run that is not deleted, the most used first."""
    rows = connection.execute(
        select(tags.c.tag, func.count())
        .join(runs, runs.c.number == tags.c.run)
        .where(runs.c.deleted_at.is_(None), *owned(person))
        .group_by(tags.c.tag)
    ).all()
    return tuple(tag for tag, _ in sorted(rows, key=lambda row: (-row[1], row[0])))


def _spelled(connection: Connection, wanted: Iterable[str], person: PersonId | None) -> list[str]:
    """As they are written on other runs, so that "Demo" and "demo" stay one tag."""
    wanted = list(wanted)
    if not wanted:
        return []
    there = select(tags.c.tag).distinct().order_by(tags.c.tag)
    if person is not None:
        there = there.join(runs, runs.c.number == tags.c.run).where(*owned(person))
    known = connection.execute(there).scalars()
    spelling = {tag.casefold(): tag for tag in known}
    return [spelling.get(tag.casefold(), tag) for tag in wanted]
