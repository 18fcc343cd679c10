"""Readers of untrusted formats in a process of their own, with a deadline and a memory limit.

A PDF, a Word file or a web page can be made so that its parser loops or eats all memory, and a
parser that merely works hard on 500 pages would hold the interpreter's lock against the live board.
So `python -m fanout.retrieval.reading_process FORMAT NAME` reads the file from stdin and writes one
JSON line per part; what came before a deadline is kept. The name goes as an argument only to stand
in messages.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from fanout.redaction import without_secrets
from fanout.retrieval.encoding import decode
from fanout.retrieval.errors import DocumentError
from fanout.retrieval.extracted import Part, Unit

Format = Literal["pdf", "docx", "html"]
Asked = Callable[[], bool]

READ_S: Mapping[Format, float] = {"pdf": 120.0, "docx": 60.0, "html": 30.0}
"""A page of 5 MB takes about a second; one made to hurt would take hours."""
MOST_MEMORY = 2_000_000_000
_LOOK_S = 0.2
_ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    parts: tuple[Part, ...]
    note: str = ""
    cut: bool = False
    """True where the deadline passed before the end."""


def read_apart(
    form: Format,
    name: str,
    data: bytes,
    *,
    within_s: float | None = None,
    stopped: Asked | None = None,
) -> Outcome:
    """The file's parts; DocumentError with the reader's message, or if nothing came in time."""
    within_s = READ_S[form] if within_s is None else within_s
    command = [sys.executable, "-m", "fanout.retrieval.reading_process", form, name]
    # A document may be hostile: what reads it holds no key.
    environment = without_secrets(os.environ)
    environment |= {"PYTHONPATH": str(_ROOT), "PYTHONIOENCODING": "utf-8"}
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=environment,
    ) as child:
        output, cut = _collect(child, name, data, time.monotonic() + within_s, stopped)
    return _outcome(name, output, cut=cut, within_s=within_s)


def _collect(
    child: subprocess.Popen[bytes],
    name: str,
    data: bytes,
    deadline: float,
    stopped: Asked | None,
) -> tuple[bytes, bool]:
    given: bytes | None = data
    while True:
        try:
            return child.communicate(given, timeout=_LOOK_S)[0], False
        except subprocess.TimeoutExpired:
            given = None
        except BaseException:
            child.kill()
            raise
        if stopped is not None and stopped():
            child.kill()
            raise DocumentError(f"Reading {name} was stopped. Nothing of it was kept.")
        if time.monotonic() > deadline:
            child.kill()
            return child.communicate()[0], True


def _outcome(name: str, output: bytes, *, cut: bool, within_s: float) -> Outcome:
    parts: list[Part] = []
    for line in output.splitlines():
        try:
            found = json.loads(line)
        except ValueError:
            break  # the deadline came in the middle of a line
        if "problem" in found:
            raise DocumentError(found["problem"])
        if "note" in found:
            return Outcome(parts=tuple(parts), note=found["note"])
        parts.append(Part(**found))
    if cut and parts:
        return Outcome(parts=tuple(parts), cut=True)
    waited = f"was not read within {within_s:g} seconds" if cut else "broke its reader"
    raise DocumentError(f"{name} {waited}. Save its text as .txt and add that.")


def main() -> None:
    form, name = sys.argv[1:3]
    logging.disable()
    _limit()
    try:
        note = ""
        for part, said in _parts(form, name, sys.stdin.buffer.read()):
            note = said
            _say(asdict(part))
        _say({"note": note})
    except DocumentError as error:
        _say({"problem": str(error)})
    except (MemoryError, RecursionError):
        _say({"problem": f"{name} needs too much memory to be read. Save its text as .txt."})


def _parts(form: str, name: str, data: bytes) -> Iterator[tuple[Part, str]]:
    # Each reader's library is loaded only where its format is read.
    if form == "pdf":
        from fanout.retrieval.pdf import pdf_parts

        return ((part, "") for part in pdf_parts(name, data))
    if form == "docx":
        from fanout.retrieval.word import docx_parts

        return ((part, "") for part in docx_parts(name, data))
    from fanout.retrieval.web_page import html_parts

    text, note = decode(name, data, markup=True)
    return ((part, note) for part in html_parts(text))


def _limit() -> None:
    """Memory, and processor time for when the app died and nobody holds the deadline."""
    longest = int(max(READ_S.values()))
    with contextlib.suppress(ImportError, OSError, ValueError):
        import resource

        resource.setrlimit(resource.RLIMIT_CPU, (longest, longest + 5))
        resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))


def _say(value: dict[str, str | Unit]) -> None:
    sys.stdout.write(json.dumps(value) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
