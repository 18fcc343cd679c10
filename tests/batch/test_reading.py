"""Tables from files of every kind: what is read, what is told, what is refused."""

from __future__ import annotations

import csv
import io
import tracemalloc
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fanout.batch.reading.reading import read_pasted, read_table
from fanout.batch.reading.table import Table
from fanout.bounds import LOCAL
from fanout.errors import InputError
from fanout.workflows.topic import clean_words

FEW = replace(LOCAL, batch_rows=20)


def cells(table: Table) -> list[tuple[str, ...]]:
    return [row.cells for row in table.rows]


@pytest.mark.parametrize(
    "data",
    [
        "topic,lang\nGrün,de\n".encode(),
        "\ufefftopic,lang\nGrün,de\n".encode(),
        "topic;lang\r\nGrün;de\r\n".encode(),
        "topic\tlang\nGrün\tde".encode(),
        "topic|lang\rGrün|de".encode(),
        'sep=;\ntopic;lang\n"Grün";de\n'.encode(),
        'topic, lang\nGrün, "de"\n'.encode(),
        "topic,lang\nGrün,de\n".encode("utf-16"),
        "topic,lang\nGrün,de\n".encode("utf-16-le"),
        "topic,lang\nGrün,de\n".encode("utf-32"),
    ],
)
def test_encodings_and_separators_are_found_out(data: bytes) -> None:
    table = read_table(data, "a.csv")
    assert table.columns == ("topic", "lang")
    assert cells(table) == [("Grün", "de")]
    assert table.notes == ()


def test_text_over_several_lines_keeps_its_lines_and_rows_know_theirs() -> None:
    table = read_table(b'topic,n\n"one\ntwo, ""three""",1\n\nfour,2\n', "a.csv")
    assert cells(table) == [('one\ntwo, "three"', "1"), ("four", "2")]
    assert [row.line for row in table.rows] == [2, 5]


def test_a_quote_within_a_quoted_text_is_told_with_its_line() -> None:
    with pytest.raises(InputError, match=r'^a.csv, line 3: .*Write it twice there \(""\)'):
        read_table(b'topic,n\nok,1\nx "y" z,1\n'.replace(b'x "y" z', b'"x "y" z"'), "a.csv")


def test_a_quote_that_is_never_closed_is_told_where_it_was_opened() -> None:
    rows = b"".join(b"topic %d,1\n" % n for n in range(60_000))
    with pytest.raises(InputError, match=r"^a\.csv, line 4: a quotation mark is opened"):
        read_table(b'topic,n\nok,1\nok,2\n"open,3\n' + rows, "a.csv")
    with pytest.raises(InputError, match=r"^a\.csv, line 2: a quotation mark is opened"):
        read_table(b'sep=,\n"topic,n\nok,1\n', "a.csv")


def test_ragged_rows_are_mended_and_told() -> None:
    table = read_table(b"topic,n\nshort\nlong,1,2,3\n,,\nfits,1,,\n", "a.csv")
    assert cells(table) == [("short", ""), ("long", "1"), ("fits", "1")]
    told = " ".join(table.notes)
    assert "Fewer cells than the 2 columns: line 2" in told
    assert "More cells than the 2 columns: line 3" in told
    assert "1 blank row (line 4)" in told


def test_columns_without_a_name_or_with_one_name_can_be_told_apart() -> None:
    table = read_table(b"topic,,topic,topic (2),column 2\n1,2,3,4,5\n", "a.csv")
    assert table.columns == ("topic", "column 2 (2)", "topic (3)", "topic (2)", "column 2")
    assert len(table.notes) == 2


def test_a_text_file_is_a_topic_a_line() -> None:
    table = read_table(b'one, two\n\nthree; "four\n', "list.txt")
    assert cells(table) == [("one, two",), ('three; "four',)]


def test_formulas_and_control_characters_are_only_text() -> None:
    table = read_table(b'topic,x\n"=HYPERLINK(""http://x"",""y"")",a\x07\x1b[31mb\n', "a.csv")
    assert cells(table) == [('=HYPERLINK("http://x","y")', "a[31mb")]


