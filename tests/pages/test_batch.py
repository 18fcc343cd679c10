"""The Batch page as a script: lists, new batches, and one batch in each of its states."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

import pytest

from components import session
from fanout.batch.preparing import held_back
from fanout.batches import HELD, BatchState, Row, RowState, WorkerSeen
from fanout.policies import Budget
from fanout.types import BatchId
from tests.pages.batch_steps import (
    ANSWERED,
    BROKEN,
    REFUSED,
    batches,
    drawn,
    end,
    kept,
    labels,
    opened,
    pasted,
    pressed,
    said,
    state_of,
    table,
    topics,
)

HOSTILE = "<script>alert(1)</script> ![x](http://evil.example/x.png) **b** :red[r]"


@pytest.fixture(autouse=True)
def runtime(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The app's own store, in this test's FANOUT_HOME; no worker of its own, and nobody asked."""
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    monkeypatch.setenv("FANOUT_MODEL", "scripted")
    monkeypatch.setenv("FANOUT_APP_WORKS", "0")
    yield
    session.close_runtime()


def only_batch() -> BatchId:
    (found,) = batches().all()
    return found.id


def test_without_batches_it_says_what_one_is_and_leads_to_the_first() -> None:
    app = opened()
    assert "No batches yet." in said(app)
    app = pressed(app, "new_batch")
    assert "New batch" in said(app)
    assert app.query_params["new"] == "1"


def test_the_list_tells_how_far_each_batch_is() -> None:
    batch = kept(topics(4), title=HOSTILE, budget=Budget(usd=Decimal(5)))
    batches().resume(batch)
    end(batch, [ANSWERED, REFUSED])
    kept(topics(2), title="later")
    app = opened()
    assert "2 batches" in said(app)
    assert "2 of 4 rows ended · 1 answered · 1 failed" in said(app)
    assert "of at most $5.00" in said(app)
    assert "Not started" in said(app)
    links = [one.proto.label for one in app.get("page_link")]
    assert not any("<script>" in one or "![x]" in one for one in links)


def test_an_address_without_a_batch_says_so() -> None:
    app = opened(id="nothing-here")
    assert "There is no batch at this address." in said(app)
    assert "No batches yet." in said(pressed(app, "batch_all"))


def test_pasted_lines_become_a_batch_that_runs() -> None:
    app = pasted("One thing\nAnother thing\n\nOne thing\n")
    assert "1 row repeated" in said(app)
    assert "Start 2 rows" in labels(app)
    app.text_input[0].set_value("my list")
    app = pressed(app, "batch_start")
    batch = only_batch()
    assert app.query_params["id"] == batch
    found = batches().get(batch)
    assert found is not None
    assert (found.title, found.state, found.workflow) == (
        "my list",
        BatchState.RUNNING,
        "creative-trio",
    )
    assert found.estimate["rows"] == 2
    rows = [(record.row.topic, record.row.skipped) for record in batches().rows(batch)]
    assert rows == [
        ("One thing", ""),
        ("Another thing", ""),
        ("One thing", "the same as row 1"),
    ]


def test_repeated_rows_are_kept_where_that_is_wanted() -> None:
    app = pasted("One thing\nOne thing\nAnother")
    keep = next(one for one in app.toggle if one.label == "Keep repeated rows")
    app = drawn(keep.set_value(True).run())
    assert "Start 3 rows" in labels(app)
    pressed(app, "batch_start")
    assert [record.row.skipped for record in batches().rows(only_batch())] == ["", "", ""]


def test_columns_without_a_variable_are_named_and_prompts_are_shown_to_the_letter() -> None:
    app = pasted("topic\ttone\nTea time\tcalm\nCoffee break\tloud")
    assert "Not in any prompt: tone." in said(app)
    app.session_state["batch_prompts"] = True
    app = drawn(app.run())
    codes = [one.value for one in app.code]
    assert any('"Tea time"' in code for code in codes)
    assert any('"Coffee break"' in code for code in codes)


def test_a_column_fills_the_variable_of_its_name_and_the_page_says_where() -> None:
    store = session.runtime().settings.home / "workflows"
    store.mkdir(parents=True, exist_ok=True)
    (store / "toned.toml").write_text(
        'title = "Toned"\nkind = "sectioning"\n'
        '[variables]\ntone = "plain"\nlength = "short"\n'
        '[[branches]]\nid = "a"\ntitle = "Letter"\nprompt = "A {tone}, {length} one on {topic}"\n',
        encoding="utf-8",
    )
    app = opened(new="1")
    drawn(app.selectbox(key="batch_workflow").set_value("toned").run())
    drawn(app.radio(key="batch_source").set_value("Pasted lines").run())
    app = drawn(
        app.text_area(key="batch_pasted").set_value("topic\ttone\tsize\nTea\tcalm\tlong").run()
    )
    assert "**tone** fills `{tone}` in Letter" in said(app)
    assert "`{length}` has no column: it is “short” in every row" in said(app)
    column = next(one for one in app.selectbox if one.label == "Column for {length}")
    app = drawn(column.set_value("size").run())
    app.session_state["batch_prompts"] = True
    app = drawn(app.run())
    assert any("A calm, long one on" in code.value for code in app.code)


