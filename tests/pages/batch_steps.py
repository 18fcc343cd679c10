"""What a person does on the Batch page, by widget key, and batches as workers would leave them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

from streamlit.testing.v1 import AppTest

from components import session
from fanout.batches import BatchState, NewBatch, Row, RowResult, RowState
from fanout.policies import Budget
from fanout.store.batch_values import SUMMED
from fanout.store.batches import Batches
from fanout.types import BatchId, Cost, FailureKind, ModelRef, RunId
from fanout.workflows.library import shipped

SHELL = Path(__file__).resolve().parents[2] / "components" / "shell.py"
TRIO = shipped().get("creative-trio")
ANSWERED = RowResult(
    state=RowState.SUCCEEDED,
    answer="An answer",
    cost=Cost(usd=Decimal("0.002"), price=SUMMED),
    input_tokens=10,
    output_tokens=20,
    wall_s=1.5,
    sequential_s=4.0,
    branches=3,
)
REFUSED = RowResult(state=RowState.FAILED, cause=FailureKind.RATE_LIMIT, message="Too many.")
BROKEN = RowResult(state=RowState.FAILED, cause=FailureKind.SERVER, message="It broke.")


def batches() -> Batches:
    return session.runtime().store.batches


def topics(count: int) -> list[Row]:
    return [Row(number=n, topic=f"topic {n}", line=n + 1) for n in range(1, count + 1)]


def kept(rows: Iterable[Row], *, title: str = "things", budget: Budget | None = None) -> BatchId:
    """A batch that nobody has started."""
    new = NewBatch(
        title=title,
        workflow=TRIO.name,
        definition=TRIO.model_dump(mode="json"),
        model=session.runtime().fitting_model(),
        columns=("topic",),
        budget=budget or Budget(),
        concurrency=3,
    )
    return batches().create(new, rows)


def end(batch: BatchId, results: Sequence[RowResult]) -> None:
    """So many rows are taken and end like that."""
    for record, result in zip(batches().take(batch, len(results)), results, strict=True):
        number = record.row.number
        run = batches().begin(batch, number, record.go, RunId(f"run-{number}"), "w")
        assert run is not None
        batches().end(batch, number, record.go, result)


def state_of(batch: BatchId) -> BatchState:
    found = batches().get(batch)
    assert found is not None
    return found.state


def model() -> ModelRef:
    return session.runtime().fitting_model()


def opened(**address: str) -> AppTest:
    app = AppTest.from_file(SHELL, default_timeout=30).run()
    app.switch_page("../pages/batch.py")
    for name, value in address.items():
        app.query_params[name] = value
    return drawn(app.run())


def pasted(text: str, **address: str) -> AppTest:
    """A new batch, or more rows for one, with these lines."""
    app = opened(**(address or {"new": "1"}))
    drawn(app.radio(key="batch_source").set_value("Pasted lines").run())
    return drawn(app.text_area(key="batch_pasted").set_value(text).run())


def drawn(app: AppTest) -> AppTest:
    assert not app.exception, [error.message for error in app.exception]
    return app


def pressed(app: AppTest, key: str) -> AppTest:
    return drawn(app.button(key=key).click().run())


def table(app: AppTest) -> list[dict[str, Any]]:
    """The rows that the table was given."""
    found = [json.loads(one.proto.json) for one in app.get("bidi_component")]
    return [row for data in found for row in data.get("rows", ())]


def labels(app: AppTest) -> set[str]:
    return {button.label for button in app.button}


def said(app: AppTest) -> str:
    told = (*app.markdown, *app.caption, *app.error, *app.warning, *app.info, *app.success)
    heads = [*app.header, *app.subheader]
    texts = [element.value for element in (*told, *heads)]
    shown = [f"{one.label} {one.value} {one.delta}" for one in app.metric]
    return "\n".join([*texts, *shown, *labels(app)]).replace("\\", "")
