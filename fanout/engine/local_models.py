"""The models of this machine: the one that answers, one that is being brought, and retired ones.

Changing the model breaks nothing: the old one answers until the new one is ready, runs that began
with the old one end with it, and it is closed as soon as the last of them has ended.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import anyio.to_thread

from fanout.endpoint import Endpoint
from fanout.engine.handle import RunHandle
from fanout.errors import LocalModelError, ProviderError
from fanout.providers.base import ChatRequest, Embedded, Primed, StreamItem
from fanout.providers.local.provider import LocalProvider
from fanout.providers.local.server import LocalServer
from fanout.providers.local.state import LocalState
from fanout.types import Failure, FailureKind

Soon = Callable[..., None]
"""`Engine.soon`: starts a coroutine function on the engine's loop."""


class _Model:
    """One model with its server."""

    def __init__(self, home: Path, setting: str) -> None:
        self.setting = setting.strip()
        self.server = LocalServer(home, self.setting or None)
        self.provider = LocalProvider(self.server)
        self.id = self.server.endpoint.default_model


class LocalModels:
    """A Provider. What is not async may be called from any thread."""

    def __init__(
        self, home: Path, setting: str = "", *, runs: Callable[[], Sequence[RunHandle]]
    ) -> None:
        self._home = home
        self._runs = runs
        self._answering = _Model(home, setting)
        self._coming: _Model | None = None
        self._retired: list[_Model] = []
        self._past: dict[str, str] = {}
        self.problem = ""
        """Why the model that was asked for last did not come."""

    @property
    def server(self) -> LocalServer:
        """The server of the model that answers."""
        return self._answering.server

    @property
    def setting(self) -> str:
        """What names it: a path, a Hub name, or "" for the bundled one."""
        return self._answering.setting

    @property
    def bundled(self) -> bool:
        """True where it is the small one that is shipped."""
        return not self._answering.setting

    @property
    def coming(self) -> LocalState | None:
        """How far the model is that will answer next; None where none is being brought."""
        coming = self._coming
        return coming.server.state if coming is not None else None

    @property
    def held(self) -> int:
        """Models that may take memory: retired ones and one on its way are among them."""
        return 1 + len(self._retired) + (self._coming is not None)

    def bring(self, setting: str, soon: Soon, changed: Callable[[Endpoint], None]) -> None:
        """Fetch and load another model in the background; `changed` hears of it when it answers.

        LocalModelError, and no change, where it can be seen at once that it can't be loaded.
        """
        coming = _Model(self._home, setting)
        state = coming.server.state
        if state.phase == "absent":
            raise LocalModelError(state.message)
        self.problem = ""
        given_up, self._coming = self._coming, coming
        soon(self._load, coming, given_up, changed)

    def give_up(self, soon: Soon) -> None:
        """Stop bringing a model; what was downloaded of it is kept."""
        given_up, self._coming = self._coming, None
        if given_up is not None:
            soon(given_up.provider.aclose)

    def stream(
        self, request: ChatRequest
    ) -> AbstractAsyncContextManager[AsyncIterator[StreamItem]]:
        return self._model_of(request.model).provider.stream(request)

    async def embed(self, model: str, texts: Sequence[str]) -> Embedded:
        """Always a ProviderError: no model of this machine is loaded for embeddings."""
        return await self._model_of(model).provider.embed(model, texts)

    async def prime(self, requests: Sequence[ChatRequest]) -> Primed | None:
        """A beginning is computed once by the model that all of them ask."""
        models = {request.model for request in requests}
        if len(models) != 1:
            return None
        try:
            model = self._model_of(models.pop())
        except ProviderError:
            return None
        return await model.provider.prime(requests)

    async def warm_up(self) -> None:
        """Start the model that answers; what goes wrong is in its state."""
        await self.server.warm_up()

    async def aclose(self) -> None:
        coming, self._coming = self._coming, None
        for model in (self._answering, *self._retired, *([coming] if coming else [])):
            await model.provider.aclose()

    async def _load(
        self, coming: _Model, given_up: _Model | None, changed: Callable[[Endpoint], None]
    ) -> None:
        if given_up is not None:
            await given_up.provider.aclose()
        await coming.server.warm_up()
        if self._coming is not coming:
            await coming.provider.aclose()
            return
        state = coming.server.state
        if state.phase != "ready":
            self.problem, self._coming = state.message, None
            await coming.provider.aclose()
            return
        old, self._answering = self._answering, coming
        self._retired.append(old)
        self._past.pop(coming.id, None)
        changed(coming.server.endpoint)
        self._coming = None
        await self._close_when_unused(old)

    async def _close_when_unused(self, old: _Model) -> None:
        for run in self._runs():
            if not run.snapshot.status.finished:
                await anyio.to_thread.run_sync(run.wait, abandon_on_cancel=True)
        self._past[old.id] = old.server.state.title
        await old.provider.aclose()
        self._retired.remove(old)

    def _model_of(self, name: str) -> _Model:
        """Who answers to that name; another model never answers for one that was named and left."""
        if name == self._answering.id:
            return self._answering
        if name in self._past:
            now = self.server.state.title
            raise ProviderError(
                Failure(
                    kind=FailureKind.UNKNOWN_MODEL,
                    message=f"{self._past[name]} isn't loaded any more: {now} answers on this "
                    "machine now. Start a new run, or load it again on the Models page.",
                )
            )
        return next((old for old in self._retired if old.id == name), self._answering)
