"""Model text can't load, run or disguise anything, and its HTML does not depend on how it came."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from fanout.render.markdown import LONGEST_BLOCK, SMALL_BLOCK, BlockRenderer, render
from fanout.render.sanitise import _cleaner, _markdown, clean_text

ALLOWED = {
    "p", "h3", "h4", "h5", "h6", "ul", "ol", "li", "strong", "em", "s", "del", "code", "pre",
    "blockquote", "hr", "br", "a", "table", "thead", "tbody", "tr", "th", "td",
}  # fmt: skip
ATTRIBUTES = {"dir", "href", "rel", "target", "start"}

ATTACKS = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "![pixel](https://evil.example/p.png)",
    "![pixel][r]\n\n[r]: https://evil.example/p.png",
    "[![pixel](https://evil.example/p.png)](javascript:alert(1))",
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt:alert(1))",
    "[x](java\tscript:alert(1))",
    "[x](&#106;avascript:alert(1))",
    "[x](data:text/html;base64,PHNjcmlwdD4=)",
    "[x](vbscript:msgbox(1))",
    "[x](file:///etc/passwd)",
    "[x](//evil.example)",
    "[x](/_stcore/health)",
    "<javascript:alert(1)>",
    "<data:text/html,x>",
    "<style>*{background:url(https://evil.example)}</style>",
    "<svg/onload=alert(1)>",
    '<a href="https://ok.example" onclick="alert(1)">x</a>',
    '[x](https://ok.example "onmouseover=alert(1)")',
    "```html onload=alert(1)\n<script>alert(1)</script>\n```",
    "    <iframe src=https://evil.example>",
    "| <img src=x> | b |\n|---|---|\n| ![p](https://e.example) | <b onclick=x> |",
    "> <object data=x>\n> - <embed src=y>\n>   1. ![z](//e.example/z)",
    "`<script>` and &lt;script&gt; and &#60;script&#62;",
    "<!-- --><script>alert(1)</script>",
    "<![CDATA[<script>alert(1)</script>]]>",
    "<p style=position:fixed class=x id=y>",
    "**<b title='x'>**",
    "<math><mtext><table><mglyph><style><img src=x onerror=alert(1)>",
]


class Seen(HTMLParser):
    """Every tag and attribute of some HTML, as a browser would meet them."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))


def check_harmless(html: str) -> None:
    for tag, attributes in Seen(html).tags:
        assert tag in ALLOWED
        assert set(attributes) <= ATTRIBUTES
        if tag == "a":
            assert attributes["target"] == "_blank"
            assert attributes["rel"] == "noopener noreferrer nofollow"
            href = attributes.get("href")
            assert href is None or re.match(r"(https?|mailto):", href), href


@pytest.mark.parametrize("attack", ATTACKS)
def test_an_attack_becomes_harmless_html(attack):
    check_harmless(render(attack))


@given(st.lists(st.sampled_from([*ATTACKS, "\n", "\n\n", "- ", "> ", "*", "`", "[", "](", "|"])))
def test_attacks_in_any_mixture_stay_harmless(parts):
    check_harmless(render("".join(parts)))


@pytest.mark.parametrize(
    ("source", "html"),
    [
        ("plain words", '<p dir="auto">plain words</p>\n'),
        ("**b** *i* `c` ~~d~~", "<strong>b</strong> <em>i</em> <code>c</code> <s>d</s>"),
        ("# Top", '<h3 dir="auto">Top</h3>'),
        ("## Second", '<h3 dir="auto">Second</h3>'),
        ("##### Deep", '<h6 dir="auto">Deep</h6>'),
        ("![a cat](https://e.example/c.png)", '<p dir="auto">a cat</p>'),
        ("![](https://e.example/c.png)", '<p dir="auto">image</p>'),
        ("7. seven", '<ol start="7" dir="auto">\n<li>seven</li>'),
        ("```py\n1 < 2\n```", "<code>1 &lt; 2\n</code>"),
        ("| a |\n|---|\n| b |", "<td>b</td>"),
        ("https://bare.example", '<p dir="auto">https://bare.example</p>'),
        ("<https://a.example>", 'href="https://a.example"'),
        ("[m](mailto:a@b.example)", 'href="mailto:a@b.example"'),
        ("a < b & c > d", "a &lt; b &amp; c &gt; d"),
    ],
)
def test_ordinary_markdown_reads_as_meant(source, html):
    assert html in render(source)


