"""The systemd units and the examples of settings: read by systemd itself, and by Fanout."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from configparser import ConfigParser
from pathlib import Path

import pytest

from fanout.cli.main import _parser
from fanout.settings import Settings
from fanout.settings_file import read
from fanout.settings_names import unknown_names

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
UNITS = ("fanout.service", "fanout-worker@.service")
ANALYZE = shutil.which("systemd-analyze")


class Unit(ConfigParser):
    """Names as they are written; of one that stands twice, the last."""

    def __init__(self, name: str) -> None:
        super().__init__(strict=False, interpolation=None, delimiters=("=",))
        self.read_string((DEPLOY / "systemd" / name).read_text("utf-8"))

    def optionxform(self, optionstr: str) -> str:
        return optionstr


def environment(text: str) -> dict[str, str]:
    pairs = (each.partition("=") for each in text.split())
    return {name: value for name, _, value in pairs}


@pytest.mark.parametrize("name", UNITS)
def test_a_unit_runs_as_a_user_of_its_own_with_few_rights(name: str) -> None:
    service = Unit(name)["Service"]
    assert service["User"] == service["StateDirectory"] == "fanout"
    for hardened in ("NoNewPrivileges", "ProtectHome", "PrivateTmp", "RestrictNamespaces"):
        assert service[hardened] == "yes"
    assert (service["ProtectSystem"], service["CapabilityBoundingSet"]) == ("strict", "")
    assert environment(service["Environment"])["FANOUT_HOME"] == "/var/lib/fanout"
    assert unknown_names(environment(service["Environment"])) == ()


def test_a_worker_may_have_a_port_for_metrics_of_its_own() -> None:
    """What a later file says counts, and one that isn't there is no mistake."""
    text = (DEPLOY / "systemd" / "fanout-worker@.service").read_text("utf-8")
    files = re.findall(r"^EnvironmentFile=(.+)$", text, re.MULTILINE)
    assert files == ["-/etc/fanout/fanout.env", "-/etc/fanout/worker-%i.env"]


def test_a_unit_starts_what_there_is_without_a_shell() -> None:
    app = Unit("fanout.service")["Service"]["ExecStart"].split()
    assert app[:6] == [
        *("/opt/fanout/.venv/bin/python", "-m", "streamlit", "run", "app.py"),
        "--server.address=127.0.0.1",
    ]
    worker = Unit("fanout-worker@.service")["Service"]["ExecStart"].split()
    assert worker[:3] == ["/opt/fanout/.venv/bin/python", "-m", "fanout"]
    assert _parser().parse_args(worker[3:]).command


@pytest.mark.skipif(ANALYZE is None, reason="systemd-analyze is not installed")
@pytest.mark.parametrize("name", UNITS)
def test_systemd_finds_nothing_wrong_with_a_unit(tmp_path: Path, name: str) -> None:
    done = verified(tmp_path, name, lambda text: text)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


@pytest.mark.skipif(ANALYZE is None, reason="systemd-analyze is not installed")
def test_systemd_would_find_a_mistake(tmp_path: Path) -> None:
    done = verified(tmp_path, UNITS[0], lambda text: text.replace("ProtectHome", "ProtectHouse"))
    assert "ProtectHouse" in done.stdout + done.stderr


def verified(folder: Path, name: str, change) -> subprocess.CompletedProcess[str]:
    """What systemd says of a unit whose program is there."""
    python = folder / "opt" / "fanout" / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text("#!/bin/sh\n")
    python.chmod(0o755)
    text = change((DEPLOY / "systemd" / name).read_text("utf-8"))
    unit = folder / name.replace("@", "@1")
    unit.write_text(text.replace("/opt/fanout", str(folder / "opt" / "fanout")))
    assert ANALYZE is not None
    return subprocess.run(
        [ANALYZE, "verify", "--man=no", str(unit)],
        capture_output=True, text=True, timeout=60, env={**os.environ, "SYSTEMD_PAGER": ""},
    )  # fmt: skip


def test_the_example_of_a_settings_file_is_understood_whole(tmp_path: Path) -> None:
    text = (DEPLOY / "fanout.toml.example").read_text("utf-8")
    path = tmp_path / "fanout.toml"
    path.write_text(text)
    found = Settings.from_environment({"FANOUT_CONFIG": str(path), "FANOUT_HOME": str(tmp_path)})
    assert found.shared and found.endpoint is not None and found.bounds.batch_rows == 10_000
    # What is commented out would be understood too.
    path.write_text(re.sub(r"(?m)^# (?=\w+ = )", "", text))
    assert read(path).wrong == {}
    assert Settings.from_environment({"FANOUT_CONFIG": str(path)}).database


def test_the_example_of_an_environment_names_settings_only() -> None:
    text = (DEPLOY / "fanout.env.example").read_text("utf-8")
    names = re.findall(r"^#?([A-Z_]+)=", text, re.MULTILINE)
    assert len(names) >= 4 and unknown_names(names) == ()
