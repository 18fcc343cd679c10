"""A batch with rows of every kind, nasty texts among them, made without a database."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from fanout.batches import Batch, BatchState, Row, RowRecord, RowResult, RowState
from fanout.policies import Budget
from fanout.types import BatchId, Cost, EndpointId, FailureKind, ModelRef, Price, RunId

MARKUP = (
    '<r><t>x</t></r></is></c><c r="AZ2"><f>1+1</f><v>0</v></c>'
    '<c r="BA2" t="inlineStr"><is><r><t>y</t></r>',
    "<r>a & b</r>",
)
"""What would be cells of its own, or break the file, in a workbook that takes it for markup."""
BEGAN = 1_795_435_200.0
"""2026-11-23, noon."""
PRICE = Price(input=Decimal(1), output=Decimal(4), source="test")
NASTY = (
    "=1+1", "'=1+1", "''=1+1", "+49 30", "-3", "@SUM(A1)", "\t=2", "  =3", "|cmd", "'quoted'", "'",
    'say "hi", twice', "two\nlines", "three\r\nlines", "\rone", "trailing\n", "a;b\tc", "",
    " spaces ", "🦉 emoji 👩‍👩‍👧", "עברית and العربية", "nul\x00inside", "half \ud83d of it",
    "_x0041_ and \x07 bell", "\ufeffmark", "line\u2028end", "null", "NaN", "1e5", "007",
    "<script>alert(1)</script>", "{topic}", "\ufffe\uffff",
    *MARKUP,
)  # fmt: skip


def batch(*columns: str, topic_column: str = "topic", **changes: object) -> Batch:
    made: dict[str, object] = {
        "id": BatchId("b-Xy12"),
        "title": "Reviews of November",
        "workflow": "moderation",
        "definition": {"title": "Moderation", "kind": "moderation"},
        "model": ModelRef(endpoint=EndpointId("paid"), model="gpt-test"),
        "columns": columns or ("topic",),
        "topic_column": topic_column,
        "state": BatchState.FINISHED,
        "budget": Budget(usd=Decimal(5)),
        "created_at": BEGAN,
        "started_at": BEGAN,
        "finished_at": BEGAN + 600,
        "made_by": "1.0",
    }
    return Batch(**(made | changes))  # type: ignore[arg-type]


def row(number: int, topic: str = "rain", **values: str) -> Row:
    return Row(number=number, topic=topic, values={"topic": topic, **values}, line=number + 1)


def done(number: int, topic: str = "rain", answer: str = "Wet.", **values: str) -> RowRecord:
    """One that succeeded, at a known cost."""
    result = RowResult(
        state=RowState.SUCCEEDED,
        run_id=RunId(f"run-{number}"),
        answer=answer,
        verdict="allow" if number % 3 else "block",
        agreement=(number % 5 + 1) / 5,
        measures={"independence": 2.5, "speed_up": 2.75},
        cost=Cost(usd=Decimal("0.0012345"), price=PRICE),
        input_tokens=120,
        output_tokens=80,
        wall_s=2.0 + number % 7,
        sequential_s=6.0,
        branches=3,
    )
    return RowRecord(
        row=row(number, topic, **values),
        state=RowState.SUCCEEDED,
        go=1,
        tries=1,
        worker="w1",
        run_id=result.run_id,
        started_at=BEGAN + number,
        finished_at=BEGAN + number + 3.25,
        result=result,
    )


def failed(number: int, message: str = "The endpoint broke. Retry the row.") -> RowRecord:
    """One whose cost nobody knows."""
    result = RowResult(
        state=RowState.FAILED,
        run_id=RunId(f"run-{number}"),
        cause=FailureKind.SERVER,
        message=message,
        branches=3,
        failed=3,
        wall_s=9.0,
    )
    return RowRecord(
        row=row(number),
        state=RowState.FAILED,
        go=2,
        tries=2,
        worker="w2",
        run_id=result.run_id,
        started_at=BEGAN + number,
        finished_at=BEGAN + number + 9,
        result=result,
    )


def waiting(number: int) -> RowRecord:
    return RowRecord(row=row(number), state=RowState.WAITING)


def some(number: int = 40) -> Iterator[RowRecord]:
    """Mostly done, every eleventh failed, the last one waiting."""
    for at in range(1, number):
        yield failed(at) if at % 11 == 0 else done(at, f"topic {at}", f"Answer {at}.")
    yield waiting(number)


def safe(text: str) -> str:
    """What files can hold of a text."""
    return "".join("\ufffd" if one == "\0" or 0xD800 <= ord(one) <= 0xDFFF else one for one in text)
