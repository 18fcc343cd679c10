"""A button that begins something which costs money begins it once, however often it is pressed.

The second half of a double click reaches the server while the first is being worked on. Streamlit
then calls the same object again, in another thread, and ends the first call wherever it next asks
Streamlit for anything. So what is begun is remembered before that, and whichever half is left alone
with the page goes on from there.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from threading import Lock
from typing import ParamSpec

from fanout.types import BatchId

Parameters = ParamSpec("Parameters")


def once(
    act: Callable[Parameters, BatchId | None], then: Callable[[BatchId], None]
) -> Callable[Parameters, None]:
    """`act`, and then `then` with the batch that it made or changed; None may be tried again.

    From the moment something is kept, `act` asks Streamlit for nothing; `then` does, and may be
    called twice.
    """
    done: BatchId | None = None
    lock = Lock()

    @wraps(act)
    def acted(*args: Parameters.args, **kwargs: Parameters.kwargs) -> None:
        nonlocal done
        with lock:
            if done is None:
                done = act(*args, **kwargs)
        if done is not None:
            then(done)

    return acted
