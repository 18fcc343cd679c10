"""One answer, decoded from the bytes of a response: text as it comes, then how it ended.

OpenAI's stream is read here rather than by the SDK's chunk objects: a chunk costs a JSON parse
instead of a tree of models, and the SDK does not notice an answer that stops without a
finish_reason. A whole `chat.completion` sent where a stream was asked for is taken as it is.
"""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import suppress
from typing import NoReturn, cast

import anyio
import httpx2
import jiter

from fanout.errors import ProviderError
from fanout.providers import sse
from fanout.providers.base import Done, Opened, StreamItem, TextPiece, Thought
from fanout.providers.chunk import Object, first_of, text_of
from fanout.providers.failures import failure_of
from fanout.providers.form_refusal import provider_error
from fanout.providers.halves import Halves
from fanout.providers.problems import (
    Asked,
    ErrorInStream,
    Problem,
    Refused,
    Unfinished,
    Unreadable,
    WebPage,
    Wordless,
)
from fanout.providers.usage import usage_of
from fanout.redaction import Withheld, without
from fanout.types import Usage

_BROKEN_OFF = (httpx2.HTTPError, httpx2.StreamError, OSError)
_EPILOGUE_S = 5.0
_LONGEST_REASON = 40
_MAX_WHOLE_BYTES = sse.MAX_EVENT_BYTES
_THINKING = ("reasoning_content", "reasoning", "thinking")
"""Where servers put what a model thinks; OpenAI's protocol has no place for it."""
_BROKEN = "an answer with broken JSON in it"


async def read_answer(
    body: AsyncIterator[bytes], answer: Answer, opened: Opened | None = None
) -> AsyncGenerator[StreamItem]:
    """The items of one answer: of one read one piece, after what was thought before it.

    `opened` comes first, where there is one. Raises ProviderError.
    """
    if opened is not None:
        yield opened
    failed: ProviderError | None = None
    try:
        async for data in body:
            piece = answer.feed(data)
            if answer.thoughts:
                yield Thought(pieces=answer.take_thoughts())
            if piece is not None:
                yield piece
            if answer.closed() or answer.finish_reason:
                break
        for piece in await _epilogue(body, answer):
            yield piece
        answer.done()
    except _BROKEN_OFF as problem:
        failed = ProviderError(failure_of(problem, answer.asked))
    except ProviderError as problem:
        failed = problem
    if failed is not None:
        failed.usage = answer.usage
        if (piece := answer.released()) is not None:
            yield piece
        raise failed from None
    yield answer.done()


async def _epilogue(body: AsyncIterator[bytes], answer: Answer) -> list[TextPiece]:
    """What follows the finish_reason: usage and [DONE], neither of which is worth failing for."""
    pieces: list[TextPiece | None] = []
    if answer.finish_reason and not answer.closed():
        with anyio.move_on_after(_EPILOGUE_S), suppress(*_BROKEN_OFF):
            async for data in body:
                pieces.append(answer.feed(data))
                if answer.closed():
                    break
    pieces += [answer.flush(), answer.released()]
    return [piece for piece in pieces if piece is not None]


