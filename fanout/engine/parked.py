"""A run's view of the process where its calls wait for the provider's batch.

The workflow, its branches, its votes and its retries are carried out as ever; only where a request
would be sent it is parked, and its answer comes hours later, all at once. So there are no slots, no
rates and no deadlines, and nobody is asked twice because the first one is late.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from hashlib import sha256
from typing import Protocol, runtime_checkable

import anyio

from fanout import pricing
from fanout.engine.collector import Collector, Link
from fanout.engine.endpoints import EndpointBook
from fanout.engine.execution import Search, SharedCalls
from fanout.errors import ProviderError
from fanout.kernel.calls import Gate, Held, Permit
from fanout.kernel.recorder import Recorder
from fanout.people import PersonId
from fanout.policies import EndpointPolicy, Hedging, Policies, RateFacts
from fanout.providers.base import ChatRequest, Embedded, Primer, Provider, StreamItem
from fanout.providers.batch_api import words
from fanout.providers.batch_api.answers import unpacked
from fanout.providers.batch_api.client import BatchApi
from fanout.store.provider_values import Parked, Queue
from fanout.structured.ladder import Ladder
from fanout.types import (
    BranchId,
    Cost,
    EndpointId,
    Failure,
    ModelRef,
    RunId,
    RunStatus,
    Usage,
    Via,
)

_FOREVER_S = 365 * 86_400.0
"""A number that every format of a record has, other than infinity."""
_GOES_ON = (RunStatus.RUNNING, RunStatus.INTERRUPTED, RunStatus.STOPPED)


@runtime_checkable
class Batching(Protocol):
    """A provider whose server may have a Batch API."""

    def batch_api(self) -> BatchApi: ...

    async def offers_batches(self) -> bool: ...


def patient(policies: Policies) -> Policies:
    """The same without what only makes sense where answers come within minutes."""
    return replace(
        policies,
        retries=replace(policies.retries, total_s=_FOREVER_S),
        fan_in=replace(policies.fan_in, deadline_s=None),
        hedging=replace(policies.hedging, enabled=False),
        prefix="off",
        run_s=None,
    )


class ParkedCalls(SharedCalls):
    """`of` gives the view of one run; used on the engine's loop only."""

    patient = True

    def __init__(
        self,
        endpoints: EndpointBook,
        search: Search,
        ladder: Ladder,
        collector: Collector,
        person: PersonId,
    ) -> None:
        super().__init__(endpoints, search, ladder)
        self.collector = collector
        self.person = person

    def of(self, recorder: Recorder) -> SharedCalls:
        return _ParkedRun(self, recorder)

    def gate(self, endpoint: EndpointId) -> Gate:
        return _OpenGate()

    def endpoint_policy(self, endpoint: EndpointId) -> EndpointPolicy:
        return replace(super().endpoint_policy(endpoint), hedging=False, prefix="off")

    def primer(self, endpoint: EndpointId) -> Primer | None:
        return None

    def cost(self, model: ModelRef, usage: Usage) -> Cost | None:
        known = self.endpoints.known(model.endpoint)
        if known is None:
            return None
        # Vectors are asked for at once.
        via = Via.CALLS if model.model == known.embedding_model else Via.PROVIDER
        return pricing.cost(known, model.model, usage, via)


