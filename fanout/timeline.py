"""A run's events as text and back, without loss: what the database and the JSON export hold.

Decoding checks every type, because an export may have been edited by hand: what comes back is
either the very events that a run can have, or an InputError that says where it goes wrong.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import get_args

from pydantic import TypeAdapter, ValidationError

from fanout.errors import InputError
from fanout.events import BranchWrote, Event
from fanout.types import BranchId

FRAME_S = 1 / 15
"""Text of one branch that came within one frame of the board is kept as one event."""


def encode(event: Event) -> dict[str, object]:
    """One event as a JSON-able object; "event" names its kind. Money is a decimal string."""
    name = event_name(type(event))
    return {"event": name, **_adapters()[name].dump_python(event, mode="json")}


def decode(record: object) -> Event:
    """The event of such an object; InputError, naming field and fault, if it isn't one."""
    if not isinstance(record, Mapping) or not isinstance(record.get("event"), str):
        raise InputError('an event must be an object with the name of its kind as "event"')
    adapter = _adapters().get(record["event"])
    if adapter is None:
        raise InputError(f'there is no event "{record["event"][:40]}"')
    fields = {key: value for key, value in record.items() if key != "event"}
    try:
        return adapter.validate_python(fields)
    except (ValidationError, RecursionError) as error:
        raise InputError(f'event "{record["event"]}": {_fault(error)}') from None


def encode_lines(events: Iterable[Event]) -> str:
    """Events as JSON lines. ASCII only, so that lone surrogates and NUL survive any storage."""
    return "".join(json.dumps(encode(event), separators=(",", ":")) + "\n" for event in events)


def decode_lines(text: str) -> tuple[Event, ...]:
    """The reverse; InputError for a line that is no event."""
    try:
        return tuple(decode(json.loads(line)) for line in text.splitlines())
    except (ValueError, RecursionError):
        raise InputError("a line of the timeline is no JSON") from None


def compact(events: Sequence[Event], within_s: float = FRAME_S) -> tuple[Event, ...]:
    """The same run in fewer events: pieces of one branch's text that nobody could tell apart.

    Text is only moved forward, by less than `within_s` seconds, and never past another event of
    its own branch, so the fold of the result ends in the same picture.
    """
    kept: list[Event] = []
    open_at: dict[BranchId, int] = {}
    for event in events:
        if not isinstance(event, BranchWrote):
            open_at.clear()
            kept.append(event)
            continue
        index = open_at.get(event.id)
        before = kept[index] if index is not None else None
        if isinstance(before, BranchWrote) and event.at - before.at < within_s:
            joined = before.text + event.text
            kept[open_at[event.id]] = replace(
                before, text=joined, pieces=before.pieces + event.pieces
            )
        else:
            open_at[event.id] = len(kept)
            kept.append(event)
    return tuple(kept)


@cache
def _adapters() -> dict[str, TypeAdapter[Event]]:
    """By the name of the event's kind."""
    return {event_name(kind): TypeAdapter(kind) for kind in get_args(Event)}


def event_name(kind: type[Event]) -> str:
    """A kind of event as JSON names it: "branch_wrote"."""
    name = kind.__name__
    return "".join(f"_{c.lower()}" if c.isupper() and i else c.lower() for i, c in enumerate(name))


def _fault(error: ValidationError | RecursionError) -> str:
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    first = error.errors(include_url=False, include_input=False)[0]
    place = ".".join(str(part) for part in first["loc"]) or "as a whole"
    return f"{place}: {first['msg']}"
