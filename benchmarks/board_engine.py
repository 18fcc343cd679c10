"""The engine that the board benchmark's server and its pages share."""

from __future__ import annotations

import os
from functools import cache

from fanout.endpoint import Endpoint
from fanout.engine.endpoints import EndpointBook
from fanout.engine.engine import Engine
from fanout.engine.handle import RunHandle
from fanout.providers.openai_compatible import OpenAICompatible
from fanout.types import EndpointId, ModelRef
from fanout.workflows.parsing import parse

BRANCHES = 12
STAMPING = EndpointId("stamping")
URL_VARIABLE = "FANOUT_BENCH_ENDPOINT"


@cache
def engine() -> Engine:
    """One per process."""
    book = EndpointBook(OpenAICompatible)
    book.put(
        Endpoint(
            id=STAMPING, name="Stamping", base_url=os.environ[URL_VARIABLE], slots=BRANCHES + 1
        )
    )
    return Engine(book)


def start() -> RunHandle:
    """A run whose branches write until it is stopped."""
    branches = [
        {"id": f"b{i}", "title": f"Branch {i}", "prompt": "Write about {topic}."}
        for i in range(BRANCHES)
    ]
    workflow = parse({"title": "Board", "branches": branches}, name="board")
    return engine().start(workflow, "time", ModelRef(endpoint=STAMPING, model="stamping"))
