"""An app that can't start: it ends, and says why in one line."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from fanout.inventory import ROOT
from tests.rig import free_port

NO_DATABASE = {"FANOUT_DATABASE_URL": "mysql://u:p4ssw0rd@h/n"}


def started(home: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """The app, until it ends by itself."""
    options = [f"--server.port={free_port()}", "--server.address=127.0.0.1"]
    return subprocess.run(
        [sys.executable, "-m", "streamlit", "run", "app.py", *options, "--server.headless=true"],
        cwd=ROOT,
        env={**os.environ, "FANOUT_HOME": str(home), **environment},
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_a_wrong_setting_ends_the_app_with_one_line(tmp_path: Path) -> None:
    ended = started(tmp_path, FANOUT_MAX_RUNS="none")
    (said,) = ended.stderr.strip().splitlines()
    assert said == (
        "Fanout does not start: FANOUT_MAX_RUNS is a whole number from 1; it is none now."
    )
    assert ended.returncode == 3, "so that what watches over it starts it again"


def test_a_database_that_cannot_be_used_ends_it_too_rather_than_keep_runs_in_memory(
    tmp_path: Path,
) -> None:
    ended = started(tmp_path, **NO_DATABASE, FANOUT_LOG="json")
    (said,) = map(json.loads, ended.stderr.strip().splitlines())
    assert said["level"] == "error" and "FANOUT_DATABASE_URL is no address" in said["message"]
    assert ended.returncode == 3
    assert "p4ssw0rd" not in ended.stdout + ended.stderr
