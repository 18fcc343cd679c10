"""The supervisor of the local model: starts its process on first need, and again after a crash.

One instance belongs to one event loop (the engine's). Only `state` may be read from any other
thread. Callers that need the server at the same time wait for the same start; one that is cancelled
while it starts the process takes the half-started process with it, and the next one starts anew.
"""

from __future__ import annotations

import contextlib
import secrets
from collections import deque
from dataclasses import replace
from pathlib import Path
from typing import Final, Literal, NamedTuple

import anyio
import httpx2

from fanout.endpoint import BUNDLED, Endpoint, Secret
from fanout.errors import LocalModelError
from fanout.providers.local.child import ChildConfig
from fanout.providers.local.download import Progress
from fanout.providers.local.process import ModelProcess, threads
from fanout.providers.local.resolve import outline, resolve
from fanout.providers.local.state import LocalState
from fanout.providers.local.state_folder import StateFolder
from fanout.providers.local.weights import LocalModel

SLOTS: Final = 3
START_DEADLINE_S: Final = 180.0
HEALTH_DEADLINE_S: Final = 2.0
REAP_S: Final = 0.5
CRASHES: Final = 3
CRASH_WINDOW_S: Final = 60.0
CLOSING: Final = "The local model is switched off, because Fanout is closing."


class Address(NamedTuple):
    """Where the running model answers."""

    base_url: str
    key: Secret
    model: LocalModel
    slots: int = SLOTS
    states: Path | None = None
    """Where the states of its slots may be saved; None: nowhere."""


class _Running(NamedTuple):
    process: ModelProcess
    address: Address
    states: StateFolder | None


