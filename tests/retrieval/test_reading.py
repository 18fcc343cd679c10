"""What a file becomes, whatever its name says, and what is said of one that can't be read."""

from __future__ import annotations

import codecs
import io
import zipfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fanout.retrieval.errors import DocumentError
from fanout.retrieval.extracted import MOST_CHARACTERS, Extracted
from fanout.retrieval.reading import MOST_BYTES, read_document, shown_name
from fanout.retrieval.reading_process import read_apart
from tests.retrieval.sample_files import encrypted, pdf, word_file

STORAGE = "The container behind the depot holds 640 kWh."


def refusal(name: str, data: bytes) -> str:
    with pytest.raises(DocumentError) as caught:
        read_document(name, data)
    return str(caught.value)


def names(found: Extracted) -> list[str]:
    return [section.name for section in found.sections]


@pytest.mark.parametrize(
    ("data", "assumed"),
    [
        ("Käse für 3 €".encode(), ""),
        (codecs.BOM_UTF8 + "Käse für 3 €".encode(), ""),
        ("Käse für 3 €".encode("utf-16"), ""),
        (codecs.BOM_UTF16_BE + "Käse für 3 €".encode("utf-16-be"), ""),
        ("Käse für 3 €".encode("utf-32"), ""),
        ("Käse für 3 €".encode("cp1252"), "Windows-1252 was assumed"),
        ("Käse für 3 ".encode("latin-1") + b"\x81", "Latin-1 was assumed"),
    ],
)
def test_the_encoding_is_told_by_marks_then_utf_8_then_assumed(data: bytes, assumed: str) -> None:
    found = read_document("prices.txt", data)
    assert found.text.startswith("Käse für 3")
    assert (assumed in found.note) if assumed else found.note == ""


def test_decomposed_letters_and_foreign_newlines_become_one_form() -> None:
    found = read_document("a.txt", "Ka\u0308se\r\nund\rBrot\u2028und\x0bWein".encode())
    assert found.text == "Käse\nund\nBrot\nund\nWein"


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("empty.txt", b"", "is empty: it has 0 bytes"),
        ("blank.md", b" \n\t\n", "holds no text"),
        ("program.txt", b"\x7fELF\x02\x01\0\0\0", "binary data"),
        ("noise.csv", bytes(range(1, 32)) * 9, "binary data"),
        ("cut.txt", codecs.BOM_UTF16_LE + b"a\0b", "breaks off or is damaged"),
        ("song.mp3", b"ID3 text", "txt, md, html, csv, pdf and docx"),
        ("old.doc", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 99, "old Office file"),
        ("fake.pdf", b"Hello, this is text", "named .pdf but holds something else"),
        ("broken.pdf", b"%PDF-1.7\nnothing follows", "its pages can't be found"),
        ("broken.docx", b"PK\x03\x04 nothing follows", "can't be unpacked"),
        ("huge.txt", b"a" * (MOST_BYTES + 1), "at most 50 MB"),
    ],
)
def test_what_cannot_be_read_is_named_and_explained(name: str, data: bytes, said: str) -> None:
    message = refusal(name, data)
    assert message.startswith(name)
    assert said in message


def test_content_tells_the_format_where_the_name_lies() -> None:
    assert read_document("notes.txt", pdf([STORAGE])).kind == "pdf"
    assert read_document("scan.xyz", word_file()).kind == "docx"
    assert read_document("page.txt", b"<!DOCTYPE html><html><p>Hello there</p>").kind == "html"
    assert read_document("README", b"Just words").kind == "txt"


def test_markdown_is_kept_as_written_and_divided_by_headings() -> None:
    source = "Before.\n\n# Storage #\nText.\n```\n# no heading\n```\n\nKeys\n----\nIlse.\n"
    found = read_document("a.md", source.encode())
    assert names(found) == ["", "Storage", "Keys"]
    assert "# no heading" in found.text


def test_html_shows_what_a_reader_sees() -> None:
    page = b"""<html><head><title>Energy</title><style>p {}</style></head><body>
    <h1>Who <em>we</em> are</h1><p>A co-<b>operative</b> &amp; friends<br>of   412.</p>
    <script>alert("<p>no</p>")</script><noscript>no</noscript>
    <table><tr><th>Item</th><th>Cost</th></tr><tr><td>Roof</td><td>12</td></tr></table>
    <h2>Keys</h2><ul><li>gate<li>school</ul></body>"""
    found = read_document("a.html", page)
    assert names(found) == ["Energy", "Who we are", "Keys"]
    assert "A co-operative & friends\nof 412." in found.text
    assert "Item | Cost\nRoof | 12" in found.text
    assert "gate\nschool" in found.text
    assert "no" not in found.text.split()


def test_a_page_is_decoded_by_what_it_declares() -> None:
    page = '<html><meta charset="windows-1251"><p>Энергия'.encode("cp1251")
    assert "Энергия" in read_document("a.html", page).text
    assert "Hello" in read_document("a.html", b"<html><meta charset='rot13'><p>Hello").text


