"""Text that others wrote as paragraphs, lists and tables of Word.

It is read by the same rules as on the screen: no raw HTML, no picture, no link that anything
follows. An address is written out, so that it can be read on paper.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence

from docx.document import Document
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml import OxmlElement
from docx.shared import Pt
from docx.text.paragraph import Paragraph
from docx.text.run import Run
from markdown_it import MarkdownIt
from markdown_it.token import Token

from fanout.render.sanitise import clean_text

LONGEST = 300_000
"""Characters up to which text is read as Markdown; what is longer stands as it was written."""
_DEEPEST_LIST = 3
_INDENT_PT = 18
_NOT_IN_XML = str.maketrans(dict.fromkeys(("\ufffe", "\uffff")))


class _Place:
    """Where in a text the reader is."""

    def __init__(self, level: int) -> None:
        self.level = level
        self.lists: list[int | None] = []
        """The open lists, each by its next number; None is bulleted."""
        self.quotes = 0
        self.item = False
        """The next paragraph is the first of its item."""


def add_markdown(document: Document, text: str, level: int) -> None:
    """The text below a heading of that level; its own headings go below that."""
    source = fit(text)
    if len(source) > LONGEST:
        for line in source.split("\n"):
            add_text(document.add_paragraph(), line)
        return
    tokens = iter(_markdown.parse(source))
    place = _Place(level)
    for token in tokens:
        _add(document, token, tokens, place)


def add_text(paragraph: Paragraph, text: str) -> Run:
    """Plain text in a paragraph, which runs the way the text does."""
    run = paragraph.add_run(fit(text))
    _turn(paragraph, text)
    return run


def add_code(document: Document, text: str) -> None:
    """The text as it is, in a type whose letters are equally wide."""
    paragraph = document.add_paragraph(style="No Spacing")
    paragraph.paragraph_format.left_indent = Pt(_INDENT_PT)
    _as_code(paragraph.add_run(fit(text).strip("\n")))
    paragraph.paragraph_format.space_after = Pt(6)


def add_table(
    document: Document,
    titles: Sequence[str],
    rows: Sequence[Sequence[str]],
    right: Sequence[bool] = (),
) -> None:
    """A table with a first line that is repeated on every page."""
    if not titles:
        return
    table = document.add_table(rows=0, cols=len(titles), style="Light Grid Accent 1")
    for number, texts in enumerate((titles, *rows)):
        row = table.add_row()
        for column, (cell, text) in enumerate(zip(row.cells, texts, strict=False)):
            paragraph = cell.paragraphs[0]
            add_text(paragraph, " ".join(text.split())).font.size = Pt(9)
            if column < len(right) and right[column]:
                paragraph.alignment = WD_ALIGN_PARAGRAPH.RIGHT
        if not number:
            row._tr.get_or_add_trPr().append(OxmlElement("w:tblHeader"))
    document.add_paragraph()


def fit(text: str, limit: int = 0) -> str:
    """The text without what XML can't hold and no reader sees; cut to `limit` characters if any."""
    kept = clean_text(text).translate(_NOT_IN_XML)
    return kept if not limit or len(kept) <= limit else kept[: limit - 1].rstrip() + "…"


def _add(document: Document, token: Token, rest: Iterator[Token], place: _Place) -> None:
    match token.type:
        case "heading_open":
            level = min(9, int(token.tag[1]) + place.level)
            _add_inline(document.add_heading(level=level), next(rest))
        case "inline":
            _add_inline(_paragraph(document, place), token)
        case "bullet_list_open":
            place.lists.append(None)
        case "ordered_list_open":
            place.lists.append(int(token.attrGet("start") or 1))
        case "bullet_list_close" | "ordered_list_close":
            place.lists.pop()
        case "list_item_open":
            place.item = True
        case "list_item_close":
            # One without any text must not leave its bullet to what comes after the list.
            place.item = False
        case "blockquote_open":
            place.quotes += 1
        case "blockquote_close":
            place.quotes -= 1
        case "fence" | "code_block":
            add_code(document, token.content)
        case "table_open":
            _add_table(document, rest)
        case "hr":
            document.add_paragraph("⁂").alignment = WD_ALIGN_PARAGRAPH.CENTER
        case _:
            pass


