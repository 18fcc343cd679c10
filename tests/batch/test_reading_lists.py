"""Lists without names of columns: no topic is lost, none is cut, and every guess is told."""

from __future__ import annotations

from fanout.batch.reading.reading import read_table
from fanout.batch.reading.table import Table


def cells(table: Table) -> list[tuple[str, ...]]:
    return [row.cells for row in table.rows]


def test_a_list_without_a_header_loses_no_topic() -> None:
    table = read_table(b"remote work\nfour, five and six\n", "list.csv")
    assert table.columns == ("topic",)
    assert cells(table) == [("remote work",), ("four, five and six",)]
    assert "taken as the first topic" in table.notes[0]
    assert cells(read_table(b"Question\nWhy?\n", "list.csv")) == [("Why?",)]
    assert cells(read_table(b"Wozu\nWhy?\n", "list.csv", header=True)) == [("Why?",)]
    assert cells(read_table(b"a,b\n1,2\n", "list.csv", header=False)) == [("a", "b"), ("1", "2")]


def test_sentences_with_commas_are_topics_and_none_is_cut() -> None:
    topics = (
        "Should schools ban phones, tablets and laptops?", "Is remote work good?",
        "Should cats, dogs be free?", "No commas here",
    )  # fmt: skip
    for listed in (topics, topics[:2], topics[1::-1]):
        table = read_table("\n".join(listed).encode(), "list.csv")
        assert cells(table) == [(topic,) for topic in listed]
        assert "taken as the first topic" in table.notes[0]


def test_a_first_line_without_a_usual_name_is_told_where_it_names_the_columns() -> None:
    numbered = b"1,First topic\n2,Second\n"
    (note,) = read_table(numbered, "list.csv").notes
    assert note.startswith("Its first line is taken as the names of its columns. If it is a row")
    assert len(read_table(numbered, "list.csv", header=False).rows) == 2
    assert read_table(numbered, "list.csv", header=True).notes == ()
    assert read_table(b"nr,topic\n1,First\n", "list.csv").notes == ()