class Answer:
    """The state of one answer while its bytes come in. Pure: it knows no network and no clock."""

    def __init__(self, asked: Asked) -> None:
        self.finish_reason = ""
        self.thoughts = 0
        """Pieces that the model thought aloud since they were taken: activity, but not text."""
        self.asked = asked
        self._decoder = sse.Decoder()
        self._head = b""
        self._opened = False
        self._closed = False
        self._whole: bytearray | None = None
        self._usage: Usage | None = None
        self._refusal = ""
        self._wrote = False
        self._worded = False
        self._halves: Halves | None = None
        self._withheld = Withheld(asked.key)
        self._uncounted = 0

    @property
    def usage(self) -> Usage | None:
        """As the endpoint reported it; None where it has not."""
        return self._usage

    def closed(self) -> bool:
        """Whether the endpoint said [DONE]."""
        return self._closed

    @property
    def flowing(self) -> bool:
        """Whether its first word was there, and its end was not."""
        return self._wrote and not self.finish_reason and not self._closed

    def take_thoughts(self) -> int:
        """How many thoughts came since this was asked last."""
        taken, self.thoughts = self.thoughts, 0
        return taken

    def feed(self, data: bytes) -> TextPiece | None:
        """Take the bytes of one read; the text in them, if any."""
        if not self._opened:
            data = self._open(data)
        if self._whole is not None:
            self._whole += data
            if len(self._whole) > _MAX_WHOLE_BYTES:
                self._fail(Unreadable(what="an answer without end"))
            return None
        try:
            return self._take(self._decoder.feed(data))
        except sse.EventTooLong:
            self._fail(Unreadable(what="an answer without end"))

    def flush(self) -> TextPiece | None:
        """Take what is still held back when the bytes have ended."""
        if self._whole is not None:
            return self._take_whole(bytes(self._whole))
        return None if self._closed else self._take(self._decoder.flush())

    def released(self) -> TextPiece | None:
        """What was held back since it might have become the key; nothing follows any more."""
        return self._said(self._withheld.rest(), 0)

    def done(self) -> Done:
        """How the answer ended, or the failure that its end is."""
        reason = self.finish_reason
        if not reason:
            self._fail(Unfinished(wrote=self._wrote))
        if reason == "content_filter":
            self._fail(Refused(filtered=True))
        if self._refusal:
            self._fail(Refused(said=self._refusal))
        if reason == "error":
            self._fail(ErrorInStream(error={}))
        if not self._worded:
            self._fail(Wordless(finish_reason=reason))
        return Done(finish_reason=reason, usage=self._usage)

    def _open(self, data: bytes) -> bytes:
        """Tell a stream from a page and from one JSON object by its first visible byte."""
        self._head += data
        visible = self._head.lstrip(b" \t\r\n\xef\xbb\xbf")
        if visible:
            self._opened = True
            if visible.startswith(b"<"):
                self._fail(WebPage())
            if visible.startswith((b"{", b"[")):
                self._whole = bytearray()
        elif len(self._head) < 1024:
            return b""
        head, self._head = self._head, b""
        return head

    def _take(self, payloads: list[bytes]) -> TextPiece | None:
        texts: list[str] = []
        for payload in payloads:
            if payload.startswith(b"[DONE]"):
                self._closed = True
                break
            if payload and not payload.isspace():
                self._take_chunk(self._parsed(payload), texts)
        return self._piece("".join(texts), len(texts)) if texts else None

    def _take_chunk(self, chunk: Object, texts: list[str]) -> None:
        choices = chunk.get("choices")
        if not choices:
            self._take_rest(chunk)
            return
        choice = first_of(choices)
        delta = choice.get("delta")
        if isinstance(delta, dict):
            content = delta.get("content")
            if content:
                text = content if isinstance(content, str) else text_of(content)
                if text:
                    texts.append(text)
                elif isinstance(content, list):
                    # Typed parts without a text, as Mistral sends what its models think.
                    self.thoughts += 1
            elif delta.get("refusal"):
                self._refusal += str(delta["refusal"])
            elif any(delta.get(name) for name in _THINKING):
                self.thoughts += 1
        self._take_end(chunk, choice)

    def _reason(self, said: object) -> str:
        # Cut last: a part of the key would not be known for one.
        return without(str(said), self.asked.key)[:_LONGEST_REASON]

    def _take_end(self, chunk: Object, choice: Object) -> None:
        reason = choice.get("finish_reason")
        if reason:
            self.finish_reason = self._reason(reason)
        if chunk.get("usage"):
            self._usage = usage_of(chunk["usage"]) or self._usage
        if chunk.get("error"):
            self._fail(ErrorInStream(error=chunk["error"]))

    def _take_rest(self, chunk: Object) -> None:
        """A chunk without choices: usage, an error, or something that is no chunk at all."""
        if chunk.get("error"):
            self._fail(ErrorInStream(error=chunk["error"]))
        if chunk.get("object") == "error" or ("message" in chunk and "choices" not in chunk):
            self._fail(ErrorInStream(error=chunk))
        self._usage = usage_of(chunk.get("usage")) or self._usage

    def _take_whole(self, data: bytes) -> TextPiece | None:
        self._whole = None
        self._closed = True
        answer = self._parsed(data.removeprefix(b"\xef\xbb\xbf"))
        self._take_rest(answer)
        choice = first_of(answer.get("choices"))
        message = choice.get("message")
        if not isinstance(message, dict):
            self._fail(Unreadable(what="JSON that is no chat completion"))
        self.finish_reason = self._reason(choice.get("finish_reason") or "")
        self._refusal = str(message.get("refusal") or "")
        text = text_of(message.get("content"))
        return self._piece(text, 1) if text else None

    def _piece(self, text: str, pieces: int) -> TextPiece | None:
        if self._halves is not None:
            text = self._halves.joined(text)
        self._wrote = True
        self._worded = self._worded or not text.isspace()
        return self._said(self._withheld.feed(text), pieces)

    def _said(self, text: str, pieces: int) -> TextPiece | None:
        """A piece of text; what was wholly held back is counted with the next one."""
        self._uncounted += pieces
        if not text:
            return None
        counted, self._uncounted = self._uncounted, 0
        return TextPiece(text=text, pieces=counted)

    def _parsed(self, payload: bytes) -> Object:
        try:
            value = jiter.from_json(payload, cache_mode="keys")
        except ValueError:
            value = self._parsed_with_halves(payload)
        if not isinstance(value, dict):
            self._fail(Unreadable(what="JSON that is no chat completion"))
        return cast("Object", value)

    def _parsed_with_halves(self, payload: bytes) -> object:
        """The same where half a character was sent on its own, which jiter takes for no JSON."""
        try:
            value: object = json.loads(payload)
        except (ValueError, RecursionError):
            self._fail(Unreadable(what=_BROKEN, again=self._wrote))
        self._halves = self._halves or Halves()
        return value

    def _fail(self, problem: Problem) -> NoReturn:
        raise provider_error(problem, self.asked)
