"""A button that begins something which costs money begins it once, however often it is pressed.

Of a double click, the second half reaches the server while the first is being worked on. Streamlit
then calls the same object again, and whatever the first call was about to send is cut off. So the
object remembers what it made, and the second half only leads there once more.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec

from components.batch.address import show
from fanout.types import BatchId

Parameters = ParamSpec("Parameters")


def once(act: Callable[Parameters, BatchId | None]) -> Callable[Parameters, None]:
    """`act`, whose batch is shown then. Where it made none, it may be tried again."""
    made: BatchId | None = None

    @wraps(act)
    def acted(*args: Parameters.args, **kwargs: Parameters.kwargs) -> None:
        nonlocal made
        made = made or act(*args, **kwargs)
        if made is not None:
            show(made)

    return acted
