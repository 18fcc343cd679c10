"""The columns that lists, searches and sums read, drawn from a run's picture. Pure.

Texts are cleaned of what PostgreSQL or UTF-8 can't hold, and numbers fit their columns whatever
an imported run says; the timeline keeps everything as it was.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Container, Iterator
from decimal import Decimal

from fanout.insight.speed import cost_usd, speed, total_cost_usd, usage
from fanout.snapshot import Branch, Snapshot
from fanout.store.words import words
from fanout.types import BranchState, EndpointFact, Forecast

Row = dict[str, object]

NANO = 10**9
_MOST_MONEY = 2**63 - 1
_MOST = 2**31 - 1
_UNFIT = re.compile("[\x00\ud800-\udfff]")


def run_row(snapshot: Snapshot) -> Row:
    """All columns of `runs` that follow from the run itself."""
    measures = speed(snapshot, snapshot.at)
    made = snapshot.made_with
    return {
        "workflow": short(snapshot.workflow, 80),
        "title": cleaned(snapshot.title),
        "kind": short(snapshot.kind, 40),
        "topic": cleaned(snapshot.topic),
        "status": snapshot.status.value,
        "started_at": _number(snapshot.started_at),
        "wall_s": _number(measures.wall_s),
        "sequential_s": _number(measures.sequential_s),
        "cost_nano": _nano(total_cost_usd(snapshot)),
        "free": _free(snapshot),
        "branches": len(snapshot.branches),
        "failed": sum(
            b.state in (BranchState.FAILED, BranchState.TIMED_OUT) for b in snapshot.branches
        ),
        "derived_from": short(made.derived_from, 64) if made and made.derived_from else None,
        "batch": short(made.row.batch, 64) if made and made.row else "",
        **_estimated(made.estimate if made else None),
    }


def _estimated(forecast: Forecast | None) -> Row:
    """What the run was thought to take; the tokens are those of the answers."""
    return {
        "low_nano": _nano(forecast.low_usd) if forecast else None,
        "high_nano": _nano(forecast.high_usd) if forecast else None,
        "least_tokens": forecast.output_tokens_least if forecast else None,
        "most_tokens": forecast.output_tokens_most if forecast else None,
    }


def call_rows(snapshot: Snapshot, only: Container[str] | None = None) -> Iterator[Row]:
    """All columns of `calls` but `run`, in the order of `Snapshot.calls`; of those ids, or all."""
    for ordinal, (role, call, text) in enumerate(_calls(snapshot)):
        if only is not None and call.id not in only:
            continue
        tokens = usage(call) if any(go.usage for go in call.goes) else None
        fact = _fact(snapshot, call)
        yield {
            "id": short(call.id, 80),
            "ordinal": ordinal,
            "role": role,
            "title": cleaned(call.title),
            "endpoint": short(call.plan.model.endpoint, 80),
            "host": cleaned(fact.host) if fact else "",
            "model": cleaned(call.plan.model.model)[:200],
            "state": call.state.value,
            "text": cleaned(text),
            "queued_s": _second(call.queued_s),
            "first_token_s": _second(call.first_token_s),
            "finished_s": _second(call.finished_s),
            "attempts": min(sum(go.attempts for go in call.goes), _MOST),
            "input_tokens": min(tokens.input, _MOST) if tokens else None,
            "output_tokens": min(tokens.output, _MOST) if tokens else None,
            "cost_nano": _nano(cost_usd(call.goes)),
            "failure": call.failure.kind.value if call.failure else None,
        }


def word_row(snapshot: Snapshot) -> Row:
    """What of a run is searched for words, but for its label."""
    texts = "\n".join(text for _, _, text in _calls(snapshot))
    return {"topic": " ".join(words(snapshot.topic)), "texts": " ".join(words(texts))}


def cleaned(text: str) -> str:
    """Without NUL and lone surrogates, which no text column can hold."""
    return _UNFIT.sub("\ufffd", text)


def short(name: str, limit: int) -> str:
    """The name as it fits its column; two long ones stay apart."""
    name = cleaned(name)
    if len(name) <= limit:
        return name
    return f"{name[: limit - 17]}~{hashlib.sha256(name.encode()).hexdigest()[:16]}"


def _calls(snapshot: Snapshot) -> Iterator[tuple[str, Branch, str]]:
    """Every call with its role and the text that a person reads."""
    for branch in snapshot.branches:
        yield "branch", branch, branch.shown_text
    for made in snapshot.aggregates:
        for call in made.before:
            yield "preparation", call, call.shown_text
        yield "aggregate", made.branch, made.shown.text


def _fact(snapshot: Snapshot, call: Branch) -> EndpointFact | None:
    made = snapshot.made_with
    return made.endpoints.get(call.plan.model.endpoint) if made else None


def _free(snapshot: Snapshot) -> bool:
    made = snapshot.made_with
    known = made.endpoints if made else {}
    asked = {m.endpoint for go in snapshot.goes for m in (go.plan.model, go.answered_by)}
    here = all(name in known and known[name].on_this_machine for name in asked)
    # A fallback that failed too leaves nothing but what it cost.
    return bool(asked) and here and not total_cost_usd(snapshot)


def _nano(usd: Decimal | None) -> int | None:
    if usd is None or not usd.is_finite():
        return None
    nano = int((usd * NANO).to_integral_value())
    return nano if abs(nano) <= _MOST_MONEY else None


def _second(value: float | None) -> float | None:
    return None if value is None else _number(value)


def _number(value: float) -> float:
    return value if math.isfinite(value) else 0.0
