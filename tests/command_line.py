"""`python -m fanout` without a process of its own: what it prints, and its exit status."""

from __future__ import annotations

import signal
import sys
from collections.abc import Mapping
from contextlib import redirect_stderr, redirect_stdout
from io import BytesIO, TextIOWrapper
from subprocess import CompletedProcess

import pytest

from fanout.cli.main import main


def fanout(
    *arguments: str, text: str = "", environment: Mapping[str, str] | None = None
) -> CompletedProcess[str]:
    """Starting Python and all of its modules would take far longer than most commands do."""
    out, errors = _stream(), _stream()
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    with pytest.MonkeyPatch.context() as outside, redirect_stdout(out), redirect_stderr(errors):
        for name, value in (environment or {}).items():
            outside.setenv(name, value)
        outside.setattr(sys, "stdin", _stream(text.encode()))
        try:
            status = main(arguments)
        except SystemExit as end:
            status = int(end.code or 0)
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
    return CompletedProcess(arguments, status, _written(out), _written(errors))


def _stream(content: bytes = b"") -> TextIOWrapper:
    return TextIOWrapper(BytesIO(content), "utf-8")


def _written(stream: TextIOWrapper) -> str:
    stream.flush()
    buffer = stream.buffer
    assert isinstance(buffer, BytesIO)
    return buffer.getvalue().decode()
