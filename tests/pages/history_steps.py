"""What a person does on the History page, by widget key, and what the list was given to draw."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from streamlit.testing.v1 import AppTest

from components import session
from fanout.events import BranchFinished, RunFinished, RunStarted
from fanout.store.store import Store
from fanout.store.values import Label
from fanout.types import BranchState, Failure, FailureKind, ModelRef, RunStatus
from tests.store.samples import events, update

SHELL = Path(__file__).resolve().parents[2] / "components" / "shell.py"
START = 1_790_000_000.0


def keep(
    store: Store,
    run_id: str,
    *,
    topic: str = "rain",
    text: str | None = None,
    workflow: str = "trio",
    model: str = "small",
    status: RunStatus = RunStatus.SUCCEEDED,
    started_at: float = START,
    label: Label | None = None,
) -> None:
    """Write a run as an engine would have."""
    told = list(events(run_id, topic=topic, text=text, tokens=6, started_at=started_at))
    first, last = told[0], told[-1]
    assert isinstance(first, RunStarted) and isinstance(last, RunFinished)
    plans = tuple(
        replace(plan, model=ModelRef(endpoint=plan.model.endpoint, model=model))
        for plan in first.branches
    )
    told[0] = replace(first, workflow=workflow, title=workflow.title(), branches=plans)
    told[-1] = replace(last, status=status)
    if status is RunStatus.PARTIAL:
        failure = Failure(kind=FailureKind.SERVER, message="It broke.")
        ended = next(event for event in told if isinstance(event, BranchFinished))
        told[told.index(ended)] = replace(ended, state=BranchState.FAILED, failure=failure)
    store.write([update(told)])
    if label is not None:
        store.history.label(run_id, label)


def history_store() -> Store:
    return session.runtime().store


def opened(**address: str | Sequence[str]) -> AppTest:
    app = AppTest.from_file(SHELL, default_timeout=30).run()
    app.switch_page("../pages/history.py")
    for name, value in address.items():
        app.query_params["from" if name == "first" else name] = (
            value if isinstance(value, str) else list(value)
        )
    return drawn(app.run())


def drawn(app: AppTest) -> AppTest:
    assert not app.exception, [error.message for error in app.exception]
    return app


def pressed(app: AppTest, key: str) -> AppTest:
    return drawn(app.button(key=key).click().run())


def rows(app: AppTest) -> list[dict[str, Any]]:
    """The lines that the list was given; none where there is no list."""
    found = [json.loads(one.proto.json) for one in app.get("bidi_component")]
    return [row for data in found for row in data.get("rows", ())]


def ids(app: AppTest) -> list[str]:
    return [row["id"] for row in rows(app)]


def said(app: AppTest) -> str:
    elements = (*app.markdown, *app.caption, *app.error, *app.warning, *app.info)
    labels = [button.label for button in app.button]
    return "\n".join([*(element.value for element in elements), *labels]).replace("\\", "")


def ticked(app: AppTest, *chosen: str) -> AppTest:
    """What the list tells when runs are selected in it."""
    app.session_state["history_chosen"] = list(chosen)
    return drawn(app.run())
