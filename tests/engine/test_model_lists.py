"""Lists of models are asked for from any thread, and the engine's loop never waits for a page."""

from __future__ import annotations

import threading
from collections.abc import Awaitable, Callable

import anyio

from fanout.engine.model_lists import ModelLists
from fanout.types import EndpointId

HERE = EndpointId("here")


def test_an_answer_that_comes_before_the_asking_has_returned_blocks_nobody() -> None:
    """As where the loop hears of one endpoint at the moment in which a page asks for another."""
    answered: list[bool] = []

    def soon(function: Callable[..., Awaitable[object]], *args: object) -> None:
        loop = threading.Thread(target=anyio.run, args=(function, *args), daemon=True)
        loop.start()
        loop.join(timeout=5)
        answered.append(not loop.is_alive())

    async def ask(_endpoint: EndpointId) -> tuple[str, ...]:
        return ("one",)

    lists = ModelLists(ask, soon)
    assert lists.look(HERE) is None
    lists.ask_anew(HERE)
    assert answered == [True, True]
    listing = lists.known(HERE)
    assert listing is not None and listing.names == ("one",)
