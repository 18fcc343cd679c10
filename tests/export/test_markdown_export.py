"""A run as Markdown: all of it for a reader, and no text leaves the section it stands in."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from fanout.export.markdown_export import markdown_export
from fanout.export.markdown_text import fenced, line_text, section_text
from tests.export.stored_runs import NAMES, failed_run, nasty_run, shipped_runs

_reader = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])

PIECES = st.sampled_from(
    [
        "# Out", "## Out", "Out\n===", "Out\n---", "```", "````", "~~~", "<!--", "<script>", "<b>",
        "</div>", "<![CDATA[", "<?x", "[x]: http://evil.test", "[x]", "![p](http://evil.test/p.png)",
        "[l](javascript:alert(1))", "[l](http://fine.test)", "| a | b |\n|---|---|\n| 1 | 2 |",
        "- item", "  - inner", "1. one", "> quote", "    code", "`code`", "`` ` ``", "**bold**",
        "\\",
        "\n", "\n\n", " ", "\t", "words", "&lt;", "<http://auto.test>", "***", "---", "Über",
        "\u202e",
        "[a\n]: /x", "- [x]: y", "> [x]: y", "<a\nhref=x>", "`\n<b>`", "\x00", "\r", "\u2028",
    ]
)  # fmt: skip
TEXTS = st.lists(st.one_of(PIECES, st.text(max_size=12)), max_size=14).map("\n".join) | st.lists(
    PIECES, max_size=10
).map("".join)


def outline(markdown: str) -> list[str]:
    """The document's own headings, as a viewer finds them."""
    tokens = _reader.parse(markdown)
    return [
        f"{token.tag} {tokens[i + 1].content}"
        for i, token in enumerate(tokens)
        if token.type == "heading_open" and token.level == 0
    ]


def kinds(markdown: str) -> set[str]:
    tokens = _reader.parse(markdown)
    return {t.type for t in tokens} | {c.type for t in tokens for c in t.children or ()}


@given(TEXTS)
def test_no_text_leaves_its_section(text: str) -> None:
    document = f"## Before [x] \n\n{section_text(text, 2)}\n## After [x]\n\nOurs.\n"
    found = outline(document)
    assert found[0] == "h2 Before [x]"
    assert [one for one in found if one.startswith(("h1", "h2"))][1:] == ["h2 After [x]"]
    assert not kinds(document) & {"html_block", "html_inline", "image"}
    assert _reader.parse(document)[-2].content == "Ours."


@given(TEXTS)
def test_no_text_leaves_its_line_or_its_code_block(text: str) -> None:
    line = line_text(text)
    assert "\n" not in line
    document = f"| {line} | b |\n|---|---|\n| {line} | {line} |\n\n{line}\n\n{fenced(text)}\nEnd.\n"
    tokens = _reader.parse(document)
    assert [t.type for t in tokens].count("td_open") == 2
    allowed = {"text", "softbreak", "text_special"}
    assert {c.type for t in tokens for c in t.children or ()} <= allowed
    assert tokens[-2].content == "End." and tokens[-4].type == "fence"


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("Plain *words*.", "Plain *words*.\n"),
        ("# Title\n\n## Part", "### Title\n\n#### Part\n"),
        ("## Part\n\ntext", "### Part\n\ntext\n"),
        ("Title\n===\n\ntext", "### Title\n\ntext\n"),
        ("- # in a list", "- # in a list\n"),
        ("```\n# code\n", "```\n# code\n```\n"),
        ("a < b and <b>c</b>", "a < b and \\<b>c\\</b>\n"),
        ("`<b>` stays", "`<b>` stays\n"),
        ("![p](http://x.test/p)", "\\![p](http://x.test/p)\n"),
        ("<https://fine.test>", "<https://fine.test>\n"),
        ("[1]: http://x.test", "\\[1]: http://x.test\n"),
        ("[go](javascript:x)", "```\n[go](javascript:x)\n```\n"),
        (" \n", ""),
    ],
)
def test_what_is_kept_and_what_is_changed(text: str, wanted: str) -> None:
    assert section_text(text, 2) == wanted


@pytest.mark.parametrize("name", NAMES)
def test_every_branch_and_the_answer_stand_in_it(name: str) -> None:
    run = shipped_runs()[name]
    document = markdown_export(run)
    found = outline(document)
    assert found[0] == "h1 Rain, again"
    for branch in run.snapshot.branches:
        assert f"h3 {line_text(branch.title)}" in found
    wanted = ["h2 Topic", "h2 Branches", "h2 Times, tokens and costs", "h2 Prompts"]
    assert [one for one in found if one in wanted] == wanted
    answer = run.snapshot.aggregates[0]
    assert f"h2 {line_text(answer.heading)}" in found
    assert found.index(f"h2 {line_text(answer.heading)}") < found.index("h2 Branches")
    for call in run.snapshot.calls:
        for message in call.plan.messages:
            assert fenced(message.content, "text") in document


def test_failures_votes_and_sources_are_told() -> None:
    assert "- Poem: Key not accepted." in markdown_export(failed_run())
    assert "| block | 3 |" in markdown_export(shipped_runs()["moderation"])
    told = markdown_export(shipped_runs()["creative-trio"])
    assert "sentences were found in its sources" in told
    assert "- \\[1\\] wind.md" in markdown_export(shipped_runs()["research"])


def test_a_hostile_run_keeps_the_outline() -> None:
    document = markdown_export(nasty_run())
    found = [one for one in outline(document) if one.startswith("h2")]
    assert found[0] == "h2 Topic" and found[-1] == "h2 Prompts" and len(found) == 6
    assert not kinds(document) & {"html_block", "html_inline", "image"}
    assert "\x00" not in document and "\u202e" not in document
    document.encode()