def _paragraph(document: Document, place: _Place) -> Paragraph:
    depth = len(place.lists)
    if place.item and place.lists[-1] is None:
        place.item = False
        level = min(depth, _DEEPEST_LIST)
        return document.add_paragraph(style="List Bullet" + (f" {level}" if level > 1 else ""))
    paragraph = document.add_paragraph(style="Quote" if place.quotes else None)
    indent = _INDENT_PT * (depth + max(0, place.quotes - 1))
    if indent:
        paragraph.paragraph_format.left_indent = Pt(min(indent, 8 * _INDENT_PT))
    number = place.lists[-1] if place.lists else None
    if place.item and number is not None:
        # Numbers are written: Word's own would go on from one list of the document to the next.
        paragraph.paragraph_format.first_line_indent = Pt(-_INDENT_PT)
        paragraph.add_run(f"{number}.\t")
        paragraph.paragraph_format.tab_stops.add_tab_stop(Pt(min(indent, 8 * _INDENT_PT)))
        place.lists[-1] = number + 1
    place.item = False
    return paragraph


def _add_inline(paragraph: Paragraph, token: Token) -> None:
    marks: list[str] = []
    address = ""
    for child in token.children or ():
        match child.type:
            case "strong_open" | "em_open" | "s_open":
                marks.append(child.type.removesuffix("_open"))
            case "strong_close" | "em_close" | "s_close":
                marks.remove(child.type.removesuffix("_close"))
            case "softbreak" | "hardbreak":
                paragraph.add_run().add_break()
            case "link_open":
                address = str(child.attrGet("href") or "")
            case "link_close":
                if address and address not in paragraph.text:
                    paragraph.add_run(f" ({fit(address)})")
            case "image":
                _marked(paragraph.add_run(fit(child.content) or "image"), marks)
            case "code_inline":
                _as_code(_marked(paragraph.add_run(fit(child.content)), marks))
            case _:
                _marked(paragraph.add_run(fit(child.content)), marks)
    _turn(paragraph, paragraph.text)


def _marked(run: Run, marks: Sequence[str]) -> Run:
    run.bold = True if "strong" in marks else None
    run.italic = True if "em" in marks else None
    run.font.strike = True if "s" in marks else None
    return run


def _as_code(run: Run) -> None:
    run.font.name, run.font.size = "Courier New", Pt(9)


def _add_table(document: Document, rest: Iterator[Token]) -> None:
    rows: list[list[str]] = []
    for token in rest:
        if token.type == "table_close":
            break
        if token.type == "tr_open":
            rows.append([])
        elif token.type == "inline":
            rows[-1].append(_plain(token))
    if rows:
        add_table(document, rows[0], rows[1:])


def _plain(token: Token) -> str:
    """What a reader sees of a piece of Markdown."""
    return "".join(
        " " if child.type.endswith("break") else child.content for child in token.children or ()
    )


def _turn(paragraph: Paragraph, text: str) -> None:
    """Let a paragraph whose first letter runs from right to left do so too."""
    kinds = (unicodedata.bidirectional(character) for character in text)
    if next((kind for kind in kinds if kind in ("L", "R", "AL")), "L") == "L":
        return
    properties = paragraph._p.get_or_add_pPr()
    # Word is strict about the order of a paragraph's properties: this one comes before spacing.
    properties.insert_element_before(OxmlElement("w:bidi"), *_AFTER_BIDI)
    for run in paragraph.runs:
        run.font.rtl = True


_AFTER_BIDI = (
    "w:adjustRightInd", "w:snapToGrid", "w:spacing", "w:ind", "w:contextualSpacing",
    "w:mirrorIndents", "w:suppressOverlap", "w:jc", "w:textDirection", "w:textAlignment",
    "w:textboxTightWrap", "w:outlineLvl", "w:divId", "w:cnfStyle", "w:rPr", "w:sectPr",
    "w:pPrChange",
)  # fmt: skip


def _reader() -> MarkdownIt:
    markdown = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
    return markdown.disable(["reference", "html_block", "html_inline"])


_markdown = _reader()