class LocalServer:
    """The local model as a server that is there when it is needed.

    `setting` is FANOUT_MODEL's text: None or empty for the bundled model, the path of a .gguf file,
    or a Hub name. `key` None makes a new random key for each start; an empty Secret opens the
    server to everybody on this machine. `port` 0 takes any free port.
    """

    def __init__(
        self,
        home: Path,
        setting: str | None = None,
        *,
        slots: int = SLOTS,
        port: int = 0,
        key: Secret | None = None,
        start_deadline_s: float = START_DEADLINE_S,
    ) -> None:
        self._home = home.absolute()
        self._setting = setting
        self._slots = slots
        self._port = port
        self._key = key
        self._start_deadline_s = start_deadline_s
        self._lock = anyio.Lock()
        self._running: _Running | None = None
        self._crashes: deque[float] = deque(maxlen=CRASHES)
        self._closed = False
        self._starting: anyio.CancelScope | None = None
        self._outline = outline(setting, self._home)
        self._state = LocalState.before_start(self._outline)

    @property
    def state(self) -> LocalState:
        """What is going on, for the screen; may be read from any thread."""
        running, state = self._running, self._state
        if state.phase == "ready" and running is not None and running.process.gone:
            message = f"{state.title} stopped unexpectedly. It starts again when it is needed."
            return replace(state, phase="stopped", message=message)
        return state

    @property
    def endpoint(self) -> Endpoint:
        """The model as an endpoint, known before anything is started."""
        return Endpoint(
            id=BUNDLED,
            name=f"{self.state.title} on this machine",
            base_url="",
            slots=self._slots,
            on_this_machine=True,
            default_model=self._outline.id,
        )

    @property
    def pid(self) -> int | None:
        """The process that runs the model now; None where there is none."""
        return self._running.process.pid if self._running is not None else None

    async def ensure(self) -> Address:
        """The address of a server that runs; starts it where it doesn't. Raises LocalModelError."""
        async with self._lock:
            if self._closed:
                raise LocalModelError(CLOSING)
            if self._running is not None and not self._running.process.gone:
                return self._running.address
            if self._running is not None:
                await self._bury(self._running)
            self._refuse_crash_loop()
            with anyio.CancelScope() as self._starting:
                return await self._start()
        raise LocalModelError(CLOSING)

    async def warm_up(self) -> None:
        """Start in the background of something else: what goes wrong is in `state`, not raised."""
        with contextlib.suppress(LocalModelError):
            await self.ensure()

    async def suspect(self, address: Address) -> bool:
        """A call to `address` broke: find out whether the server did. True if it is gone.

        A server that doesn't answer any more is ended here, so that the next `ensure` starts one.
        """
        async with self._lock:
            running = self._running
            if running is None or running.address is not address:
                return True
            # The end of a connection arrives before the system has reported the end of the process.
            ended = await running.process.ended(within_s=REAP_S)
            if not ended and await healthy(address.base_url):
                return False
            await self._bury(running)
            return True

    async def wait_for_end(self) -> None:
        """Return when the process that runs now has ended, for whatever reason."""
        if self._running is not None:
            await self._running.process.wait()

    async def aclose(self) -> None:
        """End the process, gently at first. The server is not used afterwards."""
        self._closed = True
        # A start may be in the middle of a long download, and it holds the lock.
        if self._starting is not None:
            self._starting.cancel()
        with anyio.CancelScope(shield=True):
            async with self._lock:
                if self._running is not None:
                    await self._running.process.aclose()
                    _remove(self._running.states)
                    self._running = None
        self._say("stopped", f"{self._state.title} is switched off.")

    async def _start(self) -> Address:
        self._say("starting", f"Preparing {self._outline.title}.")
        try:
            model = await resolve(self._setting, self._home, self._downloading)
            self._state = replace(self._state, title=model.title)
            self._say("starting", f"Loading {model.title}.")
            running = await self._launch(model)
        except LocalModelError as error:
            self._say("failed", str(error))
            raise
        except BaseException:
            self._say("stopped", f"{self._state.title} starts when it is first needed.")
            raise
        self._running = running
        self._say("ready", f"{model.title} is ready.")
        return running.address

    async def _launch(self, model: LocalModel) -> _Running:
        key = self._key if self._key is not None else Secret(secrets.token_urlsafe(32))
        process = await ModelProcess.open(self._home)
        # A server that is open to everybody on this machine lets nobody write files.
        states = StateFolder.open(self._home) if key else None
        config = ChildConfig(
            model_path=str(model.path),
            alias=model.id,
            key=key.reveal(),
            slots=self._slots,
            context=model.context(self._slots),
            threads=threads(),
            port=self._port,
            state_folder=str(states.path) if states is not None else "",
        )
        try:
            with anyio.fail_after(self._start_deadline_s):
                base = await process.configure(config, model)
            if not await healthy(base + "/v1"):
                raise LocalModelError(f"{model.title} was loaded but doesn't answer. Try again.")
        except TimeoutError:
            await process.kill()
            _remove(states)
            raise LocalModelError(
                f"{model.title} was not ready after {self._start_deadline_s:.0f} s. "
                "Close other programs that need memory, or choose a smaller model."
            ) from None
        except BaseException:
            await process.kill()
            _remove(states)
            raise
        path = states.path if states is not None else None
        address = Address(base + "/v1", key, model, self._slots, path)
        return _Running(process, address, states)

    async def _bury(self, running: _Running) -> None:
        self._running = None
        await running.process.kill()
        _remove(running.states)
        self._crashes.append(anyio.current_time())
        title = running.address.model.title
        self._say("stopped", f"{title} stopped unexpectedly. It starts again when it is needed.")

    def _refuse_crash_loop(self) -> None:
        full = len(self._crashes) == CRASHES
        if full and anyio.current_time() - self._crashes[0] < CRASH_WINDOW_S:
            message = (
                f"{self._state.title} stopped {CRASHES} times within a minute, so it isn't started "
                "again for now. Wait a minute and try again; logs/local-model.log says more."
            )
            self._say("failed", message)
            raise LocalModelError(message)

    def _downloading(self, progress: Progress) -> None:
        of = f" of {progress.total / 1e6:,.0f}" if progress.total else ""
        self._state = LocalState(
            phase="starting",
            title=self._state.title,
            message=f"Downloading {self._outline.title}: {progress.done / 1e6:,.0f}{of} MB, "
            f"{progress.bytes_per_s / 1e6:.1f} MB/s.",
            progress=progress.done / progress.total if progress.total else None,
        )

    def _say(self, phase: Literal["stopped", "starting", "ready", "failed"], message: str) -> None:
        self._state = LocalState(phase=phase, message=message, title=self._state.title)


def _remove(states: StateFolder | None) -> None:
    if states is not None:
        states.remove()


async def healthy(base_url: str) -> bool:
    """True where the server at `base_url` says that it can answer."""
    try:
        async with httpx2.AsyncClient(timeout=HEALTH_DEADLINE_S, trust_env=False) as client:
            return (await client.get(base_url.removesuffix("/v1") + "/health")).is_success
    except httpx2.TransportError:
        return False