def test_a_files_sheet_title_and_topic_column_are_found_and_can_be_chosen() -> None:
    app = opened(new="1")
    data = "nr,question,where\n1,Tea?,here\n2,Coffee?,there\n".encode("utf-8-sig")
    app.file_uploader[0].set_value(("hot drinks.csv", data, "text/csv"))
    app = drawn(app.run())
    column = next(one for one in app.selectbox if one.label == "Column with the topics")
    assert column.value == "question"
    assert list(app.dataframe[0].value["question"]) == ["Tea?", "Coffee?"]
    app = drawn(column.set_value("where").run())
    pressed(app, "batch_start")
    (found,) = batches().all()
    assert (found.title, found.topic_column) == ("hot drinks", "where")
    assert [one.row.topic for one in batches().rows(found.id)] == ["here", "there"]


def test_what_was_typed_a_moment_before_start_counts() -> None:
    app = pasted("One\nTwo")
    app.number_input(key="new-batch-tokens").set_value(9_000)
    app.number_input(key="new-batch-concurrency").set_value(7)
    pressed(app, "batch_start")
    (found,) = batches().all()
    assert (found.budget.tokens, found.concurrency) == (9_000, 7)


def test_lines_that_nobody_has_seen_as_rows_are_not_started() -> None:
    app = pasted("One\nTwo")
    app.text_area(key="batch_pasted").set_value("One\nTwo\nThree")
    app = pressed(app, "batch_start")
    assert not batches().all()
    assert "The lines have changed." in said(app)
    pressed(app, "batch_start")
    assert len(batches().rows(only_batch())) == 3


def test_what_cannot_be_read_is_told_and_starts_nothing() -> None:
    app = opened(new="1")
    app.file_uploader[0].set_value(("things.csv", b"%PDF-1.7 no table", "text/csv"))
    app = drawn(app.run())
    assert [one.value.replace("\\", "") for one in app.error] == [
        "things.csv is a PDF, no table. Choose a CSV, XLSX or JSONL file."
    ]
    assert not any(label.startswith("Start") for label in labels(app))


def test_a_trial_holds_back_all_but_three_rows_until_they_are_started() -> None:
    app = pressed(pasted("\n".join(f"thing {n}" for n in range(1, 11))), "batch_try")
    batch = only_batch()
    assert batches().held(batch) == 7
    assert "Trial" in said(app)
    assert app.button(key="batch_start_rest").disabled, "the trial is going on"
    end(batch, [ANSWERED] * 3)
    app = drawn(app.run())
    assert "Trial over" in said(app)
    assert "Time: " in said(app) and "from the 3 rows of the trial" in said(app)
    assert {row["word"] for row in table(app)} == {"Answered", "Held back"}
    app = pressed(app, "batch_start_rest")
    assert (state_of(batch), batches().held(batch)) == (BatchState.RUNNING, 0)


def test_a_batch_is_paused_resumed_and_stopped_by_its_buttons() -> None:
    batch = kept(topics(3))
    app = opened(id=batch)
    assert "Start" in labels(app)
    app = pressed(app, "batch_start")
    assert state_of(batch) is BatchState.RUNNING
    app = pressed(app, "batch_pause")
    assert state_of(batch) is BatchState.PAUSED
    app = pressed(app, "batch_resume")
    app = pressed(app, "batch_stop")
    assert state_of(batch) is BatchState.STOPPED
    assert "Resume" in labels(app)


def test_failures_are_grouped_and_a_click_shows_only_their_rows() -> None:
    batch = kept(topics(5))
    batches().resume(batch)
    end(batch, [ANSWERED, REFUSED, REFUSED, BROKEN, ANSWERED])
    app = opened(id=batch)
    assert "Rate limited · 2 rows" in labels(app)
    assert "Too many." in said(app)
    app = pressed(app, f"cause-{batch}-rate_limit")
    assert [row["n"] for row in table(app)] == [2, 3]
    app = pressed(app, f"cause-{batch}-rate_limit")
    assert len(table(app)) == 5
    pressed(app, "batch_retry")
    assert state_of(batch) is BatchState.RUNNING
    assert batches().progress(batch).counts[RowState.WAITING] == 3


def test_rows_are_shown_by_state_searched_and_put_in_order() -> None:
    batch = kept(topics(4))
    batches().resume(batch)
    end(batch, [ANSWERED, replace(ANSWERED, wall_s=9.0), REFUSED])
    app = opened(id=batch)
    assert [row["run"] for row in table(app)] == ["run-1", "run-2", "run-3", ""]
    app = drawn(app.selectbox(key=f"batch_show-{batch}").set_value("answered").run())
    app = drawn(app.selectbox(key=f"batch_order-{batch}").set_value("wall").run())
    assert [row["n"] for row in table(app)] == [2, 1]
    app = drawn(app.text_input(key=f"batch_search-{batch}").set_value("topic 1").run())
    assert [row["n"] for row in table(app)] == [1]


def test_a_long_batch_is_drawn_a_page_at_a_time() -> None:
    batch = kept(topics(60))
    app = opened(id=batch)
    assert len(table(app)) == 25
    assert "1 to 25 of 60" in said(app)


