"""Any OpenAI-compatible server, asked through the openai package and read from raw bytes.

A key belongs to one endpoint: redirects are not followed, the environment's key and organisation
are never added behind our back, and no error text can carry it.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager, suppress
from dataclasses import replace
from typing import cast

import anyio
import httpx2
import openai
from openai import omit
from openai.types.chat import ChatCompletionMessageParam

from fanout.endpoint import Endpoint, Secret
from fanout.errors import ProviderError
from fanout.providers.answer import Answer, read_answer
from fanout.providers.base import ChatRequest, Embedded, Opened, StreamItem
from fanout.providers.batch_api.client import BatchApi
from fanout.providers.chat_fields import messages_of, settings_of
from fanout.providers.crowd import EVERYBODY, Crowd, unhurried
from fanout.providers.dialect import Dialect, Dialects
from fanout.providers.embedding import embedded, not_offered
from fanout.providers.endless import bound
from fanout.providers.failures import CHECK_KEY, failure_of
from fanout.providers.form_refusal import provider_error
from fanout.providers.model_list import model_names
from fanout.providers.network import Network
from fanout.providers.problems import AddressRefused, Asked, WebPage
from fanout.providers.rate_headers import rates_in
from fanout.providers.sdk_errors import EXPECTED, failed, status_of
from fanout.redaction import disguises
from fanout.types import Failure, FailureKind

MODELS_S = 5.0
"""How long a list of models may take."""

_CONNECT_S = 10.0
_CLOSE_S = 1.0
_DRAIN_S = 0.1
_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_SENT_HEADERS = frozenset(
    {"host", "accept", "connection", "content-type", "content-length", "user-agent"}
)


class OpenAICompatible:
    """A `Provider` for one endpoint; but for connecting, deadlines are the kernel's."""

    def __init__(
        self,
        endpoint: Endpoint,
        key: Secret | None = None,
        network: Network | None = None,
        crowd: Crowd = EVERYBODY,
    ) -> None:
        """`network` keeps it to certain addresses; without one any may be asked. The answers of
        `crowd` are read the less often the more there are."""
        self._endpoint = endpoint
        self._crowd = crowd
        self._network = network
        self._key = key.reveal().strip() if key else ""
        self._host = _host(endpoint)
        self._client: openai.AsyncOpenAI | None = None
        self._dialects = Dialects()

    def stream(
        self, request: ChatRequest
    ) -> AbstractAsyncContextManager[AsyncIterator[StreamItem]]:
        """Ask and read; leaving, also by being cancelled, hangs up at once."""
        return self._stream(request)

    async def models(self) -> tuple[str, ...]:
        """The names of the models that the server offers, sorted; ProviderError within MODELS_S."""
        asked = self._asked()
        try:
            with anyio.fail_after(MODELS_S):
                page = await self._connected(asked).get("/models", cast_to=httpx2.Response)
                names = model_names(page.content)
        except TimeoutError as problem:
            raise ProviderError(failure_of(httpx2.ReadTimeout("models"), asked)) from problem
        except EXPECTED as problem:
            raise failed(problem, asked) from None
        if names is None:
            raise ProviderError(failure_of(WebPage(), asked))
        # Its own key only: another person's must not hide its models, nor be guessed by them.
        hidden = disguises(self._key)
        return tuple(name for name in names if not any(form in name for form in hidden))

    async def embed(self, model: str, texts: Sequence[str]) -> Embedded:
        """A vector per text; each batch has `embedding.BATCH_S`. Raises ProviderError."""
        asked = replace(self._asked(), model=model, hidden=(self._key, *texts))
        try:
            return await embedded(self._connected(asked), model, texts, asked)
        except openai.APIStatusError as problem:
            missing = not_offered(status_of(problem), asked)
            raise ProviderError(missing) if missing else failed(problem, asked) from None
        except EXPECTED as problem:
            raise failed(problem, asked) from None

    def batch_api(self) -> BatchApi:
        """Its Batch API, whether or not the server has one."""
        return BatchApi(self._connected, self._asked(), self._dialects)

    async def offers_batches(self) -> bool:
        """Whether the server has one. ProviderError where nobody can say."""
        return await self.batch_api().offered()

    async def aclose(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            with anyio.CancelScope(shield=True), anyio.move_on_after(_CLOSE_S):
                await client.close()

    @asynccontextmanager
    async def _stream(self, request: ChatRequest) -> AsyncGenerator[AsyncIterator[StreamItem]]:
        asked = self._asked(request)
        response = await self._open(request, asked)
        # Some servers compress although they were asked not to.
        packed = "content-encoding" in response.headers
        body = response.aiter_bytes() if packed else response.aiter_raw()
        answer = Answer(asked)
        try:
            if "html" in response.headers.get("content-type", ""):
                raise ProviderError(failure_of(WebPage(), asked))
            rates = rates_in(response.headers)
            opened = Opened(rates=rates) if rates is not None else None
            stream = response.extensions.get("network_stream")
            with unhurried(stream, answer, self._crowd):
                async with aclosing(read_answer(body, answer, opened)) as items:
                    yield items
        finally:
            await _hang_up(response, body, answered=answer.closed())

    async def _open(self, request: ChatRequest, asked: Asked) -> httpx2.Response:
        """Send the request, and again in another dialect where the server asks for that."""
        client = self._connected(asked)
        while True:
            dialect = self._dialects.of(request.model)
            try:
                return await _sent(client, request, dialect)
            except openai.APIStatusError as problem:
                said = status_of(problem)
                if not self._dialects.learn(request, dialect, said):
                    raise provider_error(said, asked) from None
            except EXPECTED as problem:
                raise failed(problem, asked) from None

    def _connected(self, asked: Asked) -> openai.AsyncOpenAI:
        """The client, made on first need and so on the loop that uses it."""
        if not self._key.isascii() or not (self._key.isprintable() and " " not in self._key):
            raise ProviderError(_unfit_key(asked))
        if self._client is None:
            try:
                self._client = _client(self._endpoint, self._key, self._network)
            except AddressRefused as problem:
                raise failed(problem, asked) from None
            except (*EXPECTED, ValueError) as problem:
                raise failed(httpx2.InvalidURL(type(problem).__name__), asked) from None
        return self._client

    def _asked(self, request: ChatRequest | None = None) -> Asked:
        prompts = tuple(message.content for message in request.messages) if request else ()
        return Asked(
            endpoint=self._endpoint.name,
            model=request.model if request else "",
            host=self._host,
            has_key=bool(self._key),
            in_form=request is not None and request.response_format is not None,
            hidden=(self._key, *prompts),
            key=self._key,
        )


_KEPT_OPEN = httpx2.Limits(max_connections=1000, max_keepalive_connections=100)
_ONE_CALL_EACH = httpx2.Limits(max_connections=1000, max_keepalive_connections=0)
"""For servers on this machine: connecting costs them nothing, and llama.cpp hangs up on about one
in eight connections that are used again (240 calls of 12 tokens, three at a time)."""


def _host(endpoint: Endpoint) -> str:
    try:
        return endpoint.host
    except ValueError:
        return ""


def _client(endpoint: Endpoint, key: str, network: Network | None) -> openai.AsyncOpenAI:
    async def headers_of_ours(request: httpx2.Request) -> None:
        # The SDK adds organisation, project and custom headers from the environment, which are
        # meant for another server than this one may be.
        for name in [name for name in request.headers if name.lower() not in _SENT_HEADERS]:
            del request.headers[name]
        request.headers["accept-encoding"] = "identity"
        if key:
            request.headers["authorization"] = f"Bearer {key}"

    url = httpx2.URL(endpoint.base_url)
    if url.scheme not in ("http", "https") or not url.host:
        raise httpx2.InvalidURL("no web address")
    limits = _ONE_CALL_EACH if endpoint.on_this_machine else _KEPT_OPEN
    http = openai.DefaultAsyncHttpxClient(
        follow_redirects=False,
        limits=limits,
        timeout=httpx2.Timeout(None, connect=_CONNECT_S),
        # A proxy of the environment can't reach this machine's own servers, and would resolve a
        # name that was to be checked on its own.
        trust_env=network is None and url.host not in _LOOPBACK,
        transport=network.transport(limits) if network is not None else None,
        event_hooks={"request": [headers_of_ours], "response": [bound]},
    )
    return openai.AsyncOpenAI(
        base_url=url, api_key=key or "none", max_retries=0, http_client=http, timeout=http.timeout
    )


async def _sent(
    client: openai.AsyncOpenAI, request: ChatRequest, dialect: Dialect
) -> httpx2.Response:
    stream = await client.chat.completions.create(
        model=request.model,
        messages=cast("list[ChatCompletionMessageParam]", messages_of(request)),
        stream=True,
        stream_options={"include_usage": True} if dialect.stream_options else omit,
        # Not the SDK's own parameters: its types know fewer forms than servers do.
        extra_body=settings_of(request, dialect) or None,
    )
    # The SDK's own iterator over its chunk objects is never started.
    return stream.response


async def _hang_up(
    response: httpx2.Response, body: AsyncGenerator[bytes], *, answered: bool
) -> None:
    """Close at once; but after a whole answer read its last bytes, so the connection serves the
    next call."""
    with anyio.CancelScope(shield=True), anyio.move_on_after(_CLOSE_S):
        if answered:
            with anyio.move_on_after(_DRAIN_S), suppress(httpx2.HTTPError):
                async for _ in body:
                    pass
        await body.aclose()
        await response.aclose()


def _unfit_key(asked: Asked) -> Failure:
    return Failure(
        kind=FailureKind.AUTH,
        message=f"The key for {asked.endpoint} holds characters that no key has, such as "
        f"a space or a line break that was copied along. {CHECK_KEY}",
    )
