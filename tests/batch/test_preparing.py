"""From a table to rows: the topic's column, what fills variables, what is left out and told."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fanout.batch.preparing import Prepared, new_batch, prepare, topic_column_of
from fanout.batch.previewing import previews
from fanout.batch.reading.reading import read_pasted, read_table
from fanout.batch.reading.table import Table, TableRow
from fanout.batches import Row
from fanout.bounds import LOCAL
from fanout.errors import InputError
from fanout.types import EndpointId, ModelRef
from fanout.workflows.definition import Workflow
from fanout.workflows.parsing import parse

MODEL = ModelRef(endpoint=EndpointId("here"), model="m")
SHORT = replace(LOCAL, topic_chars=10, batch_rows=5)


def workflow(**variables: str) -> Workflow:
    used = " ".join(f"{{{name}}}" for name in variables)
    data = {
        "title": "Two",
        "prompt": f"About {{topic}}. {used}",
        "variables": variables,
        "branches": [{"id": "a", "title": "A"}, {"id": "b", "title": "B"}],
        "aggregate": {"prompt": f"{{results}} {used}"},
    }
    return parse(data, name="two")


def prepared(text: str, using: Workflow | None = None, column: str = "") -> Prepared:
    return prepare(read_table(text.encode(), "a.csv"), using or workflow(), column)


@pytest.mark.parametrize(
    ("columns", "topic"),
    [
        (("id", "Title", "Topic"), "Topic"),
        (("id", "QUESTION", "title"), "QUESTION"),
        (("Nr", "Thema"), "Thema"),
        (("first", "second"), "first"),
        (("only",), "only"),
    ],
)
def test_the_topics_column_is_guessed(columns: tuple[str, ...], topic: str) -> None:
    assert topic_column_of(columns) == topic


def test_rows_hold_their_topic_and_all_their_columns() -> None:
    made = prepared("id,topic\n7, remote  work \n8,fog\n")
    assert made.topic_column == "topic"
    assert made.rows == (
        Row(number=1, topic="remote  work", values={"id": "7", "topic": "remote  work"}, line=2),
        Row(number=2, topic="fog", values={"id": "8", "topic": "fog"}, line=3),
    )
    assert made.unused == ("id",)
    assert made.problems == ()
    assert prepared("id,topic\n7,rain\n", column="id").rows[0].topic == "7"
    with pytest.raises(InputError, match=r'no column "nr"\. There are: "id", "topic"'):
        prepared("id,topic\n7,rain\n", column="nr")


def test_repeated_and_empty_rows_are_left_out_and_said() -> None:
    made = prepared("topic,x\nrain,1\n,2\nrain ,3\nfog,4\nra  in,5\nra in,6\n")
    assert [row.topic for row in made.wanted] == ["rain", "fog", "ra  in"]
    assert [(row.number, row.skipped) for row in made.rows if row.skipped] == [
        (2, "it has no topic"), (3, "the same as row 1"), (6, "the same as row 5"),
    ]  # fmt: skip
    assert [row.number for row in made.duplicates] == [3, 6]
    assert [row.number for row in made.empties] == [2]


def test_rows_with_other_variables_are_not_the_same() -> None:
    text = "topic,tone\nrain,calm\nrain,stern\nrain,calm\n"
    assert len(prepared(text).wanted) == 1
    assert len(prepared(text, workflow(tone="")).wanted) == 2


def test_repeated_rows_can_be_kept_and_empty_ones_can_not() -> None:
    table = read_table(b"topic,x\nrain,1\n,2\nrain,3\n", "a.csv")
    made = prepare(table, workflow(), keep_duplicates=True)
    assert [row.number for row in made.wanted] == [1, 3]
    assert [row.number for row in made.duplicates] == [3]


def test_a_topic_past_the_bound_leaves_its_row_out_and_no_other() -> None:
    table = read_table(b"topic,x\n0123456789,1\n0123456789A,2\n", "a.csv")
    made = prepare(table, workflow(), limits=SHORT)
    assert [row.topic for row in made.wanted] == ["0123456789"]
    (long,) = made.too_long
    assert long.skipped == "its topic has 11 characters; at most 10 can be sent here"
    assert long.values["topic"] == "0123456789"


def test_columns_fill_the_variables_of_their_name() -> None:
    using = workflow(tone="calm", target_group="anyone", place="here")
    made = prepared("topic,Target Group,tone\nrain,children,\nfog,,stern\n", using)
    assert made.filled == {"tone": "tone", "target_group": "Target Group"}
    assert made.unfilled == ("place",)
    assert made.blank == {"tone": 1, "target_group": 1}
    assert made.unused == ()
    first, second = previews(made.rows, using, lambda name: MODEL)
    assert [one.messages[0].content for one in first.branches] == [
        "About rain. calm children here"
    ] * 2
    assert second.branches[0].messages[0].content == "About fog. stern anyone here"
    assert first.combine is not None
    assert first.combine.messages[0].content.strip() == "calm children here"


def test_a_column_can_be_told_to_fill_a_variable() -> None:
    using = workflow(tone="calm")
    table = read_table(b"topic,Stil\nrain,stern\n", "a.csv")
    made = prepare(table, using, fills={"Stil": "tone"})
    assert made.filled == {"tone": "Stil"}
    assert made.rows[0].values == {"topic": "rain", "Stil": "stern", "tone": "stern"}
    for fills, says in (
        ({"None": "tone"}, 'no column "None"'),
        ({"Stil": "x"}, r'no variable "x"\. It has \{tone\}'),
        ({"Stil": "tone", "topic": "tone"}, r"Two columns are to fill \{tone\}"),
    ):
        with pytest.raises(InputError, match=says):
            prepare(table, using, fills=fills)
    with pytest.raises(InputError, match="Rename one"):
        prepare(read_table(b"topic,Stil,tone\na,b,c\n", "a.csv"), using, fills={"Stil": "tone"})
    with pytest.raises(InputError, match=r"It has none: its \[variables\] name them"):
        prepare(table, workflow(), fills={"Stil": "tone"})


def test_rows_that_are_added_later_go_on_counting_and_repeat_none() -> None:
    first = prepared("topic,x\nrain,1\nfog,2\n")
    more = prepare(read_table(b"topic,x\nfog,1\nsnow,2\n", "b.csv"), workflow(), earlier=first.rows)
    assert [(row.number, row.topic, row.skipped) for row in more.rows] == [
        (3, "fog", "the same as row 2"), (4, "snow", ""),
    ]  # fmt: skip
    with pytest.raises(InputError, match=r"6 rows; at most 5.*FANOUT_MAX_BATCH_ROWS"):
        prepare(read_pasted("a\nb\nc\nd", SHORT), workflow(), limits=SHORT, earlier=first.rows)


def test_where_nothing_is_left_it_says_why_and_nothing_starts() -> None:
    made = prepared("topic,x\n,1\n,2\n")
    assert made.problems == ('No row has a topic in "topic". Choose another column.',)
    with pytest.raises(InputError, match="No row has a topic"):
        new_batch(made, workflow(), MODEL, title="x")


def test_a_new_batch_holds_the_workflow_as_data() -> None:
    using = workflow(tone="calm")
    made = prepared("topic,tone\nrain,x\n", using)
    new = new_batch(made, using, MODEL, title=" My\n topics ", concurrency=9, rows_per_minute=3)
    assert new.title == "My topics"
    assert parse({k: v for k, v in new.definition.items() if k != "name"}, name="two") == using
    assert (new.columns, new.topic_column) == (("topic", "tone"), "topic")
    assert (new.concurrency, new.rows_per_minute, new.model) == (9, 3, MODEL)
    assert new_batch(made, using, MODEL, title="").title == "Two"
    for rows in (0, 1001):
        with pytest.raises(InputError, match="rows at once"):
            new_batch(made, using, MODEL, title="x", concurrency=rows)
    with pytest.raises(InputError, match="At least one row a minute"):
        new_batch(made, using, MODEL, title="x", rows_per_minute=0)


def test_a_row_that_cannot_be_run_says_so_in_the_preview() -> None:
    judges = parse(
        {
            "kind": "judges", "title": "J", "prompt": "{content}{task}",
            "branches": [{"id": "a", "title": "A"}], "rubric": [{"id": "c", "title": "C"}],
        },
        name="j",
    )  # fmt: skip
    rows = (Row(number=1, topic="\n---\n".join("x" * 27)), Row(number=2, topic="one text"))
    bad, good = previews(rows, judges, lambda name: MODEL)
    assert "26 is the most" in bad.problem
    assert good.branches and not good.problem


@given(
    st.lists(st.text(max_size=6), min_size=1, max_size=8),
    st.lists(st.text(max_size=6), min_size=1, max_size=8),
)
def test_every_row_is_there_once_whatever_it_holds(topics: list[str], tones: list[str]) -> None:
    pairs = list(zip(topics, tones, strict=False))
    table = Table(
        columns=("topic", "tone"), rows=tuple(TableRow(pair, n) for n, pair in enumerate(pairs))
    )
    made = prepare(table, workflow(tone="calm"), "topic")
    assert [row.number for row in made.rows] == list(range(1, len(pairs) + 1))
    kinds = (made.wanted, made.duplicates, made.empties, made.too_long)
    assert sorted(row.number for kind in kinds for row in kind) == list(range(1, len(pairs) + 1))
