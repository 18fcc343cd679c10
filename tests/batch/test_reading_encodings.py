"""Tables from before UTF-8: read as what they are, told where that is a guess, or refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from fanout.batch.reading.reading import read_table
from fanout.errors import InputError

SHIFT_JIS = ["東京", "日本語", "会議のテーマ", "町役場は土曜日に開くべきか"]
ASIAN = [
    ("shift_jis", "Shift-JIS", SHIFT_JIS),
    ("euc_jp", "EUC-JP", SHIFT_JIS),
    ("gbk", "GBK", ["北京", "远程办公", "市政厅应该在星期六开放吗"]),
    ("big5", "Big5", ["臺北", "遠端工作", "市政廳應該在星期六開放嗎"]),
    ("euc_kr", "EUC-KR", ["서울", "원격 근무", "시청은 토요일에 문을 열어야 합니까"]),
]
WESTERN = [
    ["Grün – ja", "Käse für 3 €", "“Größe”", "Ärger"],
    ["don’t do it", "it’s"],
    ["EDUCAÇÃO", "INFORMAÇÕES"],
    ["L’été à l’œuvre", "créée", "«Ça» – ‘x’", "à Paris"],
    ["¿Qué niño?", "10 °C ½", "§ 5"],
    ["Ål og Æbler", "Øl"],
]


def saved(topics: list[str], encoding: str) -> bytes:
    rows = "".join(f"{topic},{number}\n" for number, topic in enumerate(topics))
    return f"topic,n\n{rows}".encode(encoding)


def read(data: bytes, encoding: str = "") -> list[str]:
    return [row.cells[0] for row in read_table(data, "a.csv", encoding=encoding).rows]


@pytest.mark.parametrize(("encoding", "name", "topics"), ASIAN)
def test_an_asian_encoding_is_found_out_and_left_to_somebody_to_look_at(
    encoding: str, name: str, topics: list[str]
) -> None:
    table = read_table(saved(topics, encoding), "a.csv")
    assert [row.cells[0] for row in table.rows] == topics
    (note,) = (note for note in table.notes if "not UTF-8" in note)
    example = note.partition("“")[2].partition("”")[0].rstrip("…")
    assert name in note and example and any(example in topic for topic in topics)
    assert name in table.doubt and "--encoding" in table.doubt


@pytest.mark.parametrize(("encoding", "name", "topics"), ASIAN)
def test_the_encoding_that_the_doubt_names_reads_it_and_leaves_none(
    encoding: str, name: str, topics: list[str]
) -> None:
    doubt = read_table(saved(topics, encoding), "a.csv").doubt
    named = doubt.partition("--encoding ")[2].partition(";")[0]
    for said in (named, encoding):
        table = read_table(saved(topics, encoding), "a.csv", encoding=said)
        assert [row.cells[0] for row in table.rows] == topics
        assert (table.doubt, table.notes) == ("", ())


@pytest.mark.parametrize("topic", ["東京", "日本語", "会議"])
def test_a_single_word_of_shift_jis_never_passes_for_western_letters(topic: str) -> None:
    table = read_table(saved([topic], "shift_jis"), "a.csv")
    assert (table.rows[0].cells[0], bool(table.doubt)) == (topic, True)


@pytest.mark.parametrize("topics", WESTERN)
def test_windows_1252_is_read_told_and_not_doubted(topics: list[str]) -> None:
    table = read_table(saved(topics, "cp1252"), "a.csv")
    assert [row.cells[0] for row in table.rows] == topics
    assert any("Windows-1252" in note and "save it as CSV UTF-8" in note for note in table.notes)
    assert table.doubt == ""


def test_letters_far_down_in_a_file_are_looked_at_as_well() -> None:
    plain = [f"a topic of some length, {number}"[:20] for number in range(80_000)]
    data = saved([*plain, *SHIFT_JIS], "shift_jis")
    assert len(data) > 2_000_000
    assert "Shift-JIS" in read_table(data, "a.csv").doubt


@pytest.mark.parametrize(
    "data",
    [
        saved(["Москва", "Удалённая работа"], "cp1251"),
        saved(["Αθήνα", "είναι"], "cp1253"),
        b"topic,n\na\x81b\xe9,1\n",
        saved(["caf\xe9"], "latin-1") + b"\x9d,2\n",
    ],
)
def test_letters_of_no_known_encoding_are_refused(data: bytes) -> None:
    with pytest.raises(InputError, match=r"^a\.csv is not UTF-8, .*Save it as CSV UTF-8"):
        read_table(data, "a.csv")


def test_any_encoding_can_be_named_and_must_fit() -> None:
    assert read(saved(["Москва"], "cp1251"), "windows-1251") == ["Москва"]
    assert read("\ufefftopic,n\nGrün,1\n".encode(), "UTF-8") == ["Grün"]
    with pytest.raises(InputError, match=r"^a\.csv is not utf-8: near its beginning"):
        read(saved(["Grün"], "cp1252"), "utf-8")
    for none in ("no-such", "hex", "rot13", "base64", "\x00"):
        with pytest.raises(InputError, match="No encoding is called"):
            read(b"topic,n\na,1\n", none)


def test_a_workbook_takes_no_encoding(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"a\.xlsx is a workbook, which has no encoding"):
        read_table(b"PK\x03\x04junk", "a.xlsx", encoding="utf-8")