def test_it_says_where_no_worker_is_there_and_how_to_start_one() -> None:
    batch = kept(topics(2))
    batches().resume(batch)
    app = opened(id=batch)
    assert "No worker is there" in said(app)
    assert "python -m fanout worker" in said(app)
    assert "Time left unknown" in said(app)


def test_a_finished_batch_tells_how_long_it_took() -> None:
    batch = kept(topics(1))
    batches().resume(batch)
    end(batch, [ANSWERED])
    assert re.search(r"Took \d+\.\d+ s", said(opened(id=batch)))


def test_it_says_where_a_worker_is_too_old_for_the_batch() -> None:
    batch = kept(topics(2))
    batches().resume(batch)
    owner = session.runtime().store.owner
    batches().beat(
        WorkerSeen(
            id=owner, host="lab", pid=7, version="0.1", format=0, started_at=1.0, seen_at=2.0,
            alive=True,
        )
    )  # fmt: skip
    assert "an older version of Fanout" in said(opened(id=batch))


def test_a_batch_that_paused_itself_says_why_and_what_to_do() -> None:
    batch = kept(topics(3), budget=Budget(usd=Decimal("0.004")))
    batches().resume(batch)
    end(batch, [ANSWERED, ANSWERED])
    batches().pause(batch, "Its budget of $0.0040 is used up. Raise it, then resume.")
    app = opened(id=batch)
    assert any("is used up" in one.value for one in app.warning)
    assert "100% of the budget used" in [one.proto.text for one in app.get("progress")][1]
    app.session_state["batch_more"] = True
    app = drawn(app.run())
    next(one for one in app.number_input if one.label == "Budget, US dollars").set_value(2.0)
    app = drawn(next(one for one in app.button if one.label == "Save").click().run())
    found = batches().get(batch)
    assert found is not None and found.budget.usd == Decimal("2.0")


def test_a_batch_is_duplicated_and_deleted() -> None:
    batch = kept([*topics(2), Row(number=3, topic="", skipped="it has no topic")])
    app = opened(id=batch)
    app.session_state["batch_more"] = True
    app = pressed(drawn(app.run()), "batch_duplicate")
    again = next(one for one in batches().all() if one.id != batch)
    assert (again.title, again.state) == ("things (again)", BatchState.PAUSED)
    assert batches().progress(again.id).counts == {RowState.WAITING: 2, RowState.SKIPPED: 1}
    app.session_state["batch_more"] = True
    app = drawn(app.run())
    assert app.button(key="batch_delete").disabled, "nobody deletes by a slip"
    app = pressed(drawn(app.checkbox(key="batch_sure").check().run()), "batch_delete")
    assert batches().get(again.id) is None
    assert "The batch is deleted." in said(app)


def test_results_are_charted_with_their_numbers_beside() -> None:
    batch = kept(topics(4))
    batches().resume(batch)
    voted = [replace(ANSWERED, verdict=v, agreement=a) for v, a in (("yes", 1.0), ("no", 0.67))]
    end(batch, [*voted, ANSWERED, BROKEN])
    app = opened(id=batch)
    assert "3 of 4 rows answered" in said(app)
    heads = said(app)
    for head in ("Verdicts", "Agreement of the votes", "Cost of a row", "Time a row took"):
        assert f"**{head}**" in heads
    verdicts = next(one.value for one in app.dataframe if "Verdict" in one.value.columns)
    assert sorted(verdicts["Verdict"]) == ["no", "yes"]
    assert len(app.get("plotly_chart")) >= 4


def test_a_vote_without_a_decision_says_so_in_its_row() -> None:
    batch = kept(topics(2))
    batches().resume(batch)
    end(batch, [replace(ANSWERED, verdict=None, agreement=0.4), ANSWERED])
    told, plain = table(opened(id=batch))
    assert (told["verdict"], told["agreement"]) == ("no decision", "40%")
    assert (plain["verdict"], plain["agreement"]) == ("", "")


def test_an_endpoint_that_is_gone_is_told() -> None:
    batch = kept(topics(2))
    book = session.runtime().engine.endpoints
    found = batches().get(batch)
    assert found is not None
    book.remove(found.model.endpoint)
    assert "is not set up here" in said(opened(id=batch))


def test_texts_of_people_and_models_do_nothing_on_the_page() -> None:
    batch = kept([Row(number=1, topic=HOSTILE)], title=HOSTILE)
    batches().resume(batch)
    end(batch, [replace(BROKEN, message=HOSTILE, answer=HOSTILE)])
    app = opened(id=batch)
    shown = [one.value for one in (*app.markdown, *app.caption, *app.header)]
    assert not any("<script>" in text or "![x]" in text or " :red[r" in text for text in shown)
    assert table(app)[0]["topic"] == HOSTILE


def test_only_rows_that_are_wanted_count_for_a_trial() -> None:
    rows = topics(5)
    rows[1] = replace(rows[1], skipped="the same as row 1")
    assert [row.skipped for row in held_back(rows, 2)] == ["", rows[1].skipped, "", HELD, HELD]
