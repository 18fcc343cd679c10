"""Processes that are killed: one driver imports everything, forks a child per job and kills it.

python -m tests.crash.victims  reads jobs, a JSON object per line, and prints what became of each.

A child opens the record and an engine as the app does, starts or resumes a run, and tells all that
anybody outside could have seen through a pipe, which outlives it. The driver stays without threads,
so that a fork is a whole process.
"""

from __future__ import annotations

import gc
import json
import os
import selectors
import signal
import sys
import threading
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import fanout.engine.watched  # noqa: F401 - loaded once, here, instead of in every child
from fanout.engine.handle import RunHandle
from fanout.providers.script import Reply, Rule, Script
from fanout.store.store import Store
from fanout.timeline import encode
from fanout.workflows.definition import Workflow
from tests.rig import rig, trio

AT_ONCE = 4
LOOK_S = 0.02
START_S = 30.0
"""Longest that a victim may take to show its run."""
WORDS = {
    "joke": "Short and soon over, as jokes should be.",
    "story": "Once there was a branch that wrote with care and at length. " * 2,
    "poem": "Rain on the roof and rain on the road and no end of it. " * 4,
    "combine": "All of it together, in one piece and well in order. " * 2,
}
"""What each call answers; their different lengths spread the ends over the run."""
SCRIPT = Script(
    rules=tuple(
        Rule(
            prompt="Combine:" if name == "combine" else f"Write a {name}",
            replies=(Reply(text=text, first_token_s=0.05, tokens_per_s=35),),
        )
        for name, text in WORDS.items()
    )
)


def workflow() -> Workflow:
    """Every call's prompt names the topic, so that requests can be told apart by run."""
    return trio(aggregate={"prompt": "Combine: {topic}\n{results}", "result": "<{title}> {text}"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One life: which record, which run, and how long it lasts."""

    home: str
    url: str = ""
    topic: str = ""
    resume: str = ""
    """A run to go on with; "" starts a new one on `topic`."""
    lives_s: float
    starting: bool = False
    """Its life counts from the fork; else from when its run is known."""
    sees_ends: int = 0
    """Not 0: it dies at once when so many ends have been seen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What a victim had shown when it died."""

    job: Job
    run_id: str = ""
    """"" where it died before its run was known to anybody."""
    zero: float = 0.0
    """When the run's own clock was at zero, by the clock of `killed_at`."""
    killed_at: float = 0.0
    events: list[dict[str, object]] = field(default_factory=list)
    finished: list[list[str]] = field(default_factory=list)
    """Calls whose end its snapshot showed: id, state and text."""
    refused: bool = False
    """It was to resume a run that missed nothing."""

    @property
    def ends(self) -> list[dict[str, object]]:
        return [one for one in self.events if str(one["event"]).endswith("_finished")]


def victims(jobs: list[Job], python: str = sys.executable) -> Iterator[Seen]:
    """Run and kill them all, `AT_ONCE` at a time."""
    import subprocess

    root = Path(__file__).resolve().parents[2]
    done = subprocess.run(
        [python, "-m", "tests.crash.victims"],
        cwd=root,
        input="".join(json.dumps(asdict(job)) + "\n" for job in jobs),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        timeout=400,
    )
    for line in done.stdout.splitlines():
        record = json.loads(line)
        yield Seen(**{**record, "job": Job(**record["job"])})


def main() -> None:
    """Children share nothing but the record: their pipes are closed in each other."""
    gc.freeze()
    waiting = [Job(**json.loads(line)) for line in sys.stdin]
    living: dict[int, tuple[Job, int, float]] = {}
    told: dict[int, bytes] = {}
    watch = selectors.DefaultSelector()
    while waiting or living:
        while waiting and len(living) < AT_ONCE:
            job = waiting.pop(0)
            pid, pipe = _forked(job, list(living))
            living[pipe] = (job, pid, monotonic() + (job.lives_s if job.starting else START_S))
            told[pipe] = b""
            watch.register(pipe, selectors.EVENT_READ)
        next_kill = min(until for _, _, until in living.values())
        for key, _ in watch.select(max(0.0, next_kill - monotonic())):
            known = b"\n" in told[key.fd]
            told[key.fd] += os.read(key.fd, 65536)
            job, pid, until = living[key.fd]
            if not known and b"\n" in told[key.fd] and not job.starting:
                living[key.fd] = (job, pid, monotonic() + job.lives_s)
        for pipe, (job, pid, until) in list(living.items()):
            ends = told[pipe].count(b"_finished") if job.sees_ends else 0
            if monotonic() < until and (not ends or ends < job.sees_ends):
                continue
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            killed_at = monotonic()
            watch.unregister(pipe)
            while rest := os.read(pipe, 65536):
                told[pipe] += rest
            os.close(pipe)
            del living[pipe]
            print(json.dumps(asdict(_seen(job, told.pop(pipe), killed_at))), flush=True)


def _seen(job: Job, told: bytes, killed_at: float) -> Seen:
    seen = Seen(job=job, killed_at=killed_at)
    facts: dict[str, Any] = {}
    # The kill may have come in the middle of a line.
    for line in told.decode().split("\n")[:-1]:
        record = json.loads(line)
        if "event" in record:
            seen.events.append(record)
        elif "finished" in record:
            seen.finished.append(record["finished"])
        else:
            facts |= record
    return replace(seen, **facts)


def _forked(job: Job, others: list[int]) -> tuple[int, int]:
    reader, writer = os.pipe()
    pid = os.fork()
    if pid:
        os.close(writer)
        return pid, reader
    try:
        for pipe in (reader, *others):
            os.close(pipe)
        _live(job, writer)
    except BaseException:
        sys.excepthook(*sys.exc_info())
        sys.stderr.flush()
    # Whatever happened, this is never a second driver; it waits for its end.
    while True:
        sleep(60)


def _live(job: Job, pipe: int) -> None:
    store = Store.open(Path(job.home), job.url)
    assert store.kept and not store.problems, store.problems
    store.interrupt()
    with rig(SCRIPT, store=store) as here:
        if job.resume:
            found = here.engine.get(job.resume)
            assert found is not None, "a run that was shown is gone"
            handle, begun = found, found.resume()
        else:
            handle, begun = here.engine.start(workflow(), job.topic, _model()), True
        _tell(
            pipe, {"run_id": handle.id, "zero": monotonic() - handle.now_s(), "refused": not begun}
        )
        threading.Thread(target=_look, args=(handle, pipe), daemon=True).start()
        for event in handle.follow():
            _tell(pipe, encode(event))
        while True:
            sleep(60)


def _model():
    from tests.rig import MODEL

    return MODEL


def _look(handle: RunHandle, pipe: int) -> None:
    """What a page would show: snapshots, whenever it looks."""
    shown: set[tuple[str, int]] = set()
    while True:
        for call in handle.snapshot.calls:
            go = (call.id, len(call.earlier))
            if call.state.finished and go not in shown:
                shown.add(go)
                _tell(pipe, {"finished": [call.id, call.state.value, call.text]})
        sleep(LOOK_S)


def _tell(pipe: int, record: dict[str, object]) -> None:
    """In one piece: two threads write, and the end may come at any time."""
    os.write(pipe, json.dumps(record).encode() + b"\n")


if __name__ == "__main__":
    main()
