"""A whole run as one JSON object: the record for programs, the timeline to bring it back.

Whoever reads it finds the fields of the command line's `--json` first. An import believes only
"timeline" and "label" and derives everything else anew (see `importing`).
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from functools import cache
from itertools import accumulate, repeat
from time import time

from pydantic import TypeAdapter

from fanout.events import BranchWrote, Event
from fanout.export.importing_limits import MOST_TEXT_EVENTS
from fanout.record import run_record
from fanout.store.values import StoredRun
from fanout.timeline import FRAME_S, compact, encode
from fanout.types import MadeWith

FORMAT = "fanout-run"
FORMAT_VERSION = 1
"""Counts up when an older Fanout could not read what this one writes."""


def json_export(run: StoredRun, *, now: float | None = None) -> str:
    """The run's record, its definition and its whole timeline; ASCII only, one event a line.

    `now` is the Unix time that it says it was exported at.
    """
    exported = datetime.fromtimestamp(time() if now is None else now, UTC)
    head: dict[str, object] = {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "exported_at": exported.isoformat(timespec="seconds"),
        **run_record(run.snapshot, run.snapshot.at),
        "label": asdict(run.label),
        **_made_with(run.snapshot.made_with),
    }
    lines = (json.dumps(_finite(encode(event))) for event in _fitting(run.events))
    text = json.dumps(_finite(head), indent=1, allow_nan=False).removesuffix("\n}")
    return text + ',\n "timeline": [\n' + ",\n".join(lines) + "\n]\n}\n"


def _made_with(made: MadeWith | None) -> dict[str, object]:
    if made is None:
        return {"definition": None, "made_with": None}
    fields: dict[str, object] = _adapter().dump_python(made, mode="json")
    return {"definition": fields.pop("definition"), "made_with": fields}


@cache
def _adapter() -> TypeAdapter[MadeWith]:
    return TypeAdapter(MadeWith)


def _fitting(events: Sequence[Event]) -> Sequence[Event]:
    """The events as they are; pieces of text joined where an import would find too many."""
    widths = accumulate(repeat(2.0), lambda width, by: width * by, initial=FRAME_S)
    while sum(isinstance(event, BranchWrote) for event in events) > MOST_TEXT_EVENTS:
        width = next(widths)
        events = compact(events, width)
        if width > 1e6:
            break
    return events


def _finite(value: object) -> object:
    """JSON has no NaN and no infinity: they become null."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {key: _finite(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(each) for each in value]
    return value
