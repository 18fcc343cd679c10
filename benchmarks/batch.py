"""A batch against the endpoint's own limit, and beside what one would write instead.

    python benchmarks/batch.py [--quick] [--rows 2000] [--per-minute 2400] [--ways fanout,asyncio]
                               [--ray-python PATH]

Each row is three branches and a combined answer: four calls. The endpoint takes `--per-minute`
calls in any minute and answers each within 0.3 s, so the limit allows `rows x 4 / per-minute`
minutes; the least that any client could take is a full minute per whole minute's calls. Ways:

fanout         `python -m fanout batch` with its record in SQLite
fanout-crash   the same, killed with -9 in the middle and resumed
workers        two `python -m fanout worker` on PostgreSQL, killed: none
workers-crash  the same; one of them is killed with -9 in the middle, the other goes on alone
asyncio, asyncio-crash, ray, ray-crash      see batch_peers.py

"twice" counts answers that were paid for again, by the endpoint's own count.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.load_scales import percentile  # noqa: E402
from tests.rig import free_port  # noqa: E402
from tests.store import postgres  # noqa: E402

ANSWER_S = 0.3
CALLS = 4
MOST_STARTS = 20
"""A script that dies of a 429 is started again, as its user would."""
AT_ONCE = 40
MINUTE_S = 60.0
WORKFLOW = (
    'title = "Bench"\n'
    + "".join(
        f'[[branches]]\nid = "b{i}"\ntitle = "B{i}"\nprompt = "Part {i} of {{topic}}"\n'
        for i in range(3)
    )
    + '[aggregate]\nprompt = "Combine {results} of {topic}"\n'
)


@dataclass(kw_only=True)
class Outcome:
    way: str
    wall_s: float = 0.0
    stats: dict = field(default_factory=dict)
    rows: int = 0
    memory_mb: list[float] = field(default_factory=list)
    cpu_s: float = 0.0
    starts: int = 0
    """Of its processes, the first included."""


@contextlib.contextmanager
def endpoint(per_minute: int) -> Iterator[int]:
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, str(ROOT / "benchmarks/limited_endpoint.py"), str(port), str(per_minute),
         str(ANSWER_S)]
    )  # fmt: skip
    try:
        for _ in range(200):
            with contextlib.suppress(OSError):
                stats(port)
                break
            time.sleep(0.05)
        yield port
    finally:
        process.terminate()
        process.wait()


def stats(port: int) -> dict:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/stats", timeout=10) as answer:
        return json.load(answer)


class Watched:
    """A process, its memory once a second and its CPU time at the end."""

    def __init__(self, command: Sequence[str], environment: dict[str, str], log: Path) -> None:
        self._log = log.open("ab")
        self.process = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=self._log, stderr=subprocess.STDOUT,
            start_new_session=True,
        )  # fmt: skip
        self.memory_mb: list[float] = []
        self.cpu_s = 0.0

    def look(self) -> None:
        with contextlib.suppress(OSError):
            pages = int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1])
            self.memory_mb.append(pages * os.sysconf("SC_PAGE_SIZE") / 1e6)
            fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
            self.cpu_s = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def end(self) -> None:
        self.process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(15)
        self.kill()


def until(port: int, answers: int, watched: Sequence[Watched], give_up_s: float) -> None:
    """Look once a second until the endpoint has answered so much, or every process has ended."""
    ends = time.monotonic() + give_up_s
    while time.monotonic() < ends:
        for one in watched:
            one.look()
        if stats(port)["answers"] >= answers:
            return
        if all(one.process.poll() is not None for one in watched):
            return
        time.sleep(1.0)


def fanout(arguments: argparse.Namespace, port: int, folder: Path, crash: bool) -> Outcome:
    environment = environment_of(port, folder)
    (folder / "bench.toml").write_text(WORKFLOW)
    (folder / "topics.txt").write_text("".join(f"topic-{n}\n" for n in range(arguments.rows)))
    command = [sys.executable, "-m", "fanout", "batch"]
    begin = [
        *command, str(folder / "topics.txt"), "--workflow", str(folder / "bench.toml"),
        "--concurrency", str(AT_ONCE), "--yes",
    ]  # fmt: skip
    worker = Watched(begin, environment, folder / "log.txt")
    lives = [worker]
    if crash:
        until(port, arguments.rows * CALLS // 2, [worker], give_up(arguments))
        worker.kill()
        worker = Watched([*command, "--resume", "last", "--yes"], environment, folder / "log.txt")
        lives.append(worker)
    until(port, sys.maxsize, [worker], give_up(arguments))
    worker.kill()
    return measured(lives, rows_done(environment))


def workers(arguments: argparse.Namespace, port: int, folder: Path, crash: bool) -> Outcome:
    programs = postgres.installed()
    if programs is None:
        raise SystemExit("PostgreSQL is not installed: leave the ways with workers out.")
    with postgres.cluster(programs) as address, postgres.database(address) as url:
        environment = {**environment_of(port, folder), "FANOUT_DATABASE_URL": url}
        (folder / "bench.toml").write_text(WORKFLOW)
        (folder / "topics.txt").write_text("".join(f"topic-{n}\n" for n in range(arguments.rows)))
        both = [
            Watched([sys.executable, "-m", "fanout", "worker"], environment, folder / "log.txt")
            for _ in range(2)
        ]
        subprocess.run(
            [sys.executable, "-m", "fanout", "batch", str(folder / "topics.txt"), "--workflow",
             str(folder / "bench.toml"), "--concurrency", str(AT_ONCE), "--yes", "--detach"],
            cwd=ROOT, env=environment, check=True, stdout=subprocess.DEVNULL,
        )  # fmt: skip
        total = arguments.rows * CALLS
        alive = both
        if crash:
            until(port, total // 2, both, give_up(arguments))
            both[0].kill()
            alive = both[1:]
        until(port, total, alive, give_up(arguments))
        deadline = time.monotonic() + 30
        while rows_done(environment) < arguments.rows and time.monotonic() < deadline:
            time.sleep(0.5)
        done = rows_done(environment)
        for one in alive:
            one.look()
            one.end()
        return measured(both, done)


def peer(kind: str, arguments: argparse.Namespace, port: int, folder: Path, crash: bool) -> Outcome:
    python = arguments.ray_python if kind == "ray" else sys.executable
    results = folder / "results.jsonl"
    command = [
        python, str(ROOT / "benchmarks/batch_peers.py"), kind, f"http://127.0.0.1:{port}/v1",
        str(arguments.rows), str(arguments.per_minute), str(AT_ONCE), str(results),
    ]  # fmt: skip
    process = Watched(command, dict(os.environ), folder / "log.txt")
    lives = [process]
    if crash:
        until(port, arguments.rows * CALLS // 2, [process], give_up(arguments))
        process.kill()
        process = Watched(command, dict(os.environ), folder / "log.txt")
        lives.append(process)
    until(port, sys.maxsize, [process], give_up(arguments))
    while process.process.poll() and len(lives) < MOST_STARTS:
        process = Watched(command, dict(os.environ), folder / "log.txt")
        lives.append(process)
        until(port, sys.maxsize, [process], give_up(arguments))
    process.kill()
    done = len(results.read_text().splitlines()) if results.exists() else 0
    return measured(lives, done)


def measured(lives: Sequence[Watched], rows: int) -> Outcome:
    longest = max(lives, key=lambda one: len(one.memory_mb))
    cpu_s = sum(one.cpu_s for one in lives)
    return Outcome(way="", rows=rows, memory_mb=longest.memory_mb, cpu_s=cpu_s, starts=len(lives))


def environment_of(port: int, folder: Path) -> dict[str, str]:
    return {
        **os.environ,
        "FANOUT_HOME": str(folder / "home"),
        "OPENAI_BASE_URL": f"http://127.0.0.1:{port}/v1",
        "FANOUT_MODEL": "limited",
        "FANOUT_CALLS_AT_ONCE": str(AT_ONCE),
    }


def rows_done(environment: dict[str, str]) -> int:
    """Rows that have succeeded, by Fanout's own record."""
    printed = subprocess.run(
        [sys.executable, "-m", "fanout", "batches", "--json"],
        cwd=ROOT, env=environment, check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip
    (batch,) = json.loads(printed)
    return int(batch["rows"]["succeeded"])


def give_up(arguments: argparse.Namespace) -> float:
    return allowed_s(arguments) * 3 + 120


def allowed_s(arguments: argparse.Namespace) -> float:
    return arguments.rows * CALLS / arguments.per_minute * MINUTE_S


def least_s(arguments: argparse.Namespace) -> float:
    """No client can be faster: a minute for each whole minute's worth of calls but the last."""
    return (-(-arguments.rows * CALLS // arguments.per_minute) - 1) * MINUTE_S + 2 * ANSWER_S


def run(way: str, arguments: argparse.Namespace) -> Outcome:
    kind, _, rest = way.partition("-")
    folder = Path(tempfile.mkdtemp(prefix="fanout-batch-"))
    try:
        with endpoint(arguments.per_minute) as port:
            began = time.monotonic()
            crash = rest == "crash"
            if kind == "fanout":
                outcome = fanout(arguments, port, folder, crash)
            elif kind == "workers":
                outcome = workers(arguments, port, folder, crash)
            else:
                outcome = peer(kind, arguments, port, folder, crash)
            outcome.way, outcome.wall_s = way, time.monotonic() - began
            outcome.stats = stats(port)
            if outcome.rows != arguments.rows:
                print((folder / "log.txt").read_text()[-2_000:], file=sys.stderr)
        return outcome
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def quarters(memory: Sequence[float]) -> str:
    size = max(1, len(memory) // 4)
    parts = [memory[i : i + size] for i in range(0, size * 4, size)]
    return " ".join(f"{percentile(sorted(part), 50):4.0f}" for part in parts if part)


def show(outcomes: Sequence[Outcome], arguments: argparse.Namespace) -> None:
    allowed, least = allowed_s(arguments), least_s(arguments)
    print(
        f"{arguments.rows} rows x {CALLS} calls at {arguments.per_minute} a minute: the limit "
        f"allows {allowed:.0f} s; no client can be faster than {least:.0f} s\n"
    )
    print(
        f"{'way':<15}{'span s':>8}{'x limit':>9}{'wall s':>8}{'rows':>7}{'twice':>7}{'429s':>6}"
        f"{'CPU s':>7}{'starts':>8}  memory MB by quarters"
    )
    for one in outcomes:
        span = one.stats["span_s"]
        print(
            f"{one.way:<15}{span:>8.1f}{span / allowed:>9.3f}{one.wall_s:>8.1f}{one.rows:>7}"
            f"{one.stats['twice']:>7}{one.stats['refused']:>6}{one.cpu_s:>7.1f}{one.starts:>8}"
            f"  {quarters(one.memory_mb)}"
        )
    print(
        "\nspan: from the first call to the last answer, by the endpoint's clock; x limit: against "
        "rows x calls / limit (goal for fanout: at most 1.05)"
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=2000)
    parser.add_argument("--per-minute", type=int, default=2400)
    parser.add_argument(
        "--ways", default="fanout,fanout-crash,workers,workers-crash,asyncio,asyncio-crash"
    )
    parser.add_argument("--ray-python", default="", help="a Python that has ray and openai")
    parser.add_argument("--quick", action="store_true", help="100 rows at 240 a minute")
    arguments = parser.parse_args()
    if arguments.quick:
        arguments.rows, arguments.per_minute = 100, 240
    ways = arguments.ways.split(",")
    if arguments.ray_python:
        ways += ["ray", "ray-crash"]
    show([run(way, arguments) for way in ways], arguments)


if __name__ == "__main__":
    main()
