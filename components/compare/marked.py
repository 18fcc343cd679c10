"""Texts as HTML, rendered or with their differences marked; whatever a text says stays text.

What was added is underlined, what was removed is struck through and what was moved has a dotted
line, each also in words for those who listen: no difference is told by colour alone.
"""

from __future__ import annotations

from functools import lru_cache
from html import escape

from fanout.insight.difference import Difference, Run, difference
from fanout.render.markdown import render
from fanout.render.sanitise import clean_text

TELLING = 0.15
"""Below this share a word-by-word comparison says little."""

STYLE = """<style>
.fanout-text{overflow-wrap:anywhere;line-height:1.55;font-size:15.5px}
.fanout-text :is(h3,h4,h5,h6){font-size:1.05em;margin:.8em 0 .3em;padding:0}
.fanout-text :is(p,ul,ol,blockquote,pre,table){margin:.5em 0}
.fanout-text>:first-child{margin-top:0}
.fanout-text pre{white-space:pre-wrap}
.fanout-text table{border-collapse:collapse;display:block;overflow-x:auto}
.fanout-text :is(td,th){padding:4px 8px;border:1px solid rgb(128 128 128 / .35);
  text-align:start;min-width:6em}
.fanout-diff{white-space:pre-wrap}
.fanout-diff :is(ins,del){color:inherit;border-radius:3px;padding:1px 0;
  -webkit-box-decoration-break:clone;box-decoration-break:clone}
.fanout-diff ins{text-decoration:underline 2px;text-underline-offset:3px;
  background:rgb(16 145 90 / .18)}
.fanout-diff del{text-decoration:line-through 2px;background:rgb(205 60 50 / .18)}
.fanout-diff .moved{background:rgb(60 90 220 / .16)}
.fanout-diff ins.moved{text-decoration:underline dotted 2px}
.fanout-diff del.moved{text-decoration:line-through dotted 2px}
.fanout-diff :is(ins,del)::before{position:absolute;width:1px;height:1px;overflow:hidden;
  clip-path:inset(50%);white-space:nowrap}
.fanout-diff ins::before{content:" added: "}
.fanout-diff del::before{content:" removed: "}
.fanout-diff ins.moved::before{content:" moved to here: "}
.fanout-diff del.moved::before{content:" moved from here: "}
:is(.st-key-compare_view,.st-key-compare_way,.st-key-compare_side) [aria-checked="true"],
:is(.st-key-compare_view,.st-key-compare_way,.st-key-compare_side) [aria-checked="true"] *
  {color:inherit !important}
</style>"""
"""What is chosen has the colour of text: the accent on its own tint is too faint in the dark."""

_TAGS = {"added": "ins", "removed": "del"}


def text_html(text: str, name: str) -> str:
    """A text as it reads, as a region of that name."""
    return _region(render(text), name, "fanout-text")


def difference_html(found: Difference, name: str) -> str:
    """A text with what sets it apart from the first one marked, as a region of that name."""
    body = "".join(map(_run, found.runs))
    return _region(body, name, "fanout-text fanout-diff", direction=True)


def difference_words(found: Difference) -> str:
    """ "72 % of the words are the same · 12 added, 8 removed, 7 moved"."""
    counts = [
        f"{count:,} {word}"
        for count, word in (
            (found.added, "added"),
            (found.removed, "removed"),
            (found.moved, "moved"),
        )
        if count
    ]
    if not counts:
        return "The same words in the same order"
    return f"{found.similarity:.0%} of the words are the same · {', '.join(counts)}"


@lru_cache(maxsize=32)
def compared(before: str, after: str) -> Difference:
    """The difference of two texts, without characters that nobody sees."""
    return difference(clean_text(before), clean_text(after))


def plain_html(text: str, name: str) -> str:
    """A text with its marks, such as a prompt: every character as it was sent."""
    return _region(escape(clean_text(text)), name, "fanout-text fanout-diff", direction=True)


def _run(run: Run) -> str:
    if run.kind == "same" or not run.text.strip():
        return escape(run.text) if run.kind != "removed" else ""
    tag, moved = _TAGS[run.kind], "" if run.moved is None else ' class="moved"'
    return f"<{tag}{moved}>{escape(run.text)}</{tag}>"


def _region(body: str, name: str, classes: str, *, direction: bool = False) -> str:
    auto = ' dir="auto"' if direction else ""
    return f'<div role="group" aria-label="{escape(name)}" class="{classes}"{auto}>{body}</div>'
