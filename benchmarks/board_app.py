"""The board benchmark's server: the app's board route, and doors to start, stop and weigh it."""

from __future__ import annotations

import gc
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import streamlit as st
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

ROOT = Path(__file__).resolve().parents[1]
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

from benchmarks.board_engine import engine, start  # noqa: E402
from components.board.routes import routes  # noqa: E402


class Runs:
    def get(self, run_id: str):
        return engine().get(run_id)


async def start_run(_request: Request) -> JSONResponse:
    return JSONResponse(start().id)


async def stop_runs(_request: Request) -> JSONResponse:
    for run in engine().runs():
        run.stop()
    return JSONResponse(len(engine().runs()))


async def processor_seconds(_request: Request) -> JSONResponse:
    return JSONResponse(time.process_time())


@asynccontextmanager
async def lifespan(_app: object) -> AsyncIterator[None]:
    engine()
    # As app.py does.
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        engine().close()


app = st.App(
    ROOT / "benchmarks" / "board_page.py",
    routes=[
        *routes(Runs()),
        Route("/bench/start", start_run),
        Route("/bench/stop", stop_runs),
        Route("/bench/cpu", processor_seconds),
    ],
    lifespan=lifespan,
)