def test_table_rows_carry_their_columns_and_spreadsheet_numbers() -> None:
    data = 'Item;Cost;\n"Roof; large";12;"two\nlines"\n\n;;\nPanel;30\n'
    found = read_document("a.csv", data.encode())
    assert found.text.splitlines() == [
        "Item: Roof; large; Cost: 12; column 3: two lines",
        "Item: Panel; Cost: 30",
    ]
    assert names(found) == ["2", "5"]


def test_a_table_of_only_a_header_keeps_it() -> None:
    assert read_document("a.csv", b"Item,Cost\n").text == "Item,Cost"


def test_a_pdf_keeps_its_page_numbers_and_counts_pages_without_text() -> None:
    found = read_document("a.pdf", pdf([STORAGE, "", "The turbine hums."]))
    assert [(s.unit, s.name) for s in found.sections] == [("page", "1"), ("page", "3")]
    assert found.pages == 3
    assert found.text == f"{STORAGE}\n\nThe turbine hums."
    assert "1 of 3 pages have no text" in found.note


def test_a_pdf_of_five_hundred_pages_is_read_to_its_end() -> None:
    pages = [f"Page {n}.\n" + f"{STORAGE}\n" * 30 for n in range(500)]
    found = read_document("long.pdf", pdf(pages))
    assert found.pages == 500
    assert found.text.count("640 kWh") == 15_000


def test_a_scanned_pdf_is_sent_to_text_recognition() -> None:
    assert "Run OCR" in refusal("scan.pdf", pdf(["", "2"]))


def test_an_encrypted_pdf_opens_with_the_empty_password_only() -> None:
    assert read_document("a.pdf", encrypted(pdf([STORAGE]), "")).text == STORAGE
    assert "without its password" in refusal("b.pdf", encrypted(pdf([STORAGE]), "secret"))


def test_a_damaged_page_costs_its_own_text_only() -> None:
    data = pdf(["First page.", "Second page."])
    start = data.rindex(b"stream\n", 0, data.rindex(b"endstream")) + 7
    found = read_document("a.pdf", data[:start] + b"\xff" * 20 + data[start + 20 :])
    assert found.text == "First page."


def test_a_word_file_keeps_paragraphs_tables_and_headings_in_order() -> None:
    found = read_document("plan.docx", word_file())
    assert names(found) == ["Shelter plan", "Keys"]
    assert found.text == (
        "Shelter plan\n\nBefore the table.\n\nRoom | Places\nAssembly room | 80\n\n"
        "After the table.\n\nKeys\n\nThe key safe stands beside the gate."
    )


def archive(**members: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        for name, data in members.items():
            made.writestr(name.replace("__", "/").replace("_xml", ".xml"), data)
    return out.getvalue()


def test_a_word_file_that_unpacks_without_end_is_refused_unopened() -> None:
    bomb = archive(word__document_xml=bytes(201_000_000))
    assert len(bomb) < 1_000_000
    assert "would unpack to more than 200 MB" in refusal("bomb.docx", bomb)


def test_other_archives_and_damaged_word_files_are_told_apart() -> None:
    assert "of another kind" in refusal("table.xlsx", archive(xl__workbook_xml=b"<a/>"))
    assert "is damaged" in refusal("a.docx", archive(word__document_xml=b"<a>"))


WHOLE = {"a.pdf": pdf([STORAGE] * 2), "a.docx": word_file()}


@settings(max_examples=12, deadline=None)
@given(st.data())
def test_a_damaged_file_is_read_or_refused_and_never_a_crash(data: st.DataObject) -> None:
    name, whole = data.draw(st.sampled_from(list(WHOLE.items())))
    place = data.draw(st.integers(8, len(whole) - 40))
    noise = data.draw(st.binary(min_size=1, max_size=40))
    for damaged in (whole[:place], whole[:place] + noise + whole[place + len(noise) :]):
        try:
            assert read_document(name, damaged).text
        except DocumentError as error:
            assert str(error).startswith(name)


def test_a_reader_that_takes_too_long_is_ended_and_its_pages_are_kept() -> None:
    endless = pdf(["Quick."] + ["x\n" * 20_000] * 600)
    outcome = read_apart("pdf", "slow.pdf", endless, within_s=5)
    assert outcome.cut
    assert outcome.parts[0].text.strip() == "Quick."
    assert 0 < len(outcome.parts) < 601
    with pytest.raises(DocumentError, match=r"slow\.pdf was not read within 0 seconds"):
        read_apart("pdf", "slow.pdf", pdf(["x\n" * 1_000_000]), within_s=0)


def test_reading_can_be_stopped() -> None:
    with pytest.raises(DocumentError, match="was stopped"):
        read_document("slow.pdf", pdf(["x\n" * 20_000] * 600), stopped=lambda: True)


def test_more_text_than_can_be_used_is_cut_and_said_to_be() -> None:
    found = read_document("long.txt", b"word " * (MOST_CHARACTERS // 5 + 100))
    assert len(found.text) <= MOST_CHARACTERS
    assert "Only its first 5,000,000 characters" in found.note


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\me\\plan.md", "plan.md"),
        ("a\nb\x1b[31m.txt", "ab[31m.txt"),
        ("", "document"),
        ("n" * 300 + ".pdf", "n" * 116 + ".pdf"),
    ],
)
def test_a_shown_name_is_one_short_line_without_folders(given: str, shown: str) -> None:
    assert shown_name(given) == shown
