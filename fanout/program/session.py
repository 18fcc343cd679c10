"""An engine for a program: open it once, run as many workflows as you like, close it."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import TypeAlias

from anyio import CancelScope
from anyio.to_thread import run_sync

from fanout.endpoint import Endpoint, Secret
from fanout.engine.runtime import Runtime
from fanout.errors import SettingsError
from fanout.events import Event
from fanout.program.live import Live
from fanout.program.result import Result
from fanout.settings import Settings, checked_url
from fanout.store.store import Store
from fanout.types import ModelRef
from fanout.workflows.definition import Workflow, WorkflowBase
from fanout.workflows.library import load_all, load_file

AnyWorkflow: TypeAlias = str | Path | Workflow
"""A workflow's name, a .toml file, or one made in code."""
BUNDLED = "bundled"
OnEvent: TypeAlias = Callable[[Event], object]


class Session:
    """Use as `async with`. Works under asyncio and trio; runs live on a thread of their own."""

    def __init__(
        self,
        *,
        endpoint: str | Endpoint | None = None,
        model: str = "",
        api_key: str | Secret | None = None,
        home: str | Path | None = None,
    ) -> None:
        """`endpoint` is an OpenAI-compatible base URL ending in /v1, an `Endpoint`, "bundled" for
        the model on this machine, or None for what the environment says (OPENAI_API_KEY,
        OPENAI_BASE_URL, FANOUT_MODEL; the bundled model where nothing is set).

        A key is given with its endpoint: where one is named here, none is taken from the
        environment. With `home`, a folder, every run is kept there as the app keeps its own
        (`python -m fanout history` lists them); without it nothing is.
        """
        self._named = endpoint if isinstance(endpoint, Endpoint) else None
        self._key = Secret(api_key) if isinstance(api_key, str) else api_key
        self._environment = _environment(endpoint, model, self._key)
        self._from_files = endpoint is None
        """Whether the settings file, or a file with a key, may say which endpoint answers."""
        self._model = model
        self._home = None if home is None else Path(home)
        self._folder: TemporaryDirectory[str] | None = None
        self._runtime: Runtime | None = None
        self._chosen: ModelRef | None = None

    async def __aenter__(self) -> Session:
        await run_sync(self._open)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with CancelScope(shield=True):
            await run_sync(self._close)

    async def run(
        self,
        workflow: AnyWorkflow,
        *,
        topic: str,
        model: str = "",
        on_event: OnEvent | None = None,
    ) -> Result:
        """One run, from its start to its end. What fails in it is in the result, not raised.

        `on_event` is called with each event, in order. InputError, DefinitionError or
        SettingsError where it can't begin. Cancelling stops the run.
        """
        async with self.stream(workflow, topic=topic, model=model) as live:
            if on_event is not None:
                async for event in live:
                    on_event(event)
            return await live.result()

    @asynccontextmanager
    async def stream(
        self, workflow: AnyWorkflow, *, topic: str, model: str = ""
    ) -> AsyncIterator[Live]:
        """A run to look at while it goes on; leaving the block stops it if it hasn't ended."""
        runtime = self._opened
        found = (
            workflow
            if isinstance(workflow, WorkflowBase)
            else await run_sync(self._found, workflow)
        )
        chosen = await run_sync(self._model_for, model)
        live = Live(await run_sync(runtime.engine.start, found, topic, chosen))
        try:
            yield live
        finally:
            await live.aclose()

    @property
    def _opened(self) -> Runtime:
        if self._runtime is None:
            raise SettingsError("This session isn't open: use it as `async with Session() as s:`.")
        return self._runtime

    def _open(self) -> None:
        if self._home is None:
            self._folder = TemporaryDirectory(prefix="fanout-")
        home = self._folder.name if self._folder is not None else str(self._home)
        environment = {**self._environment, "FANOUT_HOME": home}
        if self._home is None:
            environment.pop("FANOUT_DATABASE_URL", None)
        settings = Settings.from_environment(environment, endpoint_from_files=self._from_files)
        self._runtime = Runtime(settings) if self._home is not None else _Unkept(settings)
        if self._named is not None:
            self._runtime.engine.endpoints.put(self._named, self._key)

    def _close(self) -> None:
        runtime, self._runtime = self._runtime, None
        if runtime is not None:
            runtime.close()
        folder, self._folder = self._folder, None
        if folder is not None:
            folder.cleanup()

    def _found(self, workflow: str | Path) -> Workflow:
        if isinstance(workflow, Path) or workflow.endswith(".toml"):
            return load_file(Path(workflow))
        return load_all(self._opened.settings.home).get(workflow)

    def _model_for(self, name: str) -> ModelRef:
        if self._chosen is None and self._named is not None:
            self._chosen = ModelRef(
                endpoint=self._named.id, model=self._model or self._named.default_model
            )
        if self._chosen is None:
            self._chosen = self._opened.chosen_model()
        return ModelRef(endpoint=self._chosen.endpoint, model=name or self._chosen.model)


class _Unkept(Runtime):
    """Nothing of its runs stays."""

    def _opened_store(self) -> Store:
        return Store.in_memory()


def _environment(endpoint: str | Endpoint | None, model: str, key: Secret | None) -> dict[str, str]:
    """The process's own, with what was named in the program in its place."""
    environment = dict(os.environ)
    if endpoint is not None:
        for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "FANOUT_MODEL", "FANOUT_EMBEDDING_MODEL"):
            environment.pop(name, None)
    if isinstance(endpoint, str) and endpoint != BUNDLED:
        environment["OPENAI_BASE_URL"] = checked_url(endpoint, "endpoint")
    if key is not None and not isinstance(endpoint, Endpoint):
        environment["OPENAI_API_KEY"] = key.reveal()
        environment.pop("OPENAI_API_KEY_FILE", None)
    if model and not isinstance(endpoint, Endpoint):
        environment["FANOUT_MODEL"] = model
    return environment
