"""An engine for a program: open it once, run as many workflows as you like, close it."""

from __future__ import annotations

import logging
import os
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import ExitStack, asynccontextmanager, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Lock
from types import TracebackType
from typing import TypeAlias, cast

from anyio.to_thread import run_sync

from fanout.endpoint import Endpoint, Secret
from fanout.engine.handle import RunHandle
from fanout.engine.runtime import Runtime
from fanout.errors import InputError, LocalModelError, SettingsError
from fanout.events import Event
from fanout.program.handover import done_anyway, handed_over
from fanout.program.live import Live
from fanout.program.result import Result
from fanout.providers.local.weights import HubName, parse_setting
from fanout.settings import Settings, checked_url
from fanout.store.store import Store
from fanout.types import ModelRef
from fanout.workflows.definition import Workflow, WorkflowBase
from fanout.workflows.library import load_all, load_file
from fanout.workflows.parsing import checked

log = logging.getLogger(__name__)

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
        (`python -m fanout history` lists them), or the session isn't opened: SettingsError.
        Without it no run is kept, so no budget for a day can be.
        """
        _check_endpoint(endpoint)
        self._named = endpoint if isinstance(endpoint, Endpoint) else None
        self._key = Secret(api_key) if isinstance(api_key, str) else api_key
        self._environment = _environment(endpoint, model, self._key)
        self._from_files = endpoint is None
        """Whether the settings file, or a file with a key, may say which endpoint answers."""
        self._model = model
        self._home = None if home is None else Path(home)
        self._runtime: Runtime | None = None
        self._exits: _Exits | None = None
        self._chosen: ModelRef | None = None

    async def __aenter__(self) -> Session:
        opened = await handed_over(self._open, _close)
        self._runtime, self._exits = opened
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        exits, self._runtime, self._exits = self._exits, None, None
        if exits is not None:
            await done_anyway(exits.close)

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
        if not isinstance(topic, str):
            raise InputError(f"The topic has to be text; this is {_kind(topic)}. Give it as a str.")
        found = await run_sync(self._found, workflow)
        chosen = await run_sync(self._model_for, model)
        start = partial(runtime.engine.start, found, topic, chosen)
        live = Live(await handed_over(start, _stop))
        try:
            yield live
        finally:
            await live.aclose()

    @property
    def _opened(self) -> Runtime:
        if self._runtime is None:
            raise SettingsError("This session isn't open: use it as `async with Session() as s:`.")
        return self._runtime

    def _open(self) -> tuple[Runtime, _Exits]:
        """SettingsError where it can't do what was asked for; then nothing stays open."""
        with ExitStack() as stack:
            settings = self._settings(stack)
            store = _kept_in(settings) if self._home is not None else Store.in_memory()
            stack.callback(store.close)
            models = None if self._home is not None else self._models_home(settings)
            runtime = stack.enter_context(Runtime(settings, store=store, models=models))
            for problem in (*store.problems, *runtime.problems):
                log.warning("%s", problem)
            if self._named is not None:
                runtime.engine.endpoints.put(self._named, self._key)
            return runtime, _Exits(stack.pop_all())

    def _settings(self, stack: ExitStack) -> Settings:
        if self._home is not None:
            return self._read({"FANOUT_HOME": str(self._home)})
        folder = stack.enter_context(TemporaryDirectory(prefix="fanout-"))
        nowhere = {"FANOUT_DATABASE_URL": "", "FANOUT_DATABASE_URL_FILE": ""}
        settings = self._read({"FANOUT_HOME": folder, **nowhere})
        if settings.day_budget.capped or settings.person_budget.capped:
            raise SettingsError(
                "A budget for the day is set (FANOUT_DAY_... or FANOUT_PERSON_DAY_...). It counts "
                "over all runs of the day, so they have to be kept: name a folder for them, as in "
                'Session(home="runs") or fanout.run(..., home="runs").'
            )
        return replace(settings, database_url=None)

    def _read(self, changes: Mapping[str, str]) -> Settings:
        """Of the environment as it was named here; a change to "" takes a name out."""
        environment = {**self._environment, **changes}
        for name in [name for name, text in changes.items() if not text]:
            del environment[name]
        return Settings.from_environment(environment, endpoint_from_files=self._from_files)

    def _models_home(self, settings: Settings) -> Path | None:
        """Where a model of the Hub is kept though no run is: gigabytes are fetched once."""
        with suppress(LocalModelError):
            if isinstance(parse_setting(settings.local_model), HubName):
                return self._read({}).home
        return None

    def _found(self, workflow: object) -> Workflow:
        if isinstance(workflow, WorkflowBase):
            return checked(cast("Workflow", workflow))
        if isinstance(workflow, Path) or (isinstance(workflow, str) and workflow.endswith(".toml")):
            return load_file(Path(workflow))
        if isinstance(workflow, str):
            return load_all(self._opened.settings.home).get(workflow)
        raise InputError(
            f"This can't be run as a workflow: {_kind(workflow)}. Give a workflow's name, the Path "
            "of a .toml file, or a workflow made in code; fanout.parse(data, name=...) makes one "
            "of plain data."
        )

    def _model_for(self, name: str) -> ModelRef:
        if self._chosen is None and self._named is not None:
            self._chosen = ModelRef(
                endpoint=self._named.id, model=self._model or self._named.default_model
            )
        if self._chosen is None:
            self._chosen = self._opened.chosen_model()
        return ModelRef(endpoint=self._chosen.endpoint, model=name or self._chosen.model)


class _Exits:
    """Closes once, whoever asks and however often."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack
        self._lock = Lock()

    def close(self) -> None:
        with self._lock:
            self._stack.close()


def _kept_in(settings: Settings) -> Store:
    """SettingsError where runs would be gone with the process."""
    try:
        store = Store.open(settings.home, settings.database)
        if store.kept:
            return store
        store.close()
        raise SettingsError(" ".join(store.problems))
    except SettingsError as error:
        raise SettingsError(
            f"Runs can't be kept as `home` asks for, so this session isn't opened. {error}"
        ) from None


def _close(opened: tuple[Runtime, _Exits]) -> None:
    opened[1].close()


def _stop(handle: RunHandle) -> None:
    with suppress(RuntimeError):
        # Raised where the session has been closed, and with it the run.
        handle.stop()


def _check_endpoint(endpoint: object) -> None:
    if endpoint is not None and not isinstance(endpoint, str | Endpoint):
        raise SettingsError(
            f"This can't be an endpoint: {_kind(endpoint)}. Give the base URL of one, as text that "
            'ends in /v1, an Endpoint, "bundled", or nothing.'
        )


def _kind(value: object) -> str:
    """As it is called in Python: what it holds may be long, and not for a log."""
    return f"a value of type {type(value).__name__}"


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
