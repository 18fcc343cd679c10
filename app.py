"""The ASGI app: `streamlit run app.py` serves pages and board, and keeps the engine."""

from __future__ import annotations

import gc
import logging
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NoReturn

import anyio
import streamlit as st
from starlette.middleware import Middleware

ROOT = Path(__file__).resolve().parent
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

from components.board.routes import guarded_routes  # noqa: E402
from components.page_policy import PagePolicy  # noqa: E402
from components.session import close_runtime, process  # noqa: E402
from components.sign_in.door import Door, Guard  # noqa: E402
from fanout.errors import SettingsError  # noqa: E402
from fanout.telemetry.log_form import write_log  # noqa: E402

log = logging.getLogger("fanout.app")

SWITCH_S = 0.0005
"""How long one thread may compute while another waits for the interpreter."""

COLLECT_AFTER = 3_000
"""New objects between two searches for cycles. Python's own 700 makes it search everything several
times a minute under load, for up to a quarter of a second in which nobody's words come."""


def end_with_the_terminal() -> None:
    """A terminal that is closed ends the app as Ctrl+C does, and its runs are marked first."""
    hang_up = getattr(signal, "SIGHUP", None)
    # nohup leaves word that it is to go on.
    if hang_up is not None and signal.getsignal(hang_up) is signal.SIG_DFL:
        signal.signal(hang_up, lambda *_: signal.raise_signal(signal.SIGTERM))


NOT_STARTED = 3
"""The exit status of a server whose start failed, as uvicorn has it."""


def end_for(error: SettingsError) -> NoReturn:
    """One line for whoever started it. An error that left `lifespan` would be dozens."""
    if os.environ.get("FANOUT_LOG", "").strip().lower() == "json":
        write_log("json", "error")
    log.error("Fanout does not start: %s", error)
    os._exit(NOT_STARTED)


@asynccontextmanager
async def lifespan(_app: object) -> AsyncIterator[None]:
    """Heavy imports once, before the first visitor; the engine starts and ends with the server."""
    import openai  # noqa: F401
    import pandas as pd  # noqa: F401
    import plotly.graph_objects as go  # noqa: F401

    end_with_the_terminal()
    # A page being drawn would keep the engine waiting for up to 5 ms at each of its many turns.
    sys.setswitchinterval(SWITCH_S)
    try:
        opened = await anyio.to_thread.run_sync(process)
    except SettingsError as error:
        end_for(error)
    opened.warm_up()
    gc.collect()
    gc.freeze()
    gc.set_threshold(COLLECT_AFTER)
    try:
        yield
    finally:
        await anyio.to_thread.run_sync(close_runtime)


door = Door(process)
app = st.App(
    ROOT / "components" / "shell.py",
    routes=guarded_routes(door),
    middleware=[Middleware(PagePolicy), Middleware(Guard, door=door)],
    lifespan=lifespan,
)

if __name__ == "__main__":
    app.run()
