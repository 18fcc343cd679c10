"""NUL, lone surrogates, marks that turn the writing direction, and terminal codes from a model."""

from __future__ import annotations

import json
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from fanout.export.bundle_formats import FORMATS
from fanout.providers.script import Reply, Rule, Script
from fanout.providers.scripted_server import ServerHandle, serving
from tests import command_line

HOSTILE = (
    "NUL \x00, half a pair \ud800 and \udfff, turned \u202eback\u202c, \x1b[31mred, \ufeff end."
)
KEPT = HOSTILE.replace("\ud800", "\ufffd").replace("\udfff", "\ufffd")
"""Half a pair is no character: it is read as the sign for one that can't be."""
TOPIC = "rain \u202ein\u202c a \u2067mirror\u2069"
SCRIPT = Script(
    rules=(
        Rule(prompt="poem", replies=(Reply(text=HOSTILE, status=200), Reply(text=HOSTILE))),
        Rule(prompt="story", replies=(Reply(status=400, message=HOSTILE), Reply(text=HOSTILE))),
    ),
    otherwise=Reply(text=HOSTILE),
)


def fanout(server: ServerHandle, *arguments: str) -> CompletedProcess[str]:
    environment = {"OPENAI_BASE_URL": server.base_url, "FANOUT_MODEL": "scripted"}
    done = command_line.fanout(*arguments, environment=environment)
    assert "Traceback" not in done.stderr, done.stderr
    return done


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_hostile_texts_are_kept_shown_exported_and_resumed(
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
    database: str,
    tmp_path: Path,
) -> None:
    if database == "postgresql":
        monkeypatch.setenv("FANOUT_DATABASE_URL", request.getfixturevalue("postgres_url"))
    with serving(SCRIPT) as server:
        done = fanout(server, "run", "creative-trio", "--topic", TOPIC, "--json")
        assert done.returncode == 3
        run_id = json.loads(done.stdout)["run_id"]
        shown = json.loads(fanout(server, "show", run_id, "--json").stdout)
        assert [b["text"] for b in shown["branches"]] == [KEPT, "", KEPT]
        assert shown["topic"] == "rain in a mirror"
        for command in (("show", run_id), ("show", run_id, "--events"), ("history",)):
            assert fanout(server, *command).returncode == 0
        rows = fanout(server, "history", "--search", "mirror", "--json").stdout
        assert [row["run_id"] for row in json.loads(rows)] == [run_id]
        names = (*FORMATS, "zip") if database == "sqlite" else ("json",)
        for name in names:
            output = tmp_path / f"run.{name}"
            made = fanout(server, "export", run_id, "--format", name, "--output", str(output))
            assert made.returncode == 0, (name, made.stderr)
            assert output.stat().st_size > 100
        assert fanout(server, "replay", run_id, "--speed", "0").returncode == 0
        resumed = fanout(server, "resume", run_id, "--json")
        assert resumed.returncode == 0
        texts = [branch["text"] for branch in json.loads(resumed.stdout)["branches"]]
        assert texts == [KEPT] * 3
        monkeypatch.setenv("FANOUT_HOME", str(tmp_path / "another"))
        monkeypatch.delenv("FANOUT_DATABASE_URL", raising=False)
        assert fanout(server, "import", str(tmp_path / "run.json")).returncode == 0
        there = json.loads(fanout(server, "show", "last", "--json").stdout)
        assert there["branches"][0]["text"] == KEPT
