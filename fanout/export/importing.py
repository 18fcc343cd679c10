"""A run brought back from its JSON export, which may come from anywhere and be edited by hand.

Only its timeline and its label are believed. Every event is decoded and checked, folded anew and
drawn once; what comes out is either a run like any other or an InputError.
"""

from __future__ import annotations

import hashlib
import json
import logging
import re
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from typing import Literal, Protocol

from fanout.errors import FanoutError, StoreConflict
from fanout.events import Event, RunStarted
from fanout.export.importing_limits import (
    LONGEST_TEXT,
    MOST_OTHER_EVENTS,
    MOST_TEXT_EVENTS,
    parsed,
    refused,
)
from fanout.export.importing_order import picture
from fanout.export.importing_values import check
from fanout.export.json_export import FORMAT, FORMAT_VERSION
from fanout.fold import apply
from fanout.people import PersonId
from fanout.record import run_record
from fanout.render.frames import FrameBuilder
from fanout.snapshot import Branch, Snapshot
from fanout.store.reading import endings
from fanout.store.values import Label, StoredRun, Update
from fanout.timeline import compact, decode, encode_lines
from fanout.types import RunId

log = logging.getLogger(__name__)

SAFE_ID = re.compile(r"[A-Za-z0-9_-]{8,64}")
"""Ids that stand in an address as they are."""
LONGEST_NAME, LONGEST_NOTES, LONGEST_TAG, MOST_TAGS = 200, 20_000, 60, 50
_DRAWN_CHARACTERS = 2_000
"""Of each text, where drawing it only has to prove that it can be drawn."""


class Runs(Protocol):
    """What an import needs of the store."""

    def load(self, run_id: str) -> StoredRun | None: ...

    def write(self, updates: Sequence[Update], *, imported: bool = False) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """What became of one file."""

    run: StoredRun
    """As it is kept: under this id it can be opened."""
    how: Literal["new", "there", "renamed"]
    """There: the same run was here already. Renamed: its id was taken by another run."""

    @property
    def id(self) -> RunId:
        return self.run.id


def read_export(data: bytes) -> StoredRun:
    """The run in an exported file. InputError: what is wrong, where, and what to do."""
    record = parsed(data)
    _check_format(record)
    events = _timeline(record.get("timeline"))
    events = _with_safe_ids(events)
    snapshot = picture(events)
    if not snapshot.status.finished:
        events, snapshot = _interrupted(events, snapshot)
    _check_drawing(snapshot)
    return StoredRun(events=events, snapshot=snapshot, label=_label(record.get("label")))


def import_run(store: Runs, data: bytes, whose: PersonId | None = None) -> Imported:
    """Keep the run of an exported file, unless it is there; InputError, or the store's error.

    `whose` is the person of a shared Fanout whose view `store` is. Theirs always get an id of their
    own: whether that of the file was free would tell whether another person has such a run.

    The label is part of the result; keeping it is left to whoever keeps labels.
    """
    run = read_export(data)
    own = _own_id(run.events, whose)
    for number, wanted in enumerate((run.id, own, _random_id())):
        kept = store.load(wanted)
        if kept is not None and _content(kept.events) == _content(run.events):
            return Imported(run=kept, how="there")
        if kept is not None or (whose and not number):
            continue
        run = _called(run, wanted)
        try:
            store.write([Update(snapshot=run.snapshot, events=run.events, first=0)], imported=True)
        except StoreConflict:
            # It was taken in this very moment.
            continue
        return Imported(run=run, how="renamed" if number and not whose else "new")
    raise refused("its id is taken", do="Try again.")


def _check_format(record: Mapping[str, object]) -> None:
    version = record.get("format_version")
    if record.get("format") != FORMAT or not isinstance(version, int) or version < 1:
        raise refused(
            "it is JSON, but no exported run", do="Choose a file that was made by Export, JSON."
        )
    if version > FORMAT_VERSION:
        raise refused(
            f"it was written by a newer Fanout (format {version}; this one reads up to "
            f"{FORMAT_VERSION})",
            "format_version",
            do="Update Fanout on this machine, then import it again.",
        )


