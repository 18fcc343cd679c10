"""What `doctor` says of the machine: packages, files, ports; and that its advice breaks nothing."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from fanout.doctor import databases, machine
from fanout.doctor.configuration import configuration
from fanout.doctor.examination import examine
from fanout.doctor.findings import Finding, Level
from fanout.doctor.listeners import who_listens
from fanout.settings import Settings
from fanout.store.store import Store
from fanout.telemetry.metrics import Metrics, Sources
from tests.rig import free_port

ROOT = Path(__file__).resolve().parents[2]
BY_ROOT = pytest.mark.skipif(
    os.name != "posix" or os.geteuid() != 0 or shutil.which("setpriv") is None,
    reason="only root becomes somebody else",
)


def with_a_key(folder: Path, mode: int) -> Path:
    path = folder / "fanout.toml"
    path.write_text('[endpoint]\napi_key = "sk-secret-1"\n')
    path.chmod(mode)
    return path


def settings_findings(folder: Path) -> list[Finding]:
    return configuration({"FANOUT_HOME": str(folder)}, {})[0]


def test_a_settings_file_with_a_key_is_not_for_everybody(tmp_path: Path) -> None:
    path = with_a_key(tmp_path, 0o604)
    (said,) = [one for one in settings_findings(tmp_path) if one.level is Level.WARNING]
    assert "others may read it (mode 604)" in said.text
    subprocess.run(said.todo, shell=True, check=True)
    assert path.stat().st_mode & 0o777 == 0o600
    assert [one.level for one in settings_findings(tmp_path)] == [Level.FINE]


AS_ANOTHER = """
import sys
from fanout.doctor.configuration import configuration
for one in configuration({"FANOUT_CONFIG": sys.argv[1], "FANOUT_HOME": sys.argv[2]}, {})[0]:
    print(one.level.value, one.text, "|", one.todo)
"""


def as_another(path: Path, home: Path, group: int) -> str:
    """What doctor says of that file to a user who is neither root nor its owner."""
    command = ["setpriv", "--reuid=10001", f"--regid={group}", "--clear-groups", sys.executable]
    done = subprocess.run(
        [*command, "-B", "-c", AS_ANOTHER, str(path), str(home)],
        capture_output=True, text=True, check=True, timeout=60,
        cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    return done.stdout


@pytest.fixture
def anybodys() -> Iterator[Path]:
    """A folder that others can look into: pytest's own are shut."""
    with TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@BY_ROOT
def test_what_the_page_installs_is_fine_and_stays_readable_after_the_advice(anybodys: Path) -> None:
    """0640, root:fanout: what `install -m 0640 -g fanout` makes of it."""
    path = with_a_key(anybodys, 0o640)
    os.chown(path, 0, 10001)
    assert as_another(path, anybodys / "home", 10001).startswith("fine ")
    assert "warning" not in as_another(path, anybodys / "home", 10001)
    assert not [one for one in settings_findings(anybodys) if one.level is Level.WARNING]
    path.chmod(0o644)
    said = as_another(path, anybodys / "home", 10001)
    assert f"| chmod o= {path}" in said
    subprocess.run(["chmod", "o=", str(path)], check=True)
    assert "warning" not in as_another(path, anybodys / "home", 10001)


@BY_ROOT
def test_a_users_own_file_is_not_for_the_users_group(anybodys: Path) -> None:
    path = with_a_key(anybodys, 0o640)
    os.chown(path, 10001, 10001)
    assert f"(mode 640). | chmod go= {path}" in as_another(path, anybodys / "home", 10001)


def test_a_home_that_is_named_from_where_one_stands_is_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Store.open(Path("runs")).close()
    shutil.copy(Path("runs") / "fanout.db", Path("runs") / databases.BATCHES_FILE)
    findings = list(examine({"FANOUT_HOME": "runs"}, port=free_port(), places=()))
    assert [one for one in findings if one.level is Level.BROKEN] == []
    assert {"Database", "Batches"} <= {one.group for one in findings}