@pytest.mark.parametrize(
    ("raw", "clean"),
    [
        ("a\x00b", "ab"),
        ("a\r\nb\tc", "a\nb\tc"),
        ("\x1b[31mred", "[31mred"),
        ("\u202egnp.exe", "gnp.exe"),
        ("\u2066x\u2069", "x"),
        ("\ud83d", "\ufffd"),
        ("שלום 👩‍👩‍👧", "שלום 👩‍👩‍👧"),
    ],
)
def test_characters_that_mislead_are_dropped(raw, clean):
    assert clean_text(raw) == clean
    assert render(raw).encode("utf-8")


def streamed(text: str, cuts: list[int]) -> BlockRenderer:
    renderer = BlockRenderer()
    for cut in sorted({min(cut, len(text)) for cut in cuts}):
        before = list(renderer.closed)
        renderer.update(text[:cut])
        assert list(renderer.closed)[: len(before)] == before, "a closed block changed"
    renderer.update(text)
    renderer.update(text)
    return renderer


PIECES = st.sampled_from(
    [
        "word", "wórd ", " ", "  ", "    ", "\t", "\n", "\n", "\n\n", "# ", "## h\n", "-", "- ",
        "* ", "+ ", "1. ", "2) ", "10. ", ">", "> ", "```", "```py\n", "~~~", "`", "*", "**", "_",
        "|", "| a | b |\n", "|---|---|\n", "| - |", "---", "===", "***", "\n---\n", "[", "](", "![",
        ")", "[r]: http://e.example\n", "<", ">", "&amp;", "\\", "\\\n", "!", ":", "😀", "א",
        "\r\n", "\x00", "\ud800", "\u2028", "\xa0", "<b>", "a\n",
    ]
)  # fmt: skip
TEXTS = st.lists(PIECES, max_size=40).map("".join)


@settings(max_examples=400)
@given(TEXTS, st.lists(st.integers(0, 200), max_size=30))
@example("para\n#hash", [6])
@example("x\n| a |\n|-foo", [10])
@example("- a\n\n    code\n\nb", [4, 5, 6, 12])
@example("a\r\n\r\nb", [2, 3, 4])
def test_the_html_is_the_same_however_the_text_was_cut(text, cuts):
    assert streamed(text, cuts).html == render(text)


@settings(max_examples=400)
@given(TEXTS)
def test_blocks_together_are_what_the_parser_makes_of_the_whole(text):
    whole = _cleaner.clean(_markdown.render(clean_text(text)))
    assert render(text) == whole


def one_character_at_a_time(text: str) -> BlockRenderer:
    return streamed(text, list(range(len(text))))


def test_a_paragraph_is_closed_by_the_empty_line_after_it():
    renderer = one_character_at_a_time("One.\n")
    assert not renderer.closed
    renderer = one_character_at_a_time("One.\n\n")
    assert (len(renderer.closed), renderer.open) == (1, "")


@pytest.mark.parametrize(
    "block",
    ["```\na\n\nb\n", "- a\n\n  more\n- b\n", "| a |\n|---|\n| b |\n", "> a\n>\n> b\n"],
)
def test_code_lists_tables_and_quotes_stay_one_open_block(block):
    renderer = one_character_at_a_time(block)
    assert not renderer.closed
    ending = "```\n" if block.startswith("```") else ""
    after = one_character_at_a_time(f"{block}{ending}\nAfter it.\n\nAnd more.\n")
    assert len(after.closed) == 2


@pytest.mark.parametrize(
    "line",
    ["word ", "**bold** word ", "```\n" + "code = 1\n", "- item\n", "x" * 50, "[", "| a |\n"],
)
def test_a_huge_block_is_cut_at_the_same_places_however_it_came(line):
    text = (line * (3 * LONGEST_BLOCK // len(line)))[: 3 * LONGEST_BLOCK]
    if line.startswith("```"):
        text = "```\n" + "code = 1\n" * (LONGEST_BLOCK // 3)
    quick, slow = render(text), streamed(text, list(range(0, len(text), 997))).html
    assert quick == slow
    if line.startswith("```"):
        assert "<p " not in quick, "code that was cut went on as prose"


def test_a_big_open_block_is_not_rendered_on_every_update():
    text = "*styled* words " * (LONGEST_BLOCK // 16)
    renderer, renders = BlockRenderer(), 0
    for end in range(SMALL_BLOCK, len(text)):
        renderer.update(text[:end])
        renders += not renderer.pending
    assert renders < 120
    renderer.update(text)
    renderer.update(text)
    assert not renderer.pending
    assert renderer.html == render(text)


def test_a_text_that_begins_again_is_rendered_anew():
    renderer = BlockRenderer()
    renderer.update("First try.\n\nMore.\n\n")
    renderer.update("Second")
    assert renderer.generation == 1
    assert renderer.html == '<p dir="auto">Second</p>\n'


def test_the_lines_of_a_poem_stay_lines() -> None:
    assert render("one line,\nanother").count("<br>") == 1
