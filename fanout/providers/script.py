"""A script: what a model would say and how it would fail, decided beforehand.

Scripts are played by `scripted` inside this process and by `scripted_server` over HTTP, both from
the same bytes, so tests, the demo and benchmarks meet one behaviour. The first rule that fits a
request answers it; a rule with several replies gives one per call and then repeats its last.
"""

from __future__ import annotations

import re
import zlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from fanout.providers.script_forms import improvised_form

DEFAULT_MODEL = "scripted"


class Fault(StrEnum):
    """What goes wrong with a reply; in mid-answer after `Reply.fault_after` pieces."""

    REFUSED_CONNECTION = "refused_connection"
    """Nobody takes the call. Over HTTP it is taken and reset: a server that runs can't refuse."""
    RESET = "reset"
    """The connection is reset before any answer."""
    DROPPED = "dropped"
    """The connection breaks in mid-answer."""
    NO_FINISH = "no_finish"
    """The stream ends in mid-answer as if it were complete, but without a finish_reason."""
    CUT_OFF = "cut_off"
    """The connection is closed in mid-answer, politely, with the answer left open."""
    BAD_CHUNK = "bad_chunk"
    """In mid-answer come bytes that are no HTTP."""
    DUPLICATED = "duplicated"
    """Every part of the stream comes twice."""
    OUT_OF_ORDER = "out_of_order"
    """Usage comes first, and the last of the text after the finish_reason."""
    BAD_JSON = "bad_json"
    ERROR_IN_STREAM = "error_in_stream"
    """A server error in mid-answer, sent as a piece of the stream."""
    HTML_PAGE = "html_page"
    REDIRECT = "redirect"
    EMPTY = "empty"
    """A complete answer without a word."""
    REFUSAL = "refusal"
    """The model declines, in `delta.refusal`."""
    CONTENT_FILTER = "content_filter"
    """The endpoint's filter stops the answer: finish_reason `content_filter`."""
    LENGTH = "length"
    """The answer reaches max_tokens: finish_reason `length`."""
    ALL_REASONING = "all_reasoning"
    """Reasoning uses up max_tokens, so that no text comes."""
    STALL_FIRST = "stall_first"
    """The connection is taken and then nothing comes, ever."""
    STALL_MIDWAY = "stall_midway"
    NO_USAGE = "no_usage"
    NOT_A_STREAM = "not_a_stream"
    """One whole JSON completion, although a stream was asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """One answer of a script."""

    text: str | None = None
    """None improvises a few sentences about the prompt."""
    reasoning: str = ""
    """Sent as `reasoning_content` before the text, at the same pace."""
    first_token_s: float = 0.0
    tokens_per_s: float | None = None
    """None sends as fast as the connection takes it."""
    pieces_per_write: int = 1
    """Stream pieces that leave together, as behind a proxy that buffers."""
    piece_chars: int = 0
    """Characters of a piece of text; 0 cuts it as a model would write it."""
    fault: Fault | None = None
    fault_after: int = 3
    status: int = 200
    """Any other status is an error answer with `code` and `message`, or a page by `fault`."""
    code: str = ""
    message: str = ""
    retry_after: str = ""
    """The header as it is sent: seconds or an HTTP date."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Sent along with an answer as with an error, such as `x-ratelimit-remaining-requests`."""
    cached_tokens: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """Whom it fits: a prompt that contains `prompt`, asked of `model`; empty fits any."""

    replies: tuple[Reply, ...]
    prompt: str = ""
    model: str = ""

    def __post_init__(self) -> None:
        if not self.replies:
            raise ValueError("a rule needs at least one reply")

    def fits(self, *, model: str, prompt: str) -> bool:
        return self.prompt in prompt and self.model in ("", model)


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """Everything that a scripted endpoint will do."""

    rules: tuple[Rule, ...] = ()
    otherwise: Reply = field(default_factory=Reply)
    """Answers what no rule fits."""
    models: tuple[str, ...] = (DEFAULT_MODEL,)
    rejects: frozenset[str] = frozenset()
    """Request fields answered with a 400 that names them, such as "stream_options"."""
    rejects_forms: frozenset[str] = frozenset()
    """Types of response_format that are answered with a 400: "json_schema", "json_object"."""
    embeddings: bool = True
    """False answers calls for embeddings as a server that has none."""
    key: str = ""
    """Where it is set, calls without it get a 401."""
    caches_from: int = 0
    """Tokens from which a beginning that it has answered before is reported as cached; 0: never."""