class _ParkedRun(ParkedCalls):
    """One going of one run: counts what each of its calls asked, so that the same is known for the
    same when the run goes on after a crash."""

    def __init__(self, calls: ParkedCalls, recorder: Recorder) -> None:
        super().__init__(calls.endpoints, calls.search, calls.ladder, calls.collector, calls.person)
        self._recorder = recorder
        self._anew = recorder.snapshot.status not in _GOES_ON
        self._beginning = anyio.Lock()
        self._numbers: Counter[str] = Counter()

    def provider(self, model: ModelRef) -> Provider:
        inner = super().provider(model)
        if not isinstance(inner, Batching):
            name = self.endpoints.get(model.endpoint).name
            raise ProviderError(words.not_offered(name))
        return _ParkedProvider(self, inner, model.endpoint)

    def called_off(self, branch: BranchId | None) -> None:
        self.collector.called_off(self._recorder.snapshot.run_id, branch)

    def ended(self) -> None:
        self.collector.ended(self._recorder)

    async def begun(self) -> None:
        """Before its first request: what an earlier going was told counts only if that one was
        broken off."""
        async with self._beginning:
            if self._anew:
                await self.collector.anew(self._recorder.snapshot.run_id)
                self._anew = False

    def parked(self, request: ChatRequest, endpoint: EndpointId, api: BatchApi) -> Parked:
        run, call = self._recorder.snapshot.run_id, request.call or ""
        said = [[each.role, each.content] for each in request.question or request.messages]
        question = _digest([run, call, request.model, said])
        number, self._numbers[question] = self._numbers[question], self._numbers[question] + 1
        body = api.body(request)
        return Parked(
            key=f"fanout-{_digest([question, number])}",
            run=run,
            call=call,
            queue=Queue(person=self.person, endpoint=endpoint, model=request.model),
            body=json.dumps(body),
            shape=_digest(body),
        )

    def link(self, endpoint: EndpointId) -> Link:
        def api() -> BatchApi:
            provider = self.endpoints.provider(ModelRef(endpoint=endpoint, model=""))
            if not isinstance(provider, Batching):
                raise ProviderError(words.not_offered(self.endpoints.get(endpoint).name))
            return provider.batch_api()

        return Link(host=self.endpoints.get(endpoint).host, api=api)


class _ParkedProvider:
    """A `Provider` whose answers come from the collector."""

    def __init__(self, run: _ParkedRun, inner: Provider, endpoint: EndpointId) -> None:
        self._run = run
        self._inner = inner
        self._endpoint = endpoint

    def stream(
        self, request: ChatRequest
    ) -> AbstractAsyncContextManager[AsyncIterator[StreamItem]]:
        """Park the request and wait; being cancelled gives it up where no job has it yet."""
        return self._stream(request)

    async def embed(self, model: str, texts: Sequence[str]) -> Embedded:
        """At once, as ever: nothing is gained by waiting for vectors."""
        return await self._inner.embed(model, texts)

    async def aclose(self) -> None:
        """The inner one belongs to its endpoint."""

    @asynccontextmanager
    async def _stream(self, request: ChatRequest) -> AsyncGenerator[AsyncIterator[StreamItem]]:
        assert isinstance(self._inner, Batching)
        api = self._inner.batch_api()
        await self._run.begun()
        link = self._run.link(self._endpoint)
        while True:
            parked = self._run.parked(request, self._endpoint, api)
            kept = await self._run.collector.answer(parked, link)
            answer = unpacked(kept.answer, kept.shape)
            refused = answer.failure is None and answer.status != 200
            if refused and api.learn(request, answer):
                continue
            # Refused in words that aren't used any more, since another call has learnt better.
            if refused and answer.shape != _digest(api.body(request)):
                continue
            break

        async def items() -> AsyncGenerator[StreamItem]:
            for item in api.items(request, answer):
                yield item

        made = items()
        try:
            yield made
        finally:
            await made.aclose()


class _OpenGate:
    """Parking takes no slot, and no rate of calls counts for it."""

    def admit(
        self, *, run: RunId, model: str, tokens: int, held: Held
    ) -> AbstractAsyncContextManager[Permit]:
        return _admitted()

    def gave_up(self, failure: Failure) -> None:
        """It says nothing about single calls, which the circuit is for."""

    def late_after_s(self, model: str, hedging: Hedging) -> float | None:
        return None

    def hedge(self, *, model: str, tokens: int, hedging: Hedging) -> Permit | None:
        return None


@asynccontextmanager
async def _admitted() -> AsyncGenerator[Permit]:
    yield _FreePermit()


class _FreePermit:
    """Has nothing to tell anybody, and nothing to give back."""

    def opened(self, rates: RateFacts) -> None: ...

    def first_token(self, after_s: float) -> None: ...

    def succeeded(self, usage: Usage) -> None: ...

    def failed(self, failure: Failure, rates: RateFacts | None = None) -> None: ...

    def release(self) -> None: ...


def _digest(value: object) -> str:
    return sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:40]