def test_a_cell_of_fifty_thousand_characters_is_read_whole() -> None:
    table = read_table(b"topic,x\n" + b"a" * 250_000 + b",1\n", "a.csv")
    assert len(table.rows[0].cells[0]) == 250_000


def test_json_lines_make_columns_of_all_their_names() -> None:
    data = b'{"topic": "x", "n": 1}\n\n{"topic": null, "z": ["\\u00e9"], "t": true}\n'
    table = read_table(data, "a.jsonl")
    assert table.columns == ("topic", "n", "z", "t")
    assert cells(table) == [("x", "1", "", ""), ("", "", '["é"]', "true")]
    assert [row.line for row in table.rows] == [1, 3]
    assert cells(read_table(data, "a.csv")) == cells(table)
    assert cells(read_table(b'"x"\n"y, z"\n', "a.ndjson")) == [("x",), ("y, z",)]


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (b"{bad}", "line 2: it is not JSON"),
        (b"3", "line 2: it is neither an object nor a text"),
        (b"[" * 100_000, "line 2: it is nested too deeply"),
        (b'{"a": ' + b"9" * 5000 + b"}", "line 2: it is not JSON"),
    ],
)
def test_a_bad_line_of_json_is_told_with_its_number(line: bytes, says: str) -> None:
    with pytest.raises(InputError, match=says) as refused:
        read_table(b'{"topic": "x"}\n' + line + b"\n", "a.jsonl")
    assert "line 1" not in str(refused.value), "each line is a text of its own to the parser"


@pytest.mark.parametrize(
    ("data", "name", "says"),
    [
        (b"", "a.csv", "empty: it has 0 bytes"),
        (b"\xef\xbb\xbf", "a.csv", "holds no rows"),
        (b" \n\n", "a.csv", "holds no rows"),
        (b"topic,x\n", "a.csv", "no row below"),
        (b"\x7fELF\x00\x01" * 99, "a.csv", "binary data"),
        (b"\x89PNG\r\n\x1a\n\x01\x02\x03", "a.csv", "binary data"),
        (b"%PDF-1.7 x", "a.csv", "PDF"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1x", "a.xls", "old Excel"),
        (b"PK\x03\x04junk", "a.xlsx", "damaged"),
        ("\ufefftopic".encode("utf-16") + b"\x00\xd8\n", "a.csv", "UTF-16 text and is damaged"),
        (b'[{"topic": "x"}]', "a.json", "on a line of its own"),
        (b"\n".join([b",".join([b"a"] * 201)] * 2), "a.csv", "201 columns"),
        (b'{\n  "topic": "x"\n}\n', "a.json", "one JSON object .* on a line of its own"),
        (b'{"a": 1}\n' + b"\n".join(b'{"k%d": 1}' % n for n in range(201)), "a.jsonl", "names"),
    ],
)
def test_what_is_no_table_is_refused_with_its_name(data: bytes, name: str, says: str) -> None:
    with pytest.raises(InputError, match=says) as refused:
        read_table(data, f"/home/somebody/{name}")
    assert str(refused.value).startswith(name)


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"^none\.csv can't be read: No such file"):
        read_table(tmp_path / "none.csv")


def test_text_named_as_a_workbook_is_read_and_told() -> None:
    table = read_table(b"topic,x\na,1\n", "a.xlsx")
    assert cells(table) == [("a", "1")]
    assert "holds text" in table.notes[0]


def test_pasted_lines_are_a_topic_each() -> None:
    table = read_pasted("remote work\n\n  four-day week \nfive, six")
    assert table.columns == ("topic",)
    assert cells(table) == [("remote work",), ("four-day week",), ("five, six",)]
    assert {row.line for row in table.rows} == {None}
    assert table.notes == ()
    assert cells(read_pasted("Topic\none")) == [("one",)]
    assert cells(read_pasted("text")) == [("text",)]
    with pytest.raises(InputError, match="What was pasted holds no rows"):
        read_pasted(" \n ")


