"""Reports of runs in which every text is made to mislead: nothing runs, loads, or falls apart."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fanout.errors import FanoutError
from fanout.export.html import html_report
from fanout.export.html.markup import el, join, text, trusted
from fanout.store.values import Label, StoredRun
from fanout.timeline import decode, encode
from tests.export.html_reading import Report, read_report
from tests.export.stored_runs import failed_run, shipped_runs
from tests.folding import folded

WRITTEN = {
    "title", "topic", "text", "content", "message", "model", "name", "host", "heading", "choice",
    "said", "reason", "category", "problem", "place", "source", "finish_reason", "fanout",
    "python", "workflow", "promise", "document",
}  # fmt: skip
"""Fields that a person, a model, an endpoint or somebody with an editor may have written."""

NASTY = (
    "</script><script>window.hurt=1</script>",
    "</style><style>*{display:none}</style>",
    "</title></head><body onload=alert(1)>",
    "<img src=x onerror=window.hurt=1>",
    "<svg onload=alert(1)><animate onbegin=alert(1)>",
    "\"><a href='javascript:alert(1)'>x</a>",
    "' onmouseover='alert(1)' x='",
    "<!-- ]]> --> <![CDATA[ <?php ?>",
    "[x](javascript:alert(1)) ![y](http://evil.test/y.png) <http://evil.test>",
    "[ref]: http://evil.test 'x'\n\n[ref] [1] [999999999999]",
    "&lt;script&gt; &#x3c;b&#x3e; &amp;amp;",
    "nul \x00 bell \x07 escape \x1b[31m",
    "lone \ud800 and \udfff, noncharacter \uffff\ufffe",
    "\u202eright to left\u2066 \u05e9\u05dc\u05d5\u05dd \u0645\u0631\u062d\u0628\u0627",
    "| a | b |\n|---|---|\n| <script> | `</td>` |",
    "```\n</pre></code><script>\n```",
    "</textarea></dialog></details><iframe src=//evil.test>",
    "{{7*7}} ${7*7} %s {0}",
    "\u2028\u2029",
    "",
    " ",
)
ACTIVE = {
    "iframe", "object", "embed", "base", "form", "input", "img", "video", "audio", "source",
    "track", "frame", "applet", "portal", "image", "use", "animate", "foreignobject",
}  # fmt: skip
SCHEMES = ("#", "http://", "https://", "mailto:")


def poisoned(run: StoredRun, words: str) -> StoredRun:
    """The same run with every text replaced; ids stay, so that it is still one run."""
    events = []
    for event in run.events:
        try:
            events.append(decode(_with(encode(event), words)))
        except FanoutError:
            events.append(event)
    label = Label(name=words, notes=words, tags=(words,))
    return StoredRun(events=tuple(events), snapshot=folded(events), label=label)


def _with(value: object, words: str, key: str = "") -> object:
    if isinstance(value, dict):
        return {k: _with(inner, words, k) for k, inner in value.items()}
    if isinstance(value, list):
        return [_with(inner, words, key) for inner in value]
    if isinstance(value, str) and (key in WRITTEN or key == "queries"):
        return words
    return value


def assert_harmless(page: Report) -> None:
    tags = {element.tag for element in page.elements}
    assert not tags & ACTIVE, tags & ACTIVE
    for element in page.elements:
        for name, value in element.attributes.items():
            assert not name.startswith("on"), f"<{element.tag} {name}>"
            assert name not in ("src", "srcset", "style", "action", "ping", "srcdoc", "background")
            if name == "href" and element.tag != "link":
                assert (value or "").lower().startswith(SCHEMES), value
    assert len(page.scripts) == 3, "the board, the report's own, and the frames"
    assert len(page.styles) == 1


@pytest.mark.parametrize("words", NASTY)
@pytest.mark.parametrize("name", ["creative-trio", "moderation", "judges", "research"])
def test_no_text_of_a_run_can_become_markup(name: str, words: str) -> None:
    page = read_report(html_report(poisoned(shipped_runs()[name], words)))
    assert_harmless(page)
    if words.isprintable() and words.strip() and "[" not in words:
        assert page.text.count(" ".join(words.split())) > 10, "it was not in the report at all"


def test_failures_and_earlier_goes_are_harmless_too() -> None:
    for words in NASTY:
        assert_harmless(read_report(html_report(poisoned(failed_run(), words))))


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.text(st.characters(), max_size=300) | st.lists(st.sampled_from(NASTY)).map("".join))
def test_whatever_is_written_the_report_stays_well_formed(words: str) -> None:
    assert_harmless(read_report(html_report(poisoned(shipped_runs()["creative-trio"], words))))


def test_the_checks_notice_what_slipped_through() -> None:
    html = html_report(shipped_runs()["creative-trio"])
    for bad in ("<b onclick=x></b>", "<img>", "<a href='data:x'></a>", "<script></script>"):
        with pytest.raises(AssertionError):
            assert_harmless(read_report(html.replace("</main>", f"{bad}</main>")))
    for bad in ("<b>", "</p>", "<i id=x></i><i id=x></i>", "<a href='#nowhere'></a>", "<!-- -->"):
        with pytest.raises(AssertionError):
            read_report(html.replace("</main>", f"{bad}</main>"))


def test_hebrew_and_arabic_keep_to_themselves() -> None:
    words = "\u05e9\u05dc\u05d5\u05dd"
    page = read_report(html_report(poisoned(shipped_runs()["creative-trio"], words)))
    around = [e for e in page.elements if e.attributes.get("dir") == "auto" or e.tag == "bdi"]
    assert len(around) > 20
    (title,) = page.all("h1")
    assert title.attributes["dir"] == "auto"


def test_marks_that_turn_a_line_around_are_gone() -> None:
    html = html_report(poisoned(shipped_runs()["creative-trio"], "a\u202eb\u2066c\x00d"))
    assert not {"\u202e", "\u2066", "\x00"} & set(html)
    assert "abcd" in html


def test_a_run_edited_by_hand_to_impossible_ranks_is_still_told() -> None:
    run = shipped_runs()["research"]
    events = []
    for event in run.events:
        record = encode(event)
        for hit in record.get("hits", []):  # type: ignore[attr-defined]
            hit["rank"] = -3
        events.append(decode(record))
    read_report(html_report(replace(run, events=tuple(events), snapshot=folded(events))))


@pytest.mark.parametrize("at", [-1e30, 1e30, float("nan"), float("inf"), -5.0])
def test_an_impossible_date_is_said_to_be_unknown(at: float) -> None:
    run = shipped_runs()["creative-trio"]
    html = html_report(replace(run, snapshot=replace(run.snapshot, started_at=at)))
    assert read_report(html).text
    assert ("unknown time" in html) is not (at == -5.0)


def test_texts_are_escaped_and_markup_is_not() -> None:
    assert text("<b> & \"'\ud800") == "&lt;b&gt; &amp; \"'\ufffd"
    assert el("p", "<b>", el("i", "&"), None, [["x"]]) == "<p>&lt;b&gt;<i>&amp;</i>x</p>"
    assert el("a", href='"><x', hidden=True, title=None, data_of=0.5) == (
        '<a href="&quot;&gt;&lt;x" hidden data-of="0.5"></a>'
    )
    assert join(["<", trusted("<br>")]) == "&lt;<br>"