DEMO = Script(otherwise=Reply(first_token_s=0.35, tokens_per_s=40))
"""Answers anything at a pace that is pleasant to watch."""


class Playback:
    """A script being played: it remembers how often each rule was asked."""

    def __init__(self, script: Script) -> None:
        self.script = script
        self._calls: Counter[int] = Counter()

    def next_reply(
        self,
        *,
        model: str,
        prompt: str,
        response_format: Mapping[str, object] | None = None,
        seed: str = "",
    ) -> Reply:
        """The reply to this call, its text made up if the script leaves that open.

        A made-up text has the form that was asked for; what it chooses varies with prompt and seed.
        """
        reply = self._chosen(model, prompt)
        if reply.text is not None:
            return reply
        text = improvised(prompt)
        if response_format is not None:
            text = improvised_form(response_format, text, f"{seed}\n{prompt}") or text
        return replace(reply, text=text)

    def _chosen(self, model: str, prompt: str) -> Reply:
        for number, rule in enumerate(self.script.rules):
            if rule.fits(model=model, prompt=prompt):
                turn = min(self._calls[number], len(rule.replies) - 1)
                self._calls[number] += 1
                return rule.replies[turn]
        return self.script.otherwise


_PIECES = re.compile(r"\s*\S{1,6}|\s+")
_SUBJECT = re.compile(r"(?:\btopic\b\W*|\babout\b\s+)([^\n.!?]{2,80})", re.IGNORECASE)

_OPENINGS = (
    "Much has been said about {subject}, and some of it is even true.",
    "Start with what everybody notices about {subject}: it rarely stays the same for long.",
    "Ask three people about {subject} and four opinions come back.",
)
_MIDDLES = (
    "The first thing to look at is who gains from it, and when.",
    "Seen from close by it is a matter of habits; seen from afar it is a matter of costs.",
    "What helps most is small: one clear rule, kept by everyone.",
    "The usual advice holds here, **but only in part**.",
    "Numbers would settle less of it than one expects.",
)
_CLOSINGS = (
    "So the honest answer is: it depends, and it is worth saying on what.",
    "That is reason enough to try it on a small scale first.",
    "The rest is patience.",
)


def pieces_of(text: str, chars: int = 0) -> list[str]:
    """The text cut as a model would write it, into word-ish pieces, or into pieces of so many
    characters; they join to exactly the text."""
    if chars:
        return [text[first : first + chars] for first in range(0, len(text), chars)]
    return _PIECES.findall(text)


def improvised(prompt: str) -> str:
    """A few sentences about the prompt's subject, the same for the same prompt."""
    seed = zlib.crc32(prompt.encode("utf-8", "replace"))
    found = _SUBJECT.search(prompt)
    subject = " ".join((found.group(1) if found else prompt[:80]).split()).strip("\"'“”:*_` ")
    first, second = seed % len(_MIDDLES), (seed // 7) % (len(_MIDDLES) - 1)
    return " ".join(
        (
            _OPENINGS[seed % len(_OPENINGS)].format(subject=subject or "this"),
            _MIDDLES[first],
            _MIDDLES[(first + 1 + second) % len(_MIDDLES)],
            _CLOSINGS[(seed // 11) % len(_CLOSINGS)],
            "(Scripted text: no model wrote this.)",
        )
    )