def test_a_pasted_table_has_columns() -> None:
    table = read_pasted('Topic\tTone\n"two\nlines"\tcalm\nx\t\n')
    assert table.columns == ("Topic", "Tone")
    assert cells(table) == [("two\nlines", "calm"), ("x", "")]


def test_as_many_rows_as_may_be_are_read_and_one_more_is_refused() -> None:
    lines = b"topic,n\n" + b"x,1\n" * FEW.batch_rows
    assert len(read_table(lines, "a.csv", FEW).rows) == FEW.batch_rows
    with pytest.raises(InputError, match=r"more than 20 rows.*FANOUT_MAX_BATCH_ROWS"):
        read_table(lines + b"x,1\n", "a.csv", FEW)
    with pytest.raises(InputError, match="more than 20 rows"):
        read_pasted("x\n" * 21, FEW)
    with pytest.raises(InputError, match="more than 20 rows"):
        read_table(b'{"topic": "x"}\n' * 21, "a.jsonl", FEW)


def test_a_file_past_the_bound_of_bytes_is_refused_unread() -> None:
    with pytest.raises(InputError, match="FANOUT_MAX_UPLOAD_MB"):
        read_table(b"x" * 2000, "a.csv", replace(LOCAL, upload_bytes=1000))


def test_a_million_rows_are_refused_with_flat_memory(tmp_path: Path) -> None:
    path = tmp_path / "million.csv"
    with path.open("w") as file:
        file.write("topic,n\n")
        file.writelines("a topic of some length,1\n" for _ in range(1_000_000))
    tracemalloc.start()
    with pytest.raises(InputError, match=r"^million.csv has more than 10,000 rows"):
        read_table(path, limits=replace(LOCAL, batch_rows=10_000))
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 15_000_000, "the rows that may be, and a portion of the file"


def written(rows: list[list[str]], separator: str) -> bytes:
    out = io.StringIO(newline="")
    csv.writer(out, delimiter=separator).writerows(rows)
    return out.getvalue().encode()


WORDS = st.text(st.characters(min_codepoint=32, max_codepoint=0x2FF), max_size=20).map(
    lambda text: " ".join(text.split())
)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.lists(WORDS, min_size=3, max_size=3), min_size=1, max_size=6),
    st.sampled_from(",;\t|"),
)
def test_what_a_csv_writer_writes_is_read_back(rows: list[list[str]], separator: str) -> None:
    rows = [["topic", *row[1:]] for row in rows]
    table = read_table(written([["topic", "a", "b"], *rows], separator), "a.csv")
    assert cells(table) == [tuple(map(clean_words, row)) for row in rows]


SHAPED = st.lists(
    st.sampled_from(
        [b",", b";", b"\t", b'"', b"\n", b"\r\n", b"\r", b"topic", b"a b", b"{", b"}", b":", b"[",
         b"\xff\xfe", b"\xef\xbb\xbf", b"\x00", b"\xc3\xa4", b"\xe4", b"sep=;\n", b"=1+1",
         b"PK\x03\x04"]
    ),
    max_size=40,
).map(b"".join)  # fmt: skip


@settings(max_examples=400, deadline=None)
@given(
    st.binary(max_size=300) | SHAPED,
    st.sampled_from(
        ["a.csv", "a.jsonl", "a.txt", "a.xlsx", "a", "", "ä\x00/..", "a.json", "a.tsv"]
    ),
    st.sampled_from([None, True, False]),
)
def test_any_bytes_give_a_table_or_words(data: bytes, name: str, header: bool | None) -> None:
    try:
        table = read_table(data, name, FEW, header=header)
    except InputError as error:
        assert str(error)[:1].strip()
        return
    assert table.columns and all(table.columns)
    assert len(set(table.columns)) == len(table.columns)
    assert 0 < len(table.rows) <= FEW.batch_rows
    assert {len(row.cells) for row in table.rows} == {len(table.columns)}


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=200))
def test_any_pasted_text_gives_a_table_or_words(text: str) -> None:
    try:
        table = read_pasted(text, FEW)
    except InputError:
        return
    assert {len(row.cells) for row in table.rows} == {len(table.columns)}