def _timeline(records: object) -> tuple[Event, ...]:
    if not isinstance(records, list):
        raise refused("the list of the run's events is missing", "timeline")
    if len(records) > MOST_TEXT_EVENTS + MOST_OTHER_EVENTS:
        raise refused(
            f"it has {len(records):,} events, and at most "
            f"{MOST_TEXT_EVENTS + MOST_OTHER_EVENTS:,} are read",
            "timeline",
        )
    events = []
    for index, record in enumerate(records):
        try:
            event = decode(record)
            check(event)
        except (FanoutError, ValueError, TypeError, ArithmeticError, RecursionError) as error:
            raise refused(str(error), f"timeline[{index}]") from None
        events.append(event)
    return tuple(events)


def _with_safe_ids(events: tuple[Event, ...]) -> tuple[Event, ...]:
    """An id that can't stand in an address gives way to one made of the run's own content."""
    started = events[0] if events else None
    if not isinstance(started, RunStarted):
        return events
    made = started.made_with
    if made is not None and made.derived_from and not SAFE_ID.fullmatch(made.derived_from):
        started = replace(started, made_with=replace(made, derived_from=None))
    if not SAFE_ID.fullmatch(started.run_id):
        started = replace(started, run_id=_own_id(events))
    return (started, *events[1:])


def _own_id(events: Sequence[Event], whose: PersonId | None = None) -> RunId:
    """The same for the same content and person, so that a file imported twice is found again."""
    digest = hashlib.sha256("".join((whose or "", *_content(events))).encode()).digest()
    return RunId(urlsafe_b64encode(digest[:12]).decode())


def _random_id() -> RunId:
    return RunId(secrets.token_urlsafe(12))


def _content(events: Sequence[Event]) -> tuple[str, ...]:
    """What is told of a run, whatever it is called and into whatever pieces its text was cut."""
    first = events[0]
    if isinstance(first, RunStarted):
        events = (replace(first, run_id=RunId("")), *events[1:])
    return tuple(encode_lines([event]) for event in compact(events, float("inf")))


def _called(run: StoredRun, run_id: RunId) -> StoredRun:
    started = run.events[0]
    assert isinstance(started, RunStarted), "read_export lets nothing else through"
    return replace(
        run,
        events=(replace(started, run_id=run_id), *run.events[1:]),
        snapshot=replace(run.snapshot, run_id=run_id),
    )


def _interrupted(
    events: tuple[Event, ...], snapshot: Snapshot
) -> tuple[tuple[Event, ...], Snapshot]:
    """A run that was exported while it was going on ends here, as one whose process was killed."""
    ends = endings(snapshot)
    return (*events, *ends), reduce(apply, ends, snapshot)


def _check_drawing(snapshot: Snapshot) -> None:
    """Draw it once. Types and order are checked by now; what is left to find is nonsense in them,
    such as a schema that is none, and that must not wait until somebody opens the run."""
    short = replace(
        snapshot,
        branches=tuple(_short(branch) for branch in snapshot.branches),
        aggregates=tuple(
            replace(
                made,
                branch=_short(made.branch),
                before=tuple(_short(call) for call in made.before),
                answer=made.answer and made.answer[:_DRAWN_CHARACTERS],
            )
            for made in snapshot.aggregates
        ),
    )
    try:
        json.dumps(run_record(short, short.at), allow_nan=False)
        FrameBuilder().frame(snapshot, snapshot.at)
    except Exception as error:
        # Whatever a hand-made timeline trips over: the person needs to know, not a page later on.
        log.info("an import can't be drawn", exc_info=True)
        raise refused(f"it can't be drawn ({type(error).__name__})", "timeline") from None


def _short(branch: Branch) -> Branch:
    return replace(branch, text=branch.text[:_DRAWN_CHARACTERS])


def _label(record: object) -> Label:
    if record is None:
        return Label()
    if not isinstance(record, Mapping):
        raise refused("it must be an object", "label")
    tags = record.get("tags", [])
    if not isinstance(tags, list) or len(tags) > MOST_TAGS:
        raise refused(f"it must be a list of at most {MOST_TAGS} words", "label.tags")
    favourite = record.get("favourite", False)
    if not isinstance(favourite, bool):
        raise refused("it must be true or false", "label.favourite")
    return Label(
        name=_text(record.get("name", ""), "label.name", LONGEST_NAME),
        notes=_text(record.get("notes", ""), "label.notes", LONGEST_NOTES),
        tags=tuple(_text(tag, "label.tags", LONGEST_TAG) for tag in tags),
        favourite=favourite,
    )


def _text(value: object, where: str, limit: int = LONGEST_TEXT) -> str:
    if not isinstance(value, str) or len(value) > limit:
        raise refused(f"it must be a text of at most {limit:,} characters", where)
    return value
