"""What tests of `python -m fanout batch` stand on: a folder, a workflow, a counting endpoint."""

from __future__ import annotations

import json
import os
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from subprocess import DEVNULL, PIPE, CompletedProcess, Popen

from fanout.providers.script import Reply, Rule, Script
from fanout.providers.scripted_server import ServerHandle, serving
from tests import command_line

ROOT = Path(__file__).resolve().parents[2]
KEY = "sk-batch-secret-0123456789"
PAIR = """
title = "Pair"
prompt = "As {title} on {topic}, {tone}."

[variables]
tone = "calm"

[[branches]]
id = "one"
title = "One"

[[branches]]
id = "two"
title = "Two"

[aggregate]
kind = "concatenation"
title = "Both"
"""


def script(*rules: Rule, slow_s: float = 0.0) -> Script:
    return Script(rules=rules, otherwise=Reply(text="Fine words.", first_token_s=slow_s))


def refused(prompt: str) -> Rule:
    return Rule(prompt=prompt, replies=(Reply(status=401, message="no such key"),))


class Desk:
    """A folder with a workflow, a FANOUT_HOME and an endpoint."""

    def __init__(self, folder: Path, server: ServerHandle) -> None:
        self.folder = folder
        self.server = server
        (folder / "pair.toml").write_text(PAIR)
        self.environment = {
            "OPENAI_API_KEY": KEY,
            "OPENAI_BASE_URL": server.base_url,
            "FANOUT_MODEL": "scripted",
            "FANOUT_HOME": str(folder / "home"),
        }

    def file(self, text: str, name: str = "topics.csv") -> str:
        path = self.folder / name
        path.write_text(text)
        return str(path)

    def fanout(self, *arguments: str, text: str = "") -> CompletedProcess[str]:
        done = command_line.fanout(*arguments, text=text, environment=self.environment)
        assert KEY not in done.stdout + done.stderr
        return done

    def batch(self, *arguments: str, text: str = "") -> CompletedProcess[str]:
        """A new one of the pair."""
        using = ("--workflow", str(self.folder / "pair.toml"))
        return self.fanout("batch", *arguments, *using, text=text)

    def process(self, *arguments: str) -> Popen[str]:
        return Popen(
            [sys.executable, "-m", "fanout", *arguments],
            cwd=ROOT, env={**os.environ, **self.environment},
            stdin=DEVNULL, stdout=PIPE, stderr=PIPE, text=True,
        )  # fmt: skip

    def rows(self, which: str = "last") -> list[dict[str, object]]:
        done = self.fanout("batch", "--rows", which, "--json")
        return [json.loads(line) for line in done.stdout.splitlines()]

    def status(self, which: str = "last") -> dict[str, object]:
        found: dict[str, object] = json.loads(
            self.fanout("batch", "--status", which, "--json").stdout
        )
        return found

    def asked(self) -> Counter[str]:
        """How often each prompt was asked."""
        return Counter(request.prompt for request in self.server.requests)


@contextmanager
def desk(folder: Path, *rules: Rule, slow_s: float = 0.0) -> Iterator[Desk]:
    with serving(script(*rules, slow_s=slow_s)) as server:
        yield Desk(folder, server)
