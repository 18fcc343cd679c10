"""The beginning that several calls share, computed once and copied into the slots that need it.

llama.cpp computes a prompt again in every slot that it is sent to. Here one slot computes what the
prompts have in common, token for token, its state is saved to a file, and each call's slot is given
that state before it is asked. Whatever of it doesn't work is logged, and the calls go out as ever.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import anyio

from fanout.providers.base import ChatRequest, Primed
from fanout.providers.beginnings import shared_length, text_of
from fanout.providers.local.slot_server import SlotRefusal, SlotServer
from fanout.providers.local.slots import SlotBook
from fanout.providers.local.states import SavedStates, State

LEAST: Final = 64
"""Tokens that are worth a file; a template alone may begin with 24 of its own."""
REFUSALS: Final = 2
"""In a row, and it isn't tried again with this server: some models' states can't be saved."""

log = logging.getLogger(__name__)


class Prefixes:
    """One life of the server: its slots, and the states saved from them. On the engine's loop."""

    def __init__(
        self, server: SlotServer, *, slots: int, folder: Path | None, bytes_per_token: int | None
    ) -> None:
        """Without a folder nothing is saved, and slots are chosen all the same."""
        self._server = server
        self._book = SlotBook(slots)
        self._states = SavedStates(folder) if folder is not None else None
        self._bytes_per_token = bytes_per_token
        self._refusals = 0
        self._one_at_a_time = anyio.Lock()

    async def prime(self, requests: Sequence[ChatRequest]) -> Primed | None:
        """Compute and save what these begin with; None where that can't be done."""
        states = self._states
        if states is None or len(requests) < 2 or self._refusals >= REFUSALS:
            return None
        async with self._one_at_a_time:
            began_s = anyio.current_time()
            try:
                state = await self._state_for(requests, states)
            except (SlotRefusal, OSError) as problem:
                self._refused("computed", problem)
                return None
            took_s = anyio.current_time() - began_s
        return Primed(tokens=state.tokens, took_s=took_s) if state is not None else None

    @asynccontextmanager
    async def slot(self, request: ChatRequest) -> AsyncIterator[int | None]:
        """The slot that should answer, its memory made ready; None leaves that to the server."""
        text = text_of(request.messages)
        state = None
        if self._states is not None:
            await self._states.tidy()
            state = self._states.known(text)
        number = self._book.take(text, state.name if state else "")
        try:
            if state is not None and number is not None:
                await self._give(state, number)
            yield number
        finally:
            if number is not None:
                self._book.give_back(number, text)

    async def aclose(self) -> None:
        await self._server.aclose()

    async def _state_for(
        self, requests: Sequence[ChatRequest], states: SavedStates
    ) -> State | None:
        """The state of what they share, an earlier one where it reaches as far."""
        by_text = {text_of(request.messages): request for request in requests}
        text = _common(list(by_text))
        tokens = await self._common_tokens(by_text.values())
        size = self._bytes_per_token and len(tokens) * self._bytes_per_token
        if len(tokens) < LEAST or not await states.make_room(size):
            return None
        known = states.known(text)
        if known is not None and known.tokens >= len(tokens):
            known.left += len(requests)
            return known
        number = self._book.take(text)
        if number is None:
            return None
        state = State(text=text, tokens=len(tokens), left=len(requests))
        held = ""
        try:
            if known is not None:
                await self._give(known, number)
            await self._server.compute(tokens, number)
            if await self._server.save(number, state.name) != len(tokens):
                raise SlotRefusal("the state that was saved is not the one that was computed")
            held = state.name
        finally:
            self._book.give_back(number, text, held)
            if not held:
                await states.drop(state)
        states.keep(state)
        # It may be larger than was thought.
        await states.make_room(None)
        self._refusals = 0
        return state

    async def _common_tokens(self, requests: Iterable[ChatRequest]) -> list[int]:
        """What the prompts begin with as the model reads them; each has one more at least."""
        common: list[int] | None = None
        for request in requests:
            tokens = await self._server.tokens(request)
            if common is None:
                common = tokens[:-1]
            else:
                pairs = zip(common, tokens[:-1], strict=False)
                alike = next((n for n, (a, b) in enumerate(pairs) if a != b), None)
                common = common[: min(len(common), len(tokens) - 1) if alike is None else alike]
        return common or []

    async def _give(self, state: State, number: int) -> None:
        """Have a slot hold that state, unless it does."""
        assert self._states is not None
        state.left -= 1
        state.readers += 1
        try:
            if not self._book.holds(number, state.name):
                await self._server.restore(number, state.name)
        except SlotRefusal as problem:
            self._refused("copied", problem)
        finally:
            state.readers -= 1
            await self._states.settle(state)

    def _refused(self, what: str, problem: Exception) -> None:
        self._refusals += 1
        log.warning("What several calls share was not %s, so each does it: %s", what, problem)


def _common(texts: Sequence[str]) -> str:
    return texts[0][: min((shared_length(texts[0], text) for text in texts), default=0)]
