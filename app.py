"""The ASGI app: `streamlit run app.py` serves pages and board, and keeps the engine."""

from __future__ import annotations

import gc
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

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


@asynccontextmanager
async def lifespan(_app: object) -> AsyncIterator[None]:
    """Heavy imports once, before the first visitor; the engine starts and ends with the server."""
    import openai  # noqa: F401
    import pandas as pd  # noqa: F401
    import plotly.graph_objects as go  # noqa: F401

    opened = await anyio.to_thread.run_sync(process)
    opened.warm_up()
    gc.collect()
    gc.freeze()
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
