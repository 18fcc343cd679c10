"""Commands that are imported when they are called: a list of runs needs no model's SDK."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable
from importlib import import_module


def later(module: str, name: str) -> Callable[[Namespace], int]:
    """The function of that name in `fanout.cli.<module>`, which is imported on its first call."""

    def command(options: Namespace) -> int:
        return int(getattr(import_module(f"fanout.cli.{module}"), name)(options))

    return command
