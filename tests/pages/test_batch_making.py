"""A new batch on its way: what it may spend stays as it was typed, and a trial tells what is so."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from components import session
from fanout.batches import FORMAT, NewBatch, WorkerSeen
from fanout.types import Via
from tests.pages.batch_steps import (
    ANSWERED,
    batches,
    drawn,
    end,
    kept,
    opened,
    pasted,
    pressed,
    said,
    topics,
)


@pytest.fixture(autouse=True)
def runtime(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The app's own store, in this test's FANOUT_HOME; no worker of its own, and nobody asked."""
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    monkeypatch.setenv("FANOUT_MODEL", "scripted")
    monkeypatch.setenv("FANOUT_APP_WORKS", "0")
    yield
    session.close_runtime()


def test_a_cap_stays_while_the_rows_are_taken_out_and_chosen_again() -> None:
    app = pasted("One\nTwo")
    typed = {"usd": 2.5, "tokens": 9_000, "concurrency": 7, "minute": 30}
    for name, value in typed.items():
        app.number_input(key=f"new-batch-{name}").set_value(value)
    app = drawn(app.run())
    app = drawn(app.text_area(key="batch_pasted").set_value("").run())
    assert not app.number_input
    app = drawn(app.text_area(key="batch_pasted").set_value("Three\nFour").run())
    for name, value in typed.items():
        assert app.number_input(key=f"new-batch-{name}").value == value
    app.switch_page("../pages/models.py")
    drawn(app.run())
    app.switch_page("../pages/batch.py")
    app.query_params["new"] = "1"
    app = drawn(app.run())
    assert app.number_input(key="new-batch-usd").value == 2.5
    app = drawn(app.number_input(key="new-batch-usd").set_value(None).run())
    pressed(app, "batch_start")
    (found,) = batches().all()
    assert (found.budget.usd, found.budget.tokens) == (None, 9_000)
    app.query_params.clear()
    app.query_params["new"] = "1"
    app = drawn(app.run())
    app = drawn(app.text_area(key="batch_pasted").set_value("Five\nSix").run())
    assert [app.number_input(key=f"new-batch-{name}").value for name in typed] == [
        None, None, 4, None
    ], "the next batch begins as usual"  # fmt: skip


def test_the_way_stays_while_the_rows_are_chosen_again() -> None:
    app = opened(new="1")
    endpoint = session.runtime().fitting_model().endpoint
    app.session_state["batch_api_known"] = {endpoint: (float("inf"), True)}
    drawn(app.radio(key="batch_source").set_value("Pasted lines").run())
    app = drawn(app.text_area(key="batch_pasted").set_value("One\nTwo").run())
    app = drawn(app.radio(key="new-batch-via").set_value(Via.PROVIDER).run())
    drawn(app.text_area(key="batch_pasted").set_value("").run())
    app = drawn(app.text_area(key="batch_pasted").set_value("Three").run())
    assert app.radio(key="new-batch-via").value is Via.PROVIDER


def test_a_trial_counts_the_copies_of_a_branch_and_none_that_is_switched_off() -> None:
    folder = session.runtime().settings.home / "workflows"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "many.toml").write_text(
        'title = "Many"\nkind = "sectioning"\n'
        '[[branches]]\nid = "a"\ntitle = "A"\nprompt = "On {topic}"\ntimes = 4\n'
        '[[branches]]\nid = "b"\ntitle = "B"\nprompt = "On {topic}"\nenabled = false\n',
        encoding="utf-8",
    )
    app = opened(new="1")
    drawn(app.selectbox(key="batch_workflow").set_value("many").run())
    drawn(app.radio(key="batch_source").set_value("Pasted lines").run())
    lines = "\n".join(f"thing {n}" for n in range(1, 11))
    app = drawn(app.text_area(key="batch_pasted").set_value(lines).run())
    app = pressed(app, "batch_try")
    (batch,) = batches().all()
    end(batch.id, [replace(ANSWERED, branches=4)] * 3)
    app = drawn(app.run())
    # The endpoint takes eight calls at once.
    assert "from the 3 rows of the trial, 2 rows at once" in said(app)
    assert batch.estimate["branches"] == 4
    assert int(str(batch.estimate["tokens_least"])) > int(
        str(batch.estimate["output_tokens_least"])
    )


def test_a_batch_at_a_provider_promises_a_day_and_no_rate() -> None:
    made = kept(topics(4))
    found = batches().get(made)
    assert found is not None
    fields = {name: getattr(found, name) for name in NewBatch.__dataclass_fields__}
    batch = batches().create(NewBatch(**fields | {"via": Via.PROVIDER}), topics(4))
    batches().resume(batch)
    end(batch, [ANSWERED] * 3)
    batches().beat(
        WorkerSeen(
            id=session.runtime().store.owner, host="lab", pid=7, version="1", format=FORMAT,
            started_at=1.0, seen_at=2.0, alive=True,
        )
    )  # fmt: skip
    told = said(opened(id=batch))
    assert "Time left < 24 h" in told
    assert "The provider answers a batch within 24 hours" in told
    assert "rows a minute" not in told


def test_a_budget_that_can_t_be_kept_starts_nothing() -> None:
    app = pasted("One\nTwo\nThree\nFour")
    app = drawn(app.number_input(key="new-batch-usd").set_value(2.5).run())
    assert "price is unknown" in app.error[0].value
    assert all(app.button(key=key).disabled for key in ("batch_start", "batch_try"))
    app = drawn(app.number_input(key="new-batch-usd").set_value(None).run())
    app.number_input(key="new-batch-usd").set_value(2.5)
    app = pressed(app, "batch_start")
    assert batches().all() == (), "typed a moment before"
    assert "price is unknown" in app.error[0].value


def test_added_rows_without_the_batch_s_topic_column_wait_for_a_choice() -> None:
    batch = kept(topics(2))
    app = pasted("name\tprice\tcolour\nsnow\t2\tred\nhail\t3\tblue", id=batch, add="1")
    column = next(one for one in app.selectbox if one.label == "Column with the topics")
    assert column.value is None
    assert 'stand in the column "topic", which is not here' in app.error[0].value
    assert not [one for one in app.button if one.key == "batch_add"]
    app = drawn(column.set_value("colour").run())
    pressed(app, "batch_add")
    assert [one.row.topic for one in batches().rows(batch)][2:] == ["red", "blue"]