def test_a_port_is_free_or_somebodys(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    free = free_port()
    assert [one.level for one in machine.ports(settings, free)] == [Level.FINE]
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        (taken,) = machine.ports(settings, port)
        assert taken.level is Level.WARNING and "is taken (" in taken.text
        assert "process " in who_listens(port)
    (same,) = [
        one
        for one in machine.ports(Settings(home=tmp_path, metrics_port=free), free)
        if one.level is Level.BROKEN
    ]
    assert f"both to have port {free}" in same.text


def test_packages_are_held_against_the_lock(tmp_path: Path) -> None:
    (tmp_path / "requirements.lock").write_text(
        "anyio==0.0.1 \\\n    --hash=sha256:" + "a" * 64 + "\n"
    )
    (tmp_path / "requirements-model.lock").write_text(
        "no-such-package==1 \\\n    --hash=sha256:" + "a" * 64 + "\n"
    )
    _, core, model = machine.python(tmp_path)
    assert core.level is Level.WARNING and "instead of 0.0.1" in core.text
    assert model.level is Level.WARNING and "no model runs on this machine" in model.text
    lock = (tmp_path / "requirements-model.lock").rename(tmp_path / "requirements.lock")
    _, core = machine.python(tmp_path)
    assert core.level is Level.BROKEN and "-r requirements.lock" in core.todo
    lock.write_text(
        "no-such-package==1 ; sys_platform == 'beos' \\\n    --hash=sha256:" + "a" * 64 + "\n"
    )
    assert next(iter(list(machine.python(tmp_path))[1:])).level is Level.FINE


def test_an_old_python_and_a_clock_of_the_past_are_broken(tmp_path: Path) -> None:
    assert next(machine.python(tmp_path, (3, 10))).level is Level.BROKEN
    assert next(machine.clock_and_language(0.0)).level is Level.BROKEN


def test_metrics_of_a_fanout_that_runs_are_no_port_that_is_taken(tmp_path: Path) -> None:
    pytest.importorskip("prometheus_client")
    metrics = Metrics((), Sources(runs=list, endpoints=list, rows=dict))
    port = metrics.serve(0)
    try:
        _, served = machine.ports(Settings(home=tmp_path, metrics_port=port), free_port())
        # Metrics answer any path, and are no app for that.
        (no_app,) = machine.ports(Settings(home=tmp_path), port)
    finally:
        metrics.close()
    assert (served.level, served.todo) == (Level.FINE, "")
    assert "Fanout serves its metrics there" in served.text
    assert no_app.level is Level.WARNING
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = Settings(home=tmp_path, metrics_port=other.getsockname()[1])
        assert list(machine.ports(taken, free_port()))[1].level is Level.WARNING


@pytest.mark.parametrize(
    ("module", "asked"),
    [
        ("opentelemetry.exporter.otlp.proto.http", {"traces": "http://h"}),
        ("prometheus_client", {"metrics_port": 9464}),
    ],
)
def test_traces_and_metrics_are_broken_without_their_packages(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, module: str, asked: dict[str, object]
) -> None:
    settings = Settings(home=tmp_path, **asked)  # type: ignore[arg-type]
    pytest.importorskip(module)
    assert [one.level for one in machine.inside(settings)] == [Level.FINE]
    assert list(machine.inside(Settings(home=tmp_path))) == []
    monkeypatch.setitem(sys.modules, module, None)
    (said,) = machine.inside(settings)
    assert said.level is Level.BROKEN and "requirements-trace.lock" in said.todo


def test_who_asks_an_endpoint_lacks_no_model_on_this_machine(tmp_path: Path) -> None:
    (tmp_path / "requirements-model.lock").write_text(
        "no-such-package==1 \\\n    --hash=sha256:" + "a" * 64 + "\n"
    )
    assert [one.level for one in machine.python(tmp_path)][1] is Level.WARNING
    _, said = machine.python(tmp_path, needs_model=False)
    assert (said.level, said.todo) == (Level.NOTE, "")
