"""Where the time, the tokens and the money went: three charts, each with its table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from fanout.export.html.calls import Call, every_call
from fanout.export.html.charts import Bar, Piece, bars, legend
from fanout.export.html.markup import Child, Markup, el
from fanout.export.html.parts import folded, section, table
from fanout.insight.speed import cost_usd, span_s, usage, writing_rate
from fanout.insight.stretches import Part, spent, stretches
from fanout.render.live_words import ALWAYS_TOLD, PART_HEADS, PART_WORDS, hedge_text
from fanout.render.words import (
    branch_word,
    cost_text,
    nothing_paid_text,
    price_text,
    rate_text,
    seconds_text,
    spent_text,
)
from fanout.snapshot import Branch, Snapshot

_LOOKS = {
    Part.SLOT: "idle",
    Part.RATE: "idle held",
    Part.PAUSE: "idle paused",
    Part.PREFIX: "idle opening",
    Part.BUDGET: "idle",
    Part.WAITING: "waiting",
    Part.WRITING: "writing",
    Part.BACKING_OFF: "idle off",
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
            legend(*_legend(calls, snapshot)),
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
    """What a call cost, every time it was asked, second requests included."""
    if not call.earlier:
        return cost_text(call.cost)
    return f"{spent_text(call.goes)} for {len(call.goes)} goes"


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
        said = nothing_paid_text(call.branch.cost for call in calls)
        chart = el("p", said, class_="hold")
    return _figure("Cost", chart, None, _cost_table(calls))


def _time_bar(call: Call, snapshot: Snapshot) -> Bar:
    branch, end = call.branch, snapshot.at
    parts = spent(branch.goes, end)
    told = [f"{PART_WORDS[part]} {seconds_text(parts[part])}" for part in Part if parts[part] > 0]
    told += [hedge_text(hedge).lower() for go in branch.goes for hedge in go.hedges]
    return Bar(
        call=call,
        pieces=tuple(piece for go in branch.goes for piece in _stretches(go, end)),
        value=seconds_text(sum(span_s(go, end) for go in branch.goes)),
        said=", ".join(told) or "no time",
        signs=tuple(hedge.sent_s for go in branch.goes for hedge in go.hedges),
    )


def _stretches(go: Branch, end_s: float) -> Iterator[Piece]:
    for one in stretches(go, end_s):
        yield Piece(start=one.start_s, length=one.length_s, look=_LOOKS[one.part])


def _legend(calls: Sequence[Call], snapshot: Snapshot) -> Iterator[tuple[str, str]]:
    """What the chart shows, and no more."""
    goes = [go for call in calls for go in call.branch.goes]
    parts = spent(goes, snapshot.at)
    for part in Part:
        if parts[part] > 0:
            yield _LOOKS[part], PART_WORDS[part]
    if any(go.hedges for go in goes):
        yield "sign", "second request sent"


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
    spent_by = [spent(call.branch.goes, snapshot.at) for call in calls]
    shown = [part for part in Part if part in ALWAYS_TOLD or any(one[part] for one in spent_by)]
    rows = (
        (
            call.label,
            branch_word(call.branch),
            *(f"{one[part]:.2f}" for part in shown),
            str(sum(go.attempts for go in call.branch.goes)),
        )
        for call, one in zip(calls, spent_by, strict=True)
    )
    heads = ("Call", "State", *(PART_HEADS[part] for part in shown), "Tries")
    return table(heads, rows, label="Timeline as a table", numbers=range(2, len(heads)))


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
