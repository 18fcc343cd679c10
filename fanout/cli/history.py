"""`python -m fanout history`: every run, newest first, or those that a search finds."""

from __future__ import annotations

import argparse
import json
import sys
from datetime import UTC, datetime

from fanout.cli.records import opened
from fanout.errors import InputError
from fanout.render.sanitise import clean_text
from fanout.render.words import money_text, run_word, seconds_text
from fanout.store.values import Question, RunRow
from fanout.types import RunStatus

TOPIC_WIDTH = 60


def history_command(options: argparse.Namespace) -> int:
    """One line per run; with --json an array of objects."""
    question = Question(
        text=options.search,
        workflows=tuple(options.workflow),
        models=tuple(options.model),
        statuses=tuple(RunStatus(name) for name in options.status),
        tags=tuple(options.tag),
        since=_day(options.since, "--since"),
        until=_day(options.until, "--until"),
        favourites=options.favourites,
        rows=options.rows or bool(options.batch),
        batch=options.batch,
        limit=options.limit,
    )
    with opened() as store:
        found = store.history.find(question)
    if options.json:
        print(json.dumps([_record(row) for row in found.rows], ensure_ascii=False))
        return 0
    for row in found.rows:
        print(_line(row))
    more = found.total - len(found.rows)
    if more > 0:
        print(f"{more:,} more; --limit shows them, --search finds one.", file=sys.stderr)
    if not found.rows:
        print("No run fits." if found.total or _asked(options) else "No runs yet.", file=sys.stderr)
    return 0


def _asked(options: argparse.Namespace) -> bool:
    narrowing = (options.search, options.workflow, options.model, options.status, options.tag)
    return any(narrowing) or bool(options.since or options.until or options.favourites)


def _line(row: RunRow) -> str:
    when = datetime.fromtimestamp(row.started_at).astimezone().strftime("%Y-%m-%d %H:%M")
    words = " ".join(clean_text(row.label.name or row.topic).split())
    topic = words if len(words) <= TOPIC_WIDTH else f"{words[: TOPIC_WIDTH - 1]}…"
    star = "★ " if row.label.favourite else ""
    facts = f"{seconds_text(row.wall_s)}, {money_text(row.cost_usd)}"
    return (
        f"{row.id}  {when}  {run_word(row.status):<16} {row.workflow:<16} {facts:<24} {star}{topic}"
    )


def _record(row: RunRow) -> dict[str, object]:
    return {
        "run_id": row.id,
        "workflow": row.workflow,
        "topic": row.topic,
        "name": row.label.name,
        "status": row.status.value,
        "started_at": datetime.fromtimestamp(row.started_at, UTC).isoformat(timespec="seconds"),
        "wall_s": round(row.wall_s, 4),
        "sequential_s": round(row.sequential_s, 4),
        "cost_usd": None if row.cost_usd is None else float(round(row.cost_usd, 9)),
        "models": list(row.models),
        "branches": row.branches,
        "failed": row.failed,
        "favourite": row.label.favourite,
        "tags": list(row.label.tags),
        "notes": row.label.notes,
    }


def _day(text: str, option: str) -> float | None:
    """The first second of a day, in this machine's time zone."""
    if not text:
        return None
    try:
        return datetime.strptime(text, "%Y-%m-%d").astimezone().timestamp()
    except ValueError:
        raise InputError(f"{option} takes a day like 2026-11-22; {text[:40]} is none.") from None
