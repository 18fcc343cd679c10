"""Where a beginning is paid once: read from a real server's cache, or prepared by the server."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from dataclasses import replace

import anyio
import anyio.lowlevel

from fanout.endpoint import Endpoint, Secret
from fanout.engine.endpoints import EndpointBook
from fanout.engine.engine import Engine
from fanout.insight.prefix import saved
from fanout.policies import HoldReason, PrefixMode
from fanout.providers.base import ChatRequest, Embedded, Primed, Provider, StreamItem
from fanout.providers.openai_compatible import OpenAICompatible
from fanout.providers.script import Fault, Reply, Rule, Script
from fanout.providers.scripted import Scripted
from fanout.providers.scripted_server import serving
from fanout.snapshot import Snapshot
from fanout.types import RunStatus
from fanout.workflows.definition import Workflow
from fanout.workflows.parsing import parse
from tests.rig import AT_ONCE, HERE, MODEL

TEXT = "The keeper of the lighthouse counted every ship that passed the rocks that year. " * 90
PACED = Reply(text="One two three four five six.", first_token_s=0.15, tokens_per_s=100)
CACHING = Script(otherwise=PACED, caches_from=1024)


def questions(mode: PrefixMode) -> Workflow:
    return parse(
        {
            "title": "Questions",
            "shared": "Here is a text.\n\n{content}",
            "policies": {"prefix": mode},
            "branches": [
                {"id": name, "title": name.title(), "prompt": f"What is {name}?"}
                for name in ("about", "affected", "evidence", "open")
            ],
        },
        name="questions",
    )


@contextmanager
def asking(provider: Provider) -> Iterator[Engine]:
    def chosen(_endpoint: Endpoint, _key: Secret | None) -> Provider:
        return provider

    book = EndpointBook(chosen)
    book.put(Endpoint(id=HERE, name="Here", base_url="", slots=8, on_this_machine=False))
    with Engine(book, retries=AT_ONCE) as engine:
        yield engine


def run(engine: Engine, mode: PrefixMode) -> Snapshot:
    snapshot = engine.start(questions(mode), TEXT, MODEL).wait(timeout_s=20)
    assert snapshot.status in (RunStatus.SUCCEEDED, RunStatus.PARTIAL)
    return snapshot


def over_http(mode: PrefixMode) -> Snapshot:
    """One run against a server of its own, whose cache holds nothing yet."""
    with serving(CACHING) as server:
        endpoint = Endpoint(
            id=HERE, name="Here", base_url=server.base_url, slots=8, on_this_machine=False
        )
        with asking(OpenAICompatible(endpoint)) as engine:
            return run(engine, mode)


def cached(snapshot: Snapshot) -> list[int]:
    return [branch.usage.cached if branch.usage else -1 for branch in snapshot.branches]


def test_who_waited_reads_from_the_servers_cache_and_all_at_once_nobody_does() -> None:
    at_once, in_order = over_http("off"), over_http("auto")
    assert cached(at_once) == [0, 0, 0, 0]
    assert saved(at_once) is None
    first, *others = cached(in_order)
    assert first == 0
    assert min(others) >= 1024
    saving = saved(in_order)
    assert saving is not None
    assert (saving.cached, saving.answered) == (sum(others), 3)


def test_where_the_first_one_has_to_try_again_nobody_waits_for_that() -> None:
    stumbling = Rule(prompt="What is about?", replies=(Reply(status=500), PACED))
    with asking(Scripted(replace(CACHING, rules=(stumbling,)))) as engine:
        snapshot = run(engine, "auto")
    assert snapshot.prefixes == ()


def test_an_error_in_mid_answer_of_the_first_one_leaves_the_others_the_cache() -> None:
    dropped = replace(PACED, fault=Fault.DROPPED, fault_after=2)
    breaking = Rule(prompt="What is about?", replies=(dropped,))
    with asking(Scripted(replace(CACHING, rules=(breaking,)))) as engine:
        snapshot = run(engine, "auto")
    assert min(cached(snapshot)[1:]) >= 1024


class Copying:
    """A server that prepares what calls share, where it doesn't take forever."""

    def __init__(self, *, forever: bool = False, broken: bool = False) -> None:
        self.primed: list[ChatRequest] = []
        self.left = False
        self._forever = forever
        self._broken = broken
        self._scripted = Scripted(Script(otherwise=PACED))

    def stream(
        self, request: ChatRequest
    ) -> AbstractAsyncContextManager[AsyncIterator[StreamItem]]:
        return self._stream(request)

    async def embed(self, model: str, texts: Sequence[str]) -> Embedded:
        return await self._scripted.embed(model, texts)

    async def prime(self, requests: Sequence[ChatRequest]) -> Primed | None:
        self.primed += requests
        try:
            await (anyio.sleep_forever() if self._forever else anyio.lowlevel.checkpoint())
        finally:
            self.left = True
        if self._broken:
            raise ValueError("a mistake of ours")
        return Primed(tokens=1337, took_s=2.5)

    async def aclose(self) -> None:
        await self._scripted.aclose()

    @asynccontextmanager
    async def _stream(self, request: ChatRequest) -> AsyncIterator[AsyncIterator[StreamItem]]:
        assert self.left, "asked before the beginning was there"
        assert request in self.primed, "asked something else"
        async with self._scripted.stream(request) as items:
            yield items


def test_a_server_that_copies_prepares_the_very_requests_before_any_is_sent() -> None:
    server = Copying()
    with asking(server) as engine:
        snapshot = run(engine, "auto")
    (opened,) = snapshot.prefixes
    assert (opened.by, opened.tokens, opened.took_s) == (None, 1337, 2.5)
    assert len(server.primed) == len(opened.branches) == 4
    assert all(b.holds[0].reason is HoldReason.PREFIX for b in snapshot.branches)


def test_stop_does_not_wait_until_the_beginning_is_computed() -> None:
    server = Copying(forever=True)
    with asking(server) as engine:
        handle = engine.start(questions("auto"), TEXT, MODEL)
        while not server.primed:
            handle.wait(timeout_s=0.02)
        handle.stop()
        snapshot = handle.wait(timeout_s=5)
    assert snapshot.status is RunStatus.STOPPED
    assert server.left


def test_a_mistake_in_preparing_costs_no_branch_its_answer() -> None:
    with asking(Copying(broken=True)) as engine:
        snapshot = run(engine, "on")
    assert snapshot.status is RunStatus.SUCCEEDED
    assert not snapshot.prefixes
