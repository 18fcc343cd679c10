"""Where the time, the tokens and the money went: three charts, each with its table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from fanout.export.html.calls import Call, every_call
from fanout.export.html.charts import Bar, Piece, bars, legend
from fanout.export.html.markup import Child, Markup, el
from fanout.export.html.parts import folded, section, table
from fanout.insight.speed import cost_usd, span_s, usage, writing_rate
from fanout.render.words import (
    cost_text,
    money_text,
    price_text,
    rate_text,
    seconds_text,
    state_word,
)
from fanout.snapshot import Branch, Snapshot
from fanout.types import BranchState

_LOOKS = {
    BranchState.QUEUED: "idle",
    BranchState.WAITING: "waiting",
    BranchState.WRITING: "writing",
    BranchState.RETRYING: "idle",
}


def measures(snapshot: Snapshot) -> Markup | None:
    """The three charts; None before any request was sent."""
    calls = [call for call in every_call(snapshot) if _took_part(call.branch)]
    asked = [call for call in calls if any(go.started_s is not None for go in call.branch.goes)]
    if not asked:
        return None
    return section(
        "measures",
        "Time, tokens and cost",
        _figure(
            "Timeline",
            bars(
                [_time_bar(call, snapshot) for call in calls],
                title="Timeline: when each call was queued, waited, wrote and backed off",
                unit="s",
            ),
            legend(
                ("idle", "queued or backing off"),
                ("waiting", "waiting for the first token"),
                ("writing", "writing"),
            ),
            _timeline_table(calls, snapshot),
        ),
        _figure(
            "Tokens",
            bars([_token_bar(call) for call in asked], title="Tokens written by each call"),
            None,
            _tokens_table(asked),
        ),
        _cost(asked),
    )


def cost_words(call: Branch) -> str:
    """What a call cost, every time it was asked."""
    if not call.earlier:
        return cost_text(call.cost)
    return f"{money_text(cost_usd(call.goes))} for {len(call.goes)} goes"


def _took_part(call: Branch) -> bool:
    """Counting and joining asks nobody, and takes no time worth a bar."""
    counted = call.state.succeeded and not any(go.attempts for go in call.goes)
    return any(go.phases for go in call.goes) and not counted


def _figure(title: str, chart: Child, key: Child, rows: Markup) -> Markup:
    return el(
        "div",
        el("h3", title),
        chart,
        key,
        folded("As a table", rows, printed=True),
        class_="card figure",
    )


def _cost(calls: Sequence[Call]) -> Markup:
    rows = [_cost_bar(call) for call in calls]
    chart: Child = bars(rows, title="Cost of each call in US dollars", unit="US dollars")
    if not any(piece.length for row in rows for piece in row.pieces):
        known = any(call.branch.cost for call in calls)
        said = "Nothing to pay." if known else "No price is known for this model."
        chart = el("p", said, class_="hold")
    return _figure("Cost", chart, None, _cost_table(calls))


def _time_bar(call: Call, snapshot: Snapshot) -> Bar:
    branch, end = call.branch, snapshot.at
    spent = [
        f"{state_word(state).lower()} {seconds_text(seconds)}"
        for state in _LOOKS
        if (seconds := sum(go.spent_s(state, end) for go in branch.goes)) > 0
    ]
    return Bar(
        call=call,
        pieces=tuple(piece for go in branch.goes for piece in _stretches(go, end)),
        value=seconds_text(sum(span_s(go, end) for go in branch.goes)),
        said=", ".join(spent) or "no time",
    )


def _stretches(go: Branch, end_s: float) -> Iterator[Piece]:
    ends = [phase.since_s for phase in go.phases[1:]] + [end_s]
    for phase, end in zip(go.phases, ends, strict=True):
        if phase.state in _LOOKS and end > phase.since_s:
            yield Piece(start=phase.since_s, length=end - phase.since_s, look=_LOOKS[phase.state])


def _token_bar(call: Call) -> Bar:
    written = usage(call.branch).output or call.branch.pieces
    rate = writing_rate(call.branch)
    speed = f" · {rate_text(rate)}" if rate else ""
    return Bar(
        call=call,
        pieces=(Piece(start=0.0, length=float(written), look="writing"),),
        value=f"{written:,}{speed}",
        said=f"{written:,} tokens{speed}",
    )


def _cost_bar(call: Call) -> Bar:
    usd = cost_usd(call.branch.goes)
    return Bar(
        call=call,
        pieces=(Piece(start=0.0, length=float(usd or 0), look="writing"),),
        value=cost_words(call.branch),
        said=cost_words(call.branch),
    )


def _timeline_table(calls: Sequence[Call], snapshot: Snapshot) -> Markup:
    rows = (
        (
            call.label,
            state_word(call.branch.state),
            *(
                f"{sum(go.spent_s(state, snapshot.at) for go in call.branch.goes):.2f}"
                for state in _LOOKS
            ),
            str(sum(go.attempts for go in call.branch.goes)),
        )
        for call in calls
    )
    heads = ("Call", "State", "Queued s", "Waiting s", "Writing s", "Backing off s", "Tries")
    return table(heads, rows, label="Timeline as a table", numbers=range(2, 7))


def _tokens_table(calls: Sequence[Call]) -> Markup:
    rows = []
    for call in calls:
        used, rate = usage(call.branch), writing_rate(call.branch)
        about = "≈ " if used.estimated else ""
        rows.append(
            (
                call.label,
                f"{about}{used.input:,}",
                f"{used.cached:,}",
                f"{about}{used.output:,}",
                rate_text(rate) if rate else "",
            )
        )
    heads = ("Call", "In", "Cached", "Out", "Speed")
    return table(heads, rows, label="Tokens as a table", numbers=range(1, 5))


def _cost_table(calls: Sequence[Call]) -> Markup:
    rows = ((call.label, cost_words(call.branch), price_text(call.branch.cost)) for call in calls)
    return table(("Call", "Cost", "Price"), rows, label="Cost as a table", numbers=(1,))
