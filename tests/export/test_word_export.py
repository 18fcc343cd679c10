"""A run as a Word document: readable for people who have nothing else, and inert."""

from __future__ import annotations

import io
import re
import zipfile
from typing import Any

import docx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fanout.export.word_export import docx_export
from fanout.export.word_text import add_markdown
from fanout.store.values import StoredRun
from tests.export.stored_runs import NAMES, failed_run, nasty_run, shipped_runs

MARKDOWN = """# Head

Para with **bold *both*** and `code`, ~~gone~~ and [link](http://a.test/b).

3. three
4. four
   - inner

> quoted

| a | b |
|---|---|
| 1 | **2** |

```
code
```

![picture](http://a.test/p.png) <script>alert(1)</script>

שלום עולם
"""


def read(run: StoredRun) -> Any:
    return docx.Document(io.BytesIO(docx_export(run)))


def paragraphs(document: Any) -> list[tuple[str, str]]:
    return [(paragraph.style.name, paragraph.text) for paragraph in document.paragraphs]


def table_cells(document: Any) -> list[list[str]]:
    return [[cell.text for cell in row.cells] for one in document.tables for row in one.rows]


@pytest.mark.parametrize("name", NAMES)
def test_the_answer_comes_first_and_every_branch_has_a_heading(name: str) -> None:
    run = shipped_runs()[name]
    found = paragraphs(read(run))
    assert found[0] == ("Title", "Rain, again")
    heads = [text for style, text in found if style == "Heading 1"]
    assert heads[0] == run.snapshot.aggregates[0].heading
    assert heads[1:3] == ["Topic", "Branches"] and heads[-1] == "Prompts"
    titles = [text for style, text in found if style == "Heading 2"]
    assert {branch.title for branch in run.snapshot.branches} <= set(titles)


def test_times_costs_votes_and_failures_are_in_it() -> None:
    document = read(failed_run())
    cells = table_cells(document)
    assert cells[0][:3] == ["Call", "State", "Time"]
    assert next(row[1] for row in cells if row[0] == "Poem") == "Failed"
    assert any(text.startswith("Poem: Key not accepted.") for _, text in paragraphs(document))
    assert ["block", "3"] in table_cells(read(shipped_runs()["moderation"]))


def test_markdown_becomes_word() -> None:
    document = docx.Document()
    add_markdown(document, MARKDOWN, 1)
    found = paragraphs(document)
    assert found[0] == ("Heading 2", "Head")
    assert ("Normal", "3.\tthree") in found and ("Normal", "4.\tfour") in found
    assert ("List Bullet 2", "inner") in found and ("Quote", "quoted") in found
    assert ("No Spacing", "code") in found
    assert table_cells(document) == [["a", "b"], ["1", "2"]]
    runs = {run.text: run for paragraph in document.paragraphs for run in paragraph.runs}
    assert runs["bold "].bold and not runs["bold "].italic
    assert runs["both"].bold and runs["both"].italic
    assert runs["gone"].font.strike and runs["code"].font.name == "Courier New"
    assert " (http://a.test/b)" in runs
    (turned,) = [p for p in document.paragraphs if "עולם" in p.text]
    assert "<w:bidi/>" in turned._p.xml and turned.runs[0].font.rtl
    assert not any("w:bidi" in p._p.xml for p in document.paragraphs if p is not turned
                   and "עולם" not in p.text)  # fmt: skip


def test_nothing_in_a_document_reaches_out_or_runs() -> None:
    data = docx_export(nasty_run(MARKDOWN))
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        for name in archive.namelist():
            if name.endswith((".xml", ".rels")):
                assert b'TargetMode="External"' not in archive.read(name)
        body = archive.read("word/document.xml").decode()
    assert not re.search(r"<w:(hyperlink|instrText|object|drawing|fldSimple)", body)
    assert "&lt;script&gt;" in body


def test_hostile_texts_make_a_readable_document() -> None:
    text = "\n".join(text for _, text in paragraphs(read(nasty_run())))
    assert "<script>alert(1)</script>" in text
    assert not set("\x00\x07\x1b\u202e\ufffe\ud800") & set(text)


@settings(max_examples=40, deadline=None)
@given(st.text(), st.sampled_from(["", "- ", "1. ", "> ", "# ", "| a |\n|---|\n| ", "```\n"]))
def test_any_text_can_be_put_into_a_document(text: str, mark: str) -> None:
    document = docx.Document()
    add_markdown(document, f"{mark}{text}\n\n{mark}{mark}{text}", 2)
    out = io.BytesIO()
    document.save(out)
    docx.Document(io.BytesIO(out.getvalue()))


def test_a_bullet_without_words_leaves_what_follows_its_list_alone() -> None:
    document = docx.Document()
    add_markdown(document, "-\n\nAfter the list", 2)
    assert document.paragraphs[-1].text == "After the list"
    style = document.paragraphs[-1].style
    assert style is not None and style.name == "Normal"
